"""Look at an answer as it comes in: what it says of how carefully its annotator works.

It happens in the answer's own transaction and costs two statements: one reads all that is needed,
one writes the counters. Only every few answers somebody is weighed anew against the others, and
that is a third.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import log
from typing import Any

from django.db import connection

from annotation.enforce import ask_in_place, enforce
from annotation.evidence import Level, of_pace, of_side
from annotation.likeness import likeness, preferences
from annotation.models import Annotation, Annotator, Assignment, Rule, Standing
from annotation.weigh import CURRENT, LEVEL, MOST_OTHERS, OTHERS, level_of, suspicion_of, weigh
from truing.prepared import fetch, run

Purpose = Assignment.Purpose
Answer = dict[str, Any]
# What a correction may change.
RECOUNTED = (
    "gold", "gold_right", "checks", "checks_failed", "compared", "agreed", "repeats", "consistent",
    "lefts", "rights", "longer", "shorter", "triads", "circles",
)  # fmt: skip
SHORTEST = 0.1  # seconds: nobody is faster, and a logarithm needs something to stand on

# A standing is made with the first answer.
_READ = f"""
WITH kept AS (
    SELECT * FROM annotation_standing
    WHERE annotator_id = %(annotator)s AND queue_id = %(queue)s FOR UPDATE
), made AS (
    INSERT INTO annotation_standing (annotator_id, queue_id)
    SELECT %(annotator)s, %(queue)s WHERE NOT EXISTS (SELECT FROM kept) RETURNING *
), standing AS (
    SELECT * FROM kept UNION ALL SELECT * FROM made
)
SELECT
    (SELECT row_to_json(standing) FROM standing),
    (SELECT json_build_array(gold, is_check) FROM annotation_task WHERE id = %(task)s),
    (SELECT json_agg(json_build_array(place.ref, place.output_id, octet_length(output.text))
            ORDER BY place.position)
        FROM annotation_taskoutput place JOIN annotation_output output
            ON output.id = place.output_id
        WHERE place.task_id = %(task)s),
    (SELECT json_agg(json_build_array(slot.annotator_id, slot.purpose, said.answer)
            ORDER BY said.id)
        FROM (SELECT id, annotator_id, purpose FROM annotation_assignment
            WHERE task_id = %(task)s AND id <> %(slot)s AND state = 'answered'
                AND (purpose IN ('answer', 'import') OR annotator_id = %(annotator)s)
            -- One's own first: what is asked again is held against it.
            ORDER BY annotator_id = %(annotator)s DESC, id LIMIT {MOST_OTHERS}) slot
        CROSS JOIN LATERAL ({CURRENT.format(slot="slot")}) said),
    (SELECT json_agg(json_build_array(said.answer, (
            SELECT json_object_agg(place.ref, place.output_id) FROM annotation_taskoutput place
            WHERE place.task_id = near.id)))
        FROM (SELECT id FROM annotation_task
            WHERE prompt_id = %(prompt)s AND queue_id = %(queue)s AND id <> %(task)s LIMIT 20) near
        -- From these tasks to the slots, never from all slots of theirs (hence the OFFSET).
        CROSS JOIN LATERAL (
            SELECT id FROM annotation_assignment
            WHERE task_id = near.id AND annotator_id = %(annotator)s AND state = 'answered'
            OFFSET 0
        ) slot
        CROSS JOIN LATERAL ({CURRENT.format(slot="slot")}) said),
    (SELECT json_agg(rule ORDER BY rule.id) FROM annotation_rule rule
        WHERE rule.is_on AND (rule.queue_id = %(queue)s
            OR rule.queue_id IS NULL AND rule.project_id = %(project)s))
"""
# Read only when somebody is weighed, and planned each time: how much there is decides how.
_READ_TO_WEIGH = f"""{_READ},
    (SELECT row_to_json(level) FROM ({LEVEL}) level),
    (SELECT json_agg(found) FROM ({OTHERS}) found)
