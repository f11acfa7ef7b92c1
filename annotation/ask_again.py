"""Ask tasks again that have been answered: a new round, in which everybody may be asked."""

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from annotation.close_returns import close_returns, people_sent_back
from annotation.edit_queue import locked
from annotation.lanes import LANE
from annotation.let_be import let_be
from annotation.models import Dispute, Queue, Return
from truing.audit import record
from truing.models import User

_ASK = f"""
INSERT INTO annotation_assignment
    (task_id, queue_id, state, purpose, round, shown, skip_reason, lane)
SELECT task.id, task.queue_id, CASE WHEN task.is_withheld THEN 'withheld' ELSE 'free' END,
    'answer', so_far.last + 1, '{{}}', '', {LANE}
FROM annotation_task task
CROSS JOIN LATERAL (
    SELECT greatest(1, max(round)) AS last, true AS is_begun FROM annotation_assignment
    WHERE task_id = task.id
) so_far
CROSS JOIN generate_series(0, %(overlap)s - 1) AS added(level)
WHERE task.queue_id = %(queue)s AND task.id = ANY(%(tasks)s)
ORDER BY task.id, level
"""


@transaction.atomic
def ask_again(queue: Queue, tasks: Sequence[int], *, why: str = "", actor: User | None) -> int:
    """A new round of free slots for these tasks of the queue; say how many slots there are.

    Earlier answers stay, and count until somebody has answered in the new round.
    """
    queue = locked(queue)
    values: dict[str, Any] = {
        "queue": queue.pk,
        "tasks": list(tasks),
        "overlap": queue.overlap,
        "order": queue.order,
    }
    # What nobody has taken of earlier rounds is not wanted any more.
    let_be(queue.tasks.filter(pk__in=tasks).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(_ASK, values)
        added = cursor.rowcount
    if added:
        returns = Return.objects.open().filter(annotation__assignment__task__in=list(tasks))
        people_sent_back(returns.values_list("annotation__assignment__annotator", flat=True))
        close_returns(returns, Return.State.OVER)
        undecided = Dispute.objects.filter(task__in=list(tasks), queue=queue)
        undecided.exclude(state=Dispute.State.SETTLED).update(state=Dispute.State.WAITING)
        record(
            "queue.ask_again",
            actor=actor,
            project=queue.project,
            on=queue,
            tasks=added // queue.overlap,
            why=why,
        )
    return added
