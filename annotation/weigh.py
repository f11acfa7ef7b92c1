"""Weigh somebody's answers against those of others, who are themselves more or less trusted.

Everybody is weighed anew every few answers, with what is known of the others at that moment; so
what is learned of one person comes to bear on all whom they share questions with.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from annotation.evidence import (
    Level,
    accuracy_of,
    accuracy_seen,
    of_checks,
    of_gold,
    of_others,
    weighed,
)
from annotation.likeness import likeness
from annotation.models import Standing
from truing.prepared import fetch

FEWEST_PEOPLE = 5  # before that many nothing can be said of what is usual
EVERY = 5
LATER, LATER_EVERY = 60, 20
LAST_ANSWERS = 100
# Of those who answered the same question so many are asked: more of them hardly change what the
# truth is taken to be, and a question asked of everybody would cost more with each answer.
MOST_OTHERS = 5

# Whether somebody is weighed with their next answer in a queue: often in the beginning, when most
# is to be learned; seldom later.
DUE = f"""
    SELECT (answers + 1) %% CASE WHEN answers < {LATER} THEN {EVERY} ELSE {LATER_EVERY} END = 0
    FROM annotation_standing WHERE annotator_id = %(annotator)s AND queue_id = {{queue}}
"""

LEVEL = """
    SELECT
        count(*) FILTER (WHERE judged >= 10) AS judged,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY accuracy) FILTER (WHERE judged >= 10)
            AS accuracy,
        count(*) FILTER (WHERE gold >= 2) AS checked,
        avg(gold_right / gold) FILTER (WHERE gold >= 2) AS gold,
        count(*) FILTER (WHERE timed >= 3) AS timed,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY log_seconds / greatest(timed, 1))
            FILTER (WHERE timed >= 3) AS log_seconds,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY sqrt(greatest(0,
            (log_seconds_squared - log_seconds ^ 2 / greatest(timed, 1)) / greatest(timed - 1, 1))))
            FILTER (WHERE timed >= 3) AS spread
    FROM annotation_standing WHERE queue_id = %(queue)s AND left_out_at IS NULL
"""
# What an answered slot says now; a chat says something each turn.
CURRENT = """
    SELECT id, answer FROM annotation_annotation given
    WHERE assignment_id = {slot}.id AND NOT EXISTS (
        SELECT FROM annotation_annotation newer
        WHERE newer.assignment_id = {slot}.id AND newer.supersedes_id = given.id
    ) OFFSET 0
"""
# From each answer of theirs to a few on the same question (hence OFFSET and LIMIT): read from the
# other end, this goes through all answers that there are. `standing` is theirs.
OTHERS = f"""
    SELECT mine.task_id AS task, said.answer AS said, theirs.answer AS theirs, known.suspicion
    FROM (
        SELECT slot.id, slot.task_id FROM annotation_assignment slot
        WHERE slot.annotator_id = %(annotator)s AND slot.queue_id = %(queue)s
            AND slot.state = 'answered' AND slot.purpose = 'answer'
            AND slot.closed_at > coalesce((SELECT since FROM standing), '-infinity')
        ORDER BY slot.closed_at DESC LIMIT {LAST_ANSWERS}
    ) mine
    CROSS JOIN LATERAL (
        SELECT FROM annotation_task WHERE id = mine.task_id AND gold IS NULL OFFSET 0
    ) task
    CROSS JOIN LATERAL ({CURRENT.format(slot="mine")}) said
    CROSS JOIN LATERAL (
        SELECT slot.id, slot.annotator_id FROM annotation_assignment slot
        WHERE slot.task_id = mine.task_id AND slot.annotator_id <> %(annotator)s
            AND slot.state = 'answered' AND slot.purpose IN ('answer', 'import')
            -- Of who is left out nothing is learned.
            AND NOT EXISTS (
                SELECT FROM annotation_standing gone
                WHERE gone.annotator_id = slot.annotator_id AND gone.queue_id = %(queue)s
                    AND gone.left_out_at IS NOT NULL
            )
        LIMIT {MOST_OTHERS}
    ) other
    CROSS JOIN LATERAL ({CURRENT.format(slot="other")}) theirs
    LEFT JOIN annotation_standing known ON known.annotator_id = other.annotator_id
        AND known.queue_id = %(queue)s
"""


def is_due(annotator: int, queue: int) -> bool:
    """Whether somebody is weighed with their next answer."""
    found = fetch(DUE.format(queue="%(queue)s"), {"annotator": annotator, "queue": queue})
    return bool(found and found[0][0])


def weigh(standing: Standing, level: Level, others: Iterable[Mapping[str, Any]]) -> None:
    """Fill in the queue's level, and what others' answers say. The caller saves it."""
    standing.level = level.record()
    by_task: defaultdict[int, list[tuple[float, float]]] = defaultdict(list)
    for one in others:
        alike = likeness(one["said"], one["theirs"])
        if alike is not None:
            by_task[one["task"]].append((alike, accuracy_of(one["suspicion"] or 0.0, level)))
    questions = [weighed(found) for found in by_task.values()]
    standing.judged = len(questions)
    standing.accuracy = accuracy_seen(questions)
    standing.of_others = of_others(questions, level)
    standing.suspicion = suspicion_of(standing, level)


def suspicion_of(standing: Standing, level: Level) -> float:
    """All that speaks for carelessness: others, known answers and checks."""
    seen = standing.figures()
    return (
        standing.of_others
        + of_gold(seen.gold_right, seen.gold - seen.gold_right, level)
        + of_checks(seen.checks - seen.checks_failed, seen.checks_failed)
    )


def level_of(seen: Mapping[str, Any]) -> Level:
    """What is usual in a queue, among all whose answers count; nothing where they are few."""

    def known(name: str, people: str) -> float | None:
        return seen[name] if seen[people] >= FEWEST_PEOPLE else None

    return Level(
        accuracy=known("accuracy", "judged"),
        gold=known("gold", "checked"),
        log_seconds=known("log_seconds", "timed"),
        spread=known("spread", "timed"),
    )
