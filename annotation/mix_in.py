"""Mix checks into the work: questions with a known answer, and questions asked a second time.

Their slots are made when they are picked, so they cost nobody an answer that is wanted. Somebody
meets a check once, and is asked the same thing a second time at most once.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from annotation.balance import due_before, is_due
from annotation.models import Annotator, Assignment, Exemption, Queue, Task
from truing.prepared import fetch, run

Purpose = Assignment.Purpose
GOLD_ROUND = 1
REPEAT_ROUND = 0  # what is asked again for everybody begins with round 2
# A repeat right after the first answer would ask for memory, not for judgment.
BETWEEN = 10
WINDOW = 24

# From a task chosen by chance on, and round again from the first.
_GOLD = """
WITH checks AS (
    SELECT min(id) AS first, max(id) AS last FROM annotation_task
    WHERE queue_id = %(queue)s AND gold IS NOT NULL
), start AS MATERIALIZED (
    SELECT first + floor((last - first + 1) * %(chance)s::float)::bigint AS id FROM checks
), near AS (
    (SELECT task.id, 1 AS part FROM annotation_task task, start
        WHERE task.queue_id = %(queue)s AND task.gold IS NOT NULL AND task.id >= start.id
        ORDER BY task.id LIMIT %(window)s)
    UNION ALL
    (SELECT task.id, 2 FROM annotation_task task, start
        WHERE task.queue_id = %(queue)s AND task.gold IS NOT NULL AND task.id < start.id
        ORDER BY task.id LIMIT %(window)s)
)
SELECT near.id FROM near
WHERE NOT EXISTS (
    SELECT FROM annotation_assignment met
    WHERE met.task_id = near.id AND met.annotator_id = %(annotator)s
) AND NOT EXISTS (
    SELECT FROM annotation_exemption spared
    WHERE spared.task_id = near.id AND spared.annotator_id = %(annotator)s
) AND NOT EXISTS (
    SELECT FROM annotation_task task WHERE task.id = near.id
        AND (task.is_withheld OR task.categories && %(withheld)s::varchar[])
)
ORDER BY part, near.id LIMIT 1
"""
_REPEAT = """
WITH answered AS (
    SELECT slot.task_id, slot.id FROM annotation_assignment slot
    WHERE slot.annotator_id = %(annotator)s AND slot.queue_id = %(queue)s
        AND slot.state = 'answered' AND slot.purpose = 'answer'
    ORDER BY slot.closed_at DESC OFFSET %(between)s LIMIT %(window)s
)
SELECT task_id FROM answered
WHERE NOT EXISTS (
    SELECT FROM annotation_assignment again
    WHERE again.task_id = answered.task_id AND again.annotator_id = %(annotator)s
        AND again.round = 0
) AND NOT EXISTS (
    SELECT FROM annotation_task task WHERE task.id = answered.task_id
        AND (task.is_withheld OR task.categories && %(withheld)s::varchar[])
)
ORDER BY random() LIMIT 1
"""

# What was to be asked, in a new row; bookmarks wait before it gets its key: see `add_slots`.
_GIVE_WAY = """
WITH coming AS MATERIALIZED (
    SELECT pg_advisory_xact_lock_shared(hashtextextended('annotation.slots', %(queue)s))
), added AS (
    INSERT INTO annotation_assignment
        (task_id, queue_id, state, purpose, round, shown, skip_reason, lane)
    SELECT task_id, queue_id, 'free', purpose, round, '{}', '', lane
    FROM coming, annotation_assignment WHERE id = %(slot)s
)
UPDATE annotation_assignment
SET task_id = %(task)s, purpose = %(purpose)s, round = %(round)s, state = 'held'
WHERE id = %(slot)s
"""


def mixed_in(
    slot: Assignment, annotator: Annotator, taken: int, *, withheld: Sequence[str] = ()
) -> Assignment | None:
    """A check in place of the slot that was about to be given.

    It takes that slot's row, and what was to be asked gets a new one at the end of its lane: the
    key of a slot stands in the page's address, and a row that is newer than those around it would
    tell who can count which questions are checks. `taken` is how many slots of this queue they
    have had before.
    """
    queue = slot.queue
    if not (queue.gold_share or queue.repeat_share) or slot.state != Assignment.State.FREE:
        return None
    whose = (annotator.pk, queue.pk)
    if is_due("gold", whose, taken, queue.gold_share):
        task, purpose, round = _gold_for(queue, annotator, withheld), Purpose.GOLD, GOLD_ROUND
    elif is_due("repeat", whose, taken, queue.repeat_share):
        task, purpose, round = _repeat_for(queue, annotator, withheld), Purpose.REPEAT, REPEAT_ROUND
    else:
        return None
    if task is None:
        return None
    values = {"queue": queue.pk, "slot": slot.pk, "task": task, "purpose": purpose, "round": round}
    run(_GIVE_WAY, values)
    return slot


def ahead_with_checks(
    queue: Queue, annotator: Annotator, taken: int, ahead: int, *, most: int
) -> int:
    """How many questions come until so many that wait are answered, checks among them.

    So the number at the desk goes down with every question, and tells nobody which was a check.
    More than `most` are not counted.
    """
    if not (queue.gold_share or queue.repeat_share):
        return ahead
    whose = (annotator.pk, queue.pk)

    def checks(questions: int) -> int:
        return sum(
            due_before(kind, whose, taken + 1 + questions, share)
            - due_before(kind, whose, taken + 1, share)
            for kind, share in (("gold", queue.gold_share), ("repeat", queue.repeat_share))
        )

    length = ahead
    for _ in range(20):
        longer = ahead + checks(length)
        if longer == length:
            break
        length = longer
    return min(length, most)


def exam_slot(
    queue: Queue, annotator: Annotator, *, withheld: Sequence[str] = ()
) -> Assignment | None:
    """The next question of an exam, as long as some are wanted.

    What was skipped or put off is one of them, or people would pick those that they know.
    """
    taken = _asked_in_exam(queue, annotator)
    put_off = Exemption.objects.filter(
        annotator=annotator, task__queue=queue, why=Exemption.Why.LATER
    )
    if taken.count() + put_off.count() >= queue.exam_size:
        return None
    return gold_slot(queue, annotator, withheld=withheld)


def exam_left(queue: Queue, annotator: Annotator) -> int:
    """How many questions of an exam are still to come."""
    return max(0, queue.exam_size - _asked_in_exam(queue, annotator).count())


# A queue of training is small; of a larger one the desk says “+”.
_MOST_TRAINING = 100
_TRAINING = """
WITH near AS MATERIALIZED (
    SELECT id, gold IS NOT NULL AS is_known,
        is_withheld OR categories && %(withheld)s::varchar[] AS is_spared
    FROM annotation_task WHERE queue_id = %(queue)s
    ORDER BY ref LIMIT %(most)s + 1  -- by its index: a queue does not stand together
), ahead AS MATERIALIZED (
    SELECT is_known, EXISTS (
        SELECT FROM annotation_assignment slot
        WHERE slot.task_id = near.id AND slot.state = 'free' AND NOT EXISTS (
            SELECT FROM annotation_assignment met
            WHERE met.task_id = near.id AND met.annotator_id = %(annotator)s
                AND met.round = slot.round
        )
    ) AS is_free, NOT EXISTS (
        SELECT FROM annotation_assignment met
        WHERE met.task_id = near.id AND met.annotator_id = %(annotator)s
    ) AS is_unmet
    FROM near
    WHERE NOT is_spared AND NOT EXISTS (
        SELECT FROM annotation_exemption spared
        WHERE spared.task_id = near.id AND spared.annotator_id = %(annotator)s
    )
)
SELECT (SELECT count(*) FROM near), count(*) FILTER (WHERE is_free),
    count(*) FILTER (WHERE is_free AND NOT is_known),
    count(*) FILTER (WHERE is_known AND is_unmet AND NOT is_free)