"""


@dataclass
class Seen:
    """What stands around an answer."""

    standing: Standing
    gold: Answer | None
    is_check: bool
    outputs: list[tuple[str, int, int]]  # ref, key and length of each
    others: list[tuple[int, str, Answer]]  # whose, why it was asked, and what was said
    near: list[tuple[Answer, dict[str, int]]]  # one's own answers about the same prompt
    rules: list[Rule]
    level: dict[str, Any] | None = None  # where they are to be weighed
    weighed_by: list[dict[str, Any]] = field(default_factory=list)


def observe(given: Annotation, who: Annotator, *, weighs: bool) -> None:
    """Count what an answer says of its annotator, and let the rules look at them.

    `weighs` says whether they are weighed with this answer, as `is_due` said before it.
    """
    slot = given.assignment
    if slot.annotator_id is None or slot.purpose in (Purpose.IMPORT, Purpose.ADJUDICATION):
        return
    seen = _read(slot, to_weigh=weighs)
    standing = seen.standing
    standing.answers += 1
    standing.skips_in_row = 0
    level = Level(**standing.level)
    _time(standing, given.seconds, level)
    _count(standing, given, seen)
    if seen.level:
        weigh(standing, level_of(seen.level), seen.weighed_by)
    else:
        standing.suspicion = suspicion_of(standing, level)
    _write(standing)
    if enforce(standing, seen.rules):
        who.refresh_from_db()
    if standing.left_out_at and slot.purpose == Purpose.ANSWER:
        ask_in_place(standing, slot.task_id)


def observe_correction(before: Annotation, given: Annotation, who: Annotator) -> None:
    """Count what an answer says now instead of what it said before.

    Its time was that of the first answer. Side and pace are tests of answers in their order, which
    nobody goes back in. Where the known answer is shown, the first answer counts: the second one
    knows it.
    """
    slot = given.assignment
    if slot.annotator_id is None or slot.purpose in (Purpose.IMPORT, Purpose.ADJUDICATION):
        return
    if slot.queue.is_training and slot.task.gold is not None:
        return
    seen = _read(slot)
    standing = seen.standing
    if not standing.answers:
        return  # it came with a file
    was, now = Standing(queue=slot.queue), Standing(queue=slot.queue)
    _count(was, before, seen)
    _count(now, given, seen)
    for name in RECOUNTED:
        moved = getattr(now, name) - getattr(was, name)
        setattr(standing, name, max(0, getattr(standing, name) + moved))
    standing.suspicion = suspicion_of(standing, Level(**standing.level))
    standing.save()
    if enforce(standing, seen.rules):
        who.refresh_from_db()


def observe_skip(slot: Assignment, who: Annotator) -> None:
    """Count a skip."""
    if slot.annotator_id is None:
        return
    seen = _read(slot)
    seen.standing.skips += 1
    seen.standing.skips_in_row += 1
    seen.standing.save(update_fields=["skips", "skips_in_row"])
    if enforce(seen.standing, seen.rules):
        who.refresh_from_db()


def _count(standing: Standing, given: Annotation, seen: Seen) -> None:
    slot = given.assignment
    comparison = slot.queue.task_type.comparison(given.answer, slot.queue.type_options)
    _sides(standing, comparison, given.shown)
    _lengths(standing, comparison, seen.outputs)
    if slot.purpose != Purpose.REPEAT:
        _circles(standing, comparison, seen)
    _likeness(standing, slot, given.answer, seen)


def _read(slot: Assignment, *, to_weigh: bool = False) -> Seen:
    values = {
        "annotator": slot.annotator_id,
        "queue": slot.queue_id,
        "task": slot.task_id,
        "slot": slot.pk,
        "prompt": slot.task.prompt_id,
        "project": slot.queue.project_id,
    }
    if to_weigh:
        with connection.cursor() as cursor:
            cursor.execute(_READ_TO_WEIGH, values)
            row = cursor.fetchone()
    else:
        row = (*fetch(_READ, values)[0], None, None)
    read = [json.loads(one) if isinstance(one, str) else one for one in row]
    standing, (gold, is_check), outputs, others, near, rules, level, weighed_by = read
    found: Standing = _row(Standing, standing)
    found.queue = slot.queue
    return Seen(
        standing=found,
        gold=gold,
        is_check=is_check,
        outputs=[(ref, key, length) for ref, key, length in outputs or []],
        others=[(who, purpose, said) for who, purpose, said in others or []],
        near=[(said, places) for said, places in near or [] if places],
        rules=[_row(Rule, rule) for rule in rules or []],
        level=level,
        weighed_by=weighed_by or [],
    )


def _row(model: Any, values: Mapping[str, Any]) -> Any:
    """A row of this table, from its JSON."""
    fields = {one.column: one for one in model._meta.concrete_fields}
    return model.from_db(
        connection.alias,
        [one.attname for one in fields.values()],
        [one.to_python(values[column]) for column, one in fields.items()],
    )


# All that an answer moves on. The rest is written by whoever decides it.
_MOVED = [
    str(one.column)
    for one in Standing._meta.concrete_fields
    if one.name not in ("id", "annotator", "queue", "since", "before", "left_out_at")
]
_WRITE = "UPDATE annotation_standing SET {} WHERE id = %(id)s".format(
    ", ".join(f"{column} = %({column})s" for column in _MOVED)
)


def _write(standing: Standing) -> None:
    values = {column: getattr(standing, column) for column in _MOVED}
    run(_WRITE, {**values, "level": json.dumps(standing.level), "id": standing.pk})


def _time(standing: Standing, seconds: float | None, level: Level) -> None:
    if seconds is None:
        return
    standing.timed += 1
    logarithm = log(max(SHORTEST, seconds))
    standing.log_seconds += logarithm
    standing.log_seconds_squared += logarithm**2
    standing.haste = max(0.0, standing.haste + of_pace(seconds, level))


def _sides(standing: Standing, answer: Answer, shown: list[str]) -> None:
    """Whether what was shown first, or last, is better than all others."""
    tiers = answer.get("tiers") or []
    if len(tiers) < 2 or len(shown) < 2:
        return
    is_left, is_right = tiers[0] == [shown[0]], tiers[0] == [shown[-1]]
    standing.lefts += is_left
    standing.rights += is_right
    standing.leaning_left = max(0.0, standing.leaning_left + of_side(is_left))
    standing.leaning_right = max(0.0, standing.leaning_right + of_side(is_right))


def _lengths(standing: Standing, answer: Answer, outputs: list[tuple[str, int, int]]) -> None:
    length = {ref: size for ref, _, size in outputs}
    for (one, other), better in preferences(answer).items():
        if better and one in length and other in length and length[one] != length[other]:
            is_longer = (length[one] > length[other]) == (better > 0)
            standing.longer += is_longer
            standing.shorter += not is_longer


def _circles(standing: Standing, answer: Answer, seen: Seen) -> None:
    """Each three outputs that are compared two by two, of which this answer compares two."""
    key = {ref: output for ref, output, _ in seen.outputs}
    earlier = dict(_said_of(seen.near))
    for (one, other), better in preferences(answer).items():
        first, second = key.get(one), key.get(other)
        if not better or first is None or second is None:
            continue
        for third in {output for pair in earlier for output in pair} - {first, second}:
            onward, back = earlier.get((second, third)), earlier.get((third, first))
            if onward and back:
                standing.triads += 1
                standing.circles += better == onward == back


def _said_of(near: list[tuple[Answer, dict[str, int]]]) -> Iterator[tuple[tuple[int, int], int]]:
    for answer, key in near:
        for (one, other), better in preferences(answer).items():
            if one in key and other in key:
                yield (key[one], key[other]), better
                yield (key[other], key[one]), -better


def _likeness(standing: Standing, slot: Assignment, answer: Answer, seen: Seen) -> None:
    """How far it agrees with the known answer, with oneself, or with others."""
    if slot.purpose == Purpose.REPEAT:
        own = [said for who, _, said in seen.others if who == slot.annotator_id]
        alike = likeness(answer, own[-1]) if own else None
        if alike is not None:
            standing.repeats += 1
            standing.consistent += alike
        return
    if seen.gold is not None:
        alike = likeness(answer, seen.gold)
        if alike is not None and seen.is_check:
            standing.checks += 1
            standing.checks_failed += alike < 1
        elif alike is not None:
            standing.gold += 1
            standing.gold_right += alike
        return
    for who, purpose, said in seen.others:
        if who == slot.annotator_id or purpose not in (Purpose.ANSWER, Purpose.IMPORT):
            continue
        alike = likeness(answer, said)
        if alike is not None:
            standing.compared += 1
            standing.agreed += alike
