"""Move tasks forward or back in a queue whose order is by priority."""

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from annotation.edit_queue import edit_queue, locked, refuse_reserved
from annotation.lanes import LANE
from annotation.models import Queue, Task
from annotation.models.queue import HIGHEST_PRIORITY
from truing.audit import record
from truing.errors import Invalid
from truing.models import User

# A slot in another lane is a new row at its end: people's bookmarks may have gone beyond its key.
# One that somebody is taking at this moment stays theirs.
_MOVE = f"""
WITH gone AS (
    DELETE FROM annotation_assignment WHERE id IN (
        SELECT id FROM annotation_assignment
        WHERE queue_id = %(queue)s AND task_id = ANY(%(tasks)s) AND state = 'free'
        FOR UPDATE SKIP LOCKED
    ) RETURNING task_id, queue_id, purpose, round, lane
)
INSERT INTO annotation_assignment
    (task_id, queue_id, state, purpose, round, shown, skip_reason, lane)
SELECT gone.task_id, gone.queue_id, 'free', gone.purpose, gone.round, '{{}}', '', {LANE}
FROM gone CROSS JOIN (SELECT %(priority)s AS priority, 0 AS level, false AS is_begun) now
ORDER BY gone.task_id
"""


@transaction.atomic
def prioritise(
    queue: Queue,
    tasks: Sequence[int],
    priority: int,
    *,
    by_priority: bool = False,
    actor: User | None,
) -> int:
    """Give these tasks of the queue another priority, higher first; say how many there were.

    Priorities count only where the queue hands its questions out by them: `by_priority` lets it
    do so from now on.
    """
    if not -HIGHEST_PRIORITY <= priority <= HIGHEST_PRIORITY:
        raise Invalid(f"A priority is a number from -{HIGHEST_PRIORITY} to {HIGHEST_PRIORITY}.")
    if by_priority and tasks and queue.order != Queue.Order.PRIORITY:
        edit_queue(queue, handling={"order": Queue.Order.PRIORITY}, actor=actor)
    queue = locked(queue)
    refuse_reserved(queue)
    found = list(
        Task.objects.filter(queue=queue, pk__in=tasks)
        .exclude(priority=priority)
        .values_list("pk", flat=True)
    )
    Task.objects.filter(pk__in=found).update(priority=priority)
    if found and queue.order == Queue.Order.PRIORITY:
        values: dict[str, Any] = {
            "queue": queue.pk,
            "tasks": found,
            "order": queue.order,
            "priority": priority,
        }
        with connection.cursor() as cursor:
            cursor.execute(_MOVE, values)
    if found:
        record(
            "queue.prioritise",
            actor=actor,
            project=queue.project,
            on=queue,
            tasks=len(found),
            priority=priority,
        )
    return len(found)