FROM ahead
"""


def training_left(
    queue: Queue, annotator: Annotator, *, withheld: Sequence[str] = ()
) -> int | None:
    """How many questions of a training are still to come; None where that is not sure.

    A check takes the place of a question that waits. Where no place waits for all of them, it is
    not sure that each is asked, but if every question is to be a check as long as there are some.
    """
    if queue.repeat_share:
        return None
    values = {
        "queue": queue.pk,
        "annotator": annotator.pk,
        "withheld": list(withheld),
        "most": _MOST_TRAINING,
    }
    [(tasks, free, others, without_place)] = fetch(_TRAINING, values)
    if tasks > _MOST_TRAINING:
        return None
    if not without_place or not queue.gold_share:
        return int(free)
    return int(free + without_place) if queue.gold_share >= 1 and others else None


def _asked_in_exam(queue: Queue, annotator: Annotator) -> QuerySet[Assignment, Assignment]:
    return Assignment.objects.filter(annotator=annotator, queue=queue, purpose=Purpose.GOLD)


def gold_slot(
    queue: Queue, annotator: Annotator, *, withheld: Sequence[str] = ()
) -> Assignment | None:
    """A slot of their own for a question with a known answer that they have not met."""
    return _made(queue, _gold_for(queue, annotator, withheld), Purpose.GOLD, round=GOLD_ROUND)


def gold_slot_among(
    queues: Mapping[int, Queue], annotator: Annotator, tasks: QuerySet[Any, Any]
) -> Assignment | None:
    """The same for the first of these tasks that has a known answer and that they have not met."""
    met = Assignment.objects.filter(annotator=annotator, task__in=tasks)
    known = Task.objects.filter(pk__in=tasks, gold__isnull=False, is_withheld=False)
    task = known.exclude(pk__in=met.values("task")).order_by("pk").first()
    if task is None:
        return None
    return _made(queues[task.queue_id], task.pk, Purpose.GOLD, round=GOLD_ROUND)


def _gold_for(queue: Queue, annotator: Annotator, withheld: Sequence[str]) -> int | None:
    values = {
        "queue": queue.pk,
        "withheld": list(withheld),
        "annotator": annotator.pk,
        "chance": random.random(),
        "window": WINDOW,
    }
    return _first(_GOLD, values)


def _repeat_for(queue: Queue, annotator: Annotator, withheld: Sequence[str]) -> int | None:
    values = {
        "queue": queue.pk,
        "withheld": list(withheld),
        "annotator": annotator.pk,
        "between": BETWEEN,
        "window": WINDOW,
    }
    return _first(_REPEAT, values)


def _first(statement: str, values: Mapping[str, Any]) -> int | None:
    rows = fetch(statement, values)
    return rows[0][0] if rows else None


def _made(queue: Queue, task: int | None, purpose: str, *, round: int) -> Assignment | None:
    if task is None:
        return None
    # Held from the first moment, by nobody yet: it is never free.
    made = Assignment.objects.create(
        task_id=task,
        queue=queue,
        purpose=purpose,
        round=round,
        state=Assignment.State.HELD,
        held_until=timezone.now(),
        lane=-1,
    )
    made.queue = queue
    return made
