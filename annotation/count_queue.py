"""Count how far queues have come."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count, Q

from annotation.models import Assignment, Queue, Task

State = Assignment.State
WANTED = [Assignment.Purpose.ANSWER, Assignment.Purpose.IMPORT]
EXAMINED = [Assignment.Purpose.GOLD]


@dataclass
class Progress:
    tasks: int = 0
    answered: int = 0
    waiting: int = 0  # slots that are free or held

    @property
    def wanted(self) -> int:
        return self.answered + self.waiting


def count_queues(queues: Iterable[Queue]) -> dict[int, Progress]:
    """Tasks and answers of each queue, by its key; skipped slots have been replaced.

    An exam wants no answers but those of who takes it, and these are checks.
    """
    queues = list(queues)
    progress = {queue.pk: Progress() for queue in queues}
    exams = [queue.pk for queue in queues if queue.exam_skill]
    tasks = Task.objects.filter(queue__in=progress).values("queue").annotate(number=Count("pk"))
    for row in tasks:
        progress[row["queue"]].tasks = row["number"]
    wanted = Q(purpose__in=WANTED)
    if exams:
        wanted = wanted & ~Q(queue__in=exams) | Q(purpose__in=EXAMINED, queue__in=exams)
    slots = Assignment.objects.filter(wanted, queue__in=progress).exclude(state=State.SKIPPED)
    for row in slots.values("queue", "state").annotate(number=Count("pk")):
        if row["state"] == State.ANSWERED:
            progress[row["queue"]].answered += row["number"]
        else:
            progress[row["queue"]].waiting += row["number"]
    return progress


MANY = 6  # so many answers and more are counted together

_SPREAD = """
SELECT least(coalesce(slots.answered, 0), %(many)s), count(*) FROM annotation_task task
LEFT JOIN (
    SELECT task_id, count(*) AS answered FROM annotation_assignment
    WHERE queue_id = %(queue)s AND state = 'answered' AND purpose = ANY(%(purposes)s::varchar[])
    GROUP BY task_id
) slots ON slots.task_id = task.id
WHERE task.queue_id = %(queue)s GROUP BY 1 ORDER BY 1
"""


def answers_a_task(queue: Queue) -> dict[int, int]:
    """How many tasks of a queue have no answer, one, two and so on; the last is “or more”."""
    with connection.cursor() as cursor:
        purposes = [str(purpose) for purpose in (EXAMINED if queue.exam_skill else WANTED)]
        cursor.execute(_SPREAD, {"queue": queue.pk, "many": MANY, "purposes": purposes})
        return dict(cursor.fetchall())
