"""Give every task as many slots as its queue wants answers."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from annotation.enter import add_slots
from annotation.lanes import LANE
from annotation.models import Queue, Task
from annotation.models.authorship import about_what_is_withdrawn

# What somebody gave who is left out of merges is no answer. Leaving them out alone adds no slots:
# who wants others asked in their place calls this.
COUNTS = """NOT EXISTS (
    SELECT FROM annotation_standing standing
    WHERE standing.annotator_id = {slot}.annotator_id AND standing.queue_id = {slot}.queue_id
        AND standing.left_out_at IS NOT NULL
)"""

# A reviewer has said what counts, in this round or a later one: nobody else is asked.
SETTLED = """EXISTS (
    SELECT FROM annotation_assignment settled
    WHERE settled.task_id = {task} AND settled.purpose = 'adjudication'
        AND settled.state = 'answered' AND settled.round >= {round}
)"""

# Of what is asked again, the newest round is what is wanted. (The few beyond the first have an
# index of their own.)
NEWEST = """(
    SELECT coalesce(max(later.round), 1) FROM annotation_assignment later
    WHERE later.task_id = {task} AND later.round > 1 AND later.purpose IN ('answer', 'import')
)"""

# Skipped slots have been replaced by free ones; gold and repeats do not count as wanted answers.
_ADD = f"""
INSERT INTO annotation_assignment
    (task_id, queue_id, state, purpose, round, shown, skip_reason, lane)
SELECT task.id, task.queue_id, CASE WHEN task.is_withheld THEN 'withheld' ELSE 'free' END,
    'answer', newest.round, '{{}}', '', {LANE}
FROM annotation_task task
CROSS JOIN LATERAL {NEWEST.format(task="task.id")} AS newest(round)
CROSS JOIN LATERAL (
    SELECT count(*) AS number, count(*) FILTER (WHERE slot.state = 'answered') > 0 AS is_begun
    FROM annotation_assignment slot
    WHERE slot.task_id = task.id AND slot.round = newest.round AND slot.state <> 'skipped'
        AND slot.purpose IN ('answer', 'import') AND {COUNTS.format(slot="slot")}
) slots
CROSS JOIN LATERAL generate_series(slots.number, %(overlap)s - 1) AS added(level)
WHERE task.queue_id = %(queue)s AND (%(tasks)s::bigint[] IS NULL OR task.id = ANY(%(tasks)s))
    AND NOT {SETTLED.format(task="task.id", round="newest.round")}
    AND NOT task.id = ANY(%(over)s)
"""

# Free slots go first, then those whose hold has run out. One that somebody is taking at this
# moment is waited for, and then it is not free any more: the outer condition is checked again.
_REMOVE = f"""
WITH chosen AS (
    SELECT id FROM (
        SELECT slot.id, slot.takeable,
            count(*) OVER task AS number,
            row_number() OVER (PARTITION BY slot.task_id
                ORDER BY slot.takeable DESC, slot.state <> 'held' DESC, slot.lane DESC,
                    slot.id DESC) AS place
        FROM (
            SELECT id, task_id, state, lane,
                state IN ('free', 'withheld') OR (state = 'held' AND held_until <= now())
                    AS takeable
            FROM annotation_assignment
            WHERE queue_id = %(queue)s AND state <> 'skipped'
                AND round = {NEWEST.format(task="annotation_assignment.task_id")}
                AND purpose IN ('answer', 'import')
                AND {COUNTS.format(slot="annotation_assignment")}
                AND (%(tasks)s::bigint[] IS NULL OR task_id = ANY(%(tasks)s))
        ) slot
        WINDOW task AS (PARTITION BY slot.task_id)
    ) numbered
    WHERE takeable AND place <= number - %(most)s
), removed AS (
    DELETE FROM annotation_assignment
    WHERE id IN (SELECT id FROM chosen) AND state IN ('free', 'withheld')
), let_go AS (
    -- Who still has the page open is told, and what they typed is kept: the slot stays, nobody's.
    UPDATE annotation_assignment
    SET state = 'skipped', annotator_id = NULL, held_until = NULL, closed_at = now(),
        skip_reason = 'no longer wanted'
    WHERE id IN (SELECT id FROM chosen) AND state = 'held' AND held_until <= now()
)
SELECT count(*) FROM chosen
"""


def fit_slots(queue: Queue, tasks: Sequence[int] | None = None) -> None:
    """Add the free slots that tasks lack, and remove those that they have too many.

    Nobody's answer or running hold is removed. The caller holds the queue
    (`edit_queue.locked`), so that its overlap stays and no task comes in meanwhile; or names
    tasks, of somebody who is being served and may not wait for it.
    """
    add_slots(queue.pk)
    values: dict[str, Any] = {
        "queue": queue.pk,
        "overlap": queue.overlap,
        "most": queue.most_wanted,
        "order": queue.order,
        "tasks": None if tasks is None else list(tasks),
        "over": _over(queue, tasks),
    }
    with connection.cursor() as cursor:
        cursor.execute(_ADD, values)
        cursor.execute(_REMOVE, values)
        # Until nothing is chosen any more: where a slot was taken meanwhile, another one goes.
        while cursor.fetchone()[0]:
            cursor.execute(_REMOVE, values)


def _over(queue: Queue, tasks: Sequence[int] | None) -> list[int]:
    """What is not asked any more: its author has corrected what others were to validate."""
    if not queue.task_type.is_gate:
        return []
    its = queue.tasks.all() if tasks is None else Task.objects.filter(pk__in=tasks)
    return list(about_what_is_withdrawn(its).values_list("pk", flat=True))
