"""Weigh somebody's answers against those of others, who are themselves more or less trusted.

Everybody is weighed anew every few answers, with what is known of the others at that moment; so
what is learned of one person comes to bear on all whom they share questions with.
"""

import json
from collections import defaultdict

from django.db import connection

from annotation.evidence import (
    CHANCE,
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

FEWEST_PEOPLE = 5  # before that many nothing can be said of what is usual
EVERY = 5
LATER, LATER_EVERY = 60, 20
LAST_ANSWERS = 150

_LEVEL = """
SELECT
    count(*) FILTER (WHERE judged >= 10),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY accuracy) FILTER (WHERE judged >= 10),
    count(*) FILTER (WHERE gold >= 2),
    avg(gold_right / gold) FILTER (WHERE gold >= 2),
    count(*) FILTER (WHERE timed >= 3),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY log_seconds / greatest(timed, 1))
        FILTER (WHERE timed >= 3),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY sqrt(greatest(0,
        (log_seconds_squared - log_seconds ^ 2 / greatest(timed, 1)) / greatest(timed - 1, 1))))
        FILTER (WHERE timed >= 3)
FROM annotation_standing WHERE queue_id = %s AND left_out_at IS NULL
"""
_OTHERS = """
WITH mine AS (
    SELECT slot.id, slot.task_id FROM annotation_assignment slot
    WHERE slot.annotator_id = %(annotator)s AND slot.queue_id = %(queue)s
        AND slot.state = 'answered' AND slot.purpose = 'answer'
        AND (%(since)s::timestamptz IS NULL OR slot.closed_at > %(since)s)
    ORDER BY slot.closed_at DESC LIMIT %(number)s
)
SELECT mine.task_id, said.answer, theirs.answer, standing.suspicion,
    standing.left_out_at IS NOT NULL
FROM mine
JOIN annotation_task task ON task.id = mine.task_id AND task.gold IS NULL
JOIN annotation_annotation said ON said.assignment_id = mine.id
JOIN annotation_assignment other ON other.task_id = mine.task_id
    AND other.annotator_id <> %(annotator)s AND other.state = 'answered'
    AND other.purpose IN ('answer', 'import')
JOIN annotation_annotation theirs ON theirs.assignment_id = other.id
LEFT JOIN annotation_standing standing ON standing.annotator_id = other.annotator_id
    AND standing.queue_id = %(queue)s
WHERE NOT EXISTS (SELECT FROM annotation_annotation newer WHERE newer.supersedes_id = said.id)
    AND NOT EXISTS (SELECT FROM annotation_annotation newer WHERE newer.supersedes_id = theirs.id)
"""


def is_due(standing: Standing) -> bool:
    """Often in the beginning, when most is to be learned; seldom later."""
    return standing.answers % (EVERY if standing.answers < LATER else LATER_EVERY) == 0


def weigh(standing: Standing) -> None:
    """Fill in what the queue's level is, and what others' answers say. The caller saves it."""
    level = level_of(standing.queue_id)
    standing.level = level.record()
    values = {
        "annotator": standing.annotator_id,
        "queue": standing.queue_id,
        "since": standing.since,
        "number": LAST_ANSWERS,
    }
    others: defaultdict[int, list[tuple[float, float]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_OTHERS, values)
        for task, said, theirs, suspicion, is_left_out in cursor.fetchall():
            alike = likeness(json.loads(said), json.loads(theirs))
            if alike is not None:
                known = CHANCE if is_left_out else accuracy_of(suspicion or 0.0, level)
                others[task].append((alike, known))
    questions = [weighed(found) for found in others.values()]
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


def level_of(queue_id: int) -> Level:
    """What is usual in a queue, among all whose answers count."""
    with connection.cursor() as cursor:
        cursor.execute(_LEVEL, [queue_id])
        judged, accuracy, checked, gold, timed, pace, spread = cursor.fetchone()
    return Level(
        accuracy=accuracy if judged >= FEWEST_PEOPLE else None,
        gold=gold if checked >= FEWEST_PEOPLE else None,
        log_seconds=pace if timed >= FEWEST_PEOPLE else None,
        spread=spread if timed >= FEWEST_PEOPLE else None,
    )
