"""Find the slot that somebody is given next, lock it, and read what it asks, in one statement.

What it reads does not grow with the queue. It starts at the person's bookmark in each lane and
looks at no more than two windows of free slots; of these, those that the person has met are left
out.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from annotation.lanes import RANDOM_LANES, lanes_of
from annotation.models import (
    Annotator,
    Assignment,
    Guideline,
    Output,
    Prompt,
    Queue,
    Task,
    TaskOutput,
)
from annotation.models.queue import HIGHEST_PRIORITY, MAIN_LANE
from annotation.rows import columns, made
from annotation.withhold import is_withheld_late
from truing.prepared import fetch

WINDOW = 24
AHEAD = 12  # so many slots are looked at that lie ahead
LAST_LANE = 32_767
MARK = "\x1f"  # between categories; none has it


@dataclass(frozen=True, slots=True)
class Stretch:
    """Free slots of a queue, from just behind (lane, after) to the end of the last lane."""

    queue: int
    lane: int
    after: int
    last_lane: int


@dataclass
class OpenQueue:
    """A queue that is open to somebody, and how far they have come in it."""

    queue: Queue
    positions: dict[str, int]
    floor: dict[str, int]
    has_bookmark: bool
    has_lapsed: bool
    answers_today: int
    withheld: tuple[str, ...] = ()  # sensitive categories that they are not given here now
    taken: int = 0
    swept: tuple[int, int] = (-1, 0)
    swept_at: datetime | None = None

    def stretches(self, chance: int) -> list[Stretch]:
        """Where to look, in order; at random it begins anywhere and goes round."""
        pk = self.queue.pk
        if lanes := lanes_of(self.queue):
            return [Stretch(pk, lane, self.after(lane), lane) for lane in lanes]
        return [
            Stretch(pk, chance, 0, LAST_LANE),
            Stretch(pk, -1, 0, min(chance, RANDOM_LANES)),
        ]

    def after(self, lane: int) -> int:
        name = str(lane)
        return max(self.positions.get(name, 0), self.floor.get(name, 0))

    def withholds(self, task: Task) -> bool:
        """Whether they are not given this task just now, for care."""
        return not set(self.withheld).isdisjoint(task.categories)

    @property
    def is_capped(self) -> bool:
        """They have given as many answers today as the queue takes of a person."""
        cap = self.queue.daily_cap
        return cap is not None and self.answers_today >= cap


@dataclass
class Picked:
    """A locked slot with all that is shown of it."""

    slot: Assignment
    draft: dict[str, Any] | None
    ahead: int
    is_more: bool = False  # than those that are counted: each task has as many slots as it wants
    stretch: Stretch | None = None


# What somebody has met, or is not asked. A slot of another round is another question. A task is
# looked up only where something is withheld from them: they did not choose to see it, or have
# seen enough of it today.
UNMET = """
NOT EXISTS (
    SELECT FROM annotation_assignment met
    WHERE met.task_id = {slot}.task_id AND met.annotator_id = %(annotator)s
        AND met.round = {slot}.round
) AND NOT EXISTS (
    SELECT FROM annotation_exemption spared
    WHERE spared.task_id = {slot}.task_id AND spared.annotator_id = %(annotator)s
) AND NOT EXISTS (
    SELECT FROM unnest(%(careful_in)s::bigint[], %(withheld)s::text[]) AS care(queue_id, categories)
    JOIN annotation_task sensitive ON sensitive.id = {slot}.task_id
    WHERE care.queue_id = {slot}.queue_id
        AND sensitive.categories && string_to_array(care.categories, '{mark}')::varchar[]
)
"""

OPEN_QUEUES = """
SELECT {queue},
    coalesce(own.positions, (
        -- Who comes without a bookmark goes on behind what they have met.
        SELECT jsonb_object_agg(lane, (
            SELECT max(met.id) FROM annotation_assignment met
            WHERE met.annotator_id = %(annotator)s AND met.queue_id = queue.id
                AND met.lane = lanes.lane
        )) FROM generate_series(0, {last}) AS lanes(lane) WHERE own.id IS NULL
    )),
    floor.positions,
    own.id IS NOT NULL,
    EXISTS (
        SELECT FROM annotation_assignment held
        WHERE held.queue_id = queue.id AND held.state = 'held' AND held.purpose = 'answer'
            AND held.held_until <= %(now)s
    ),
    CASE WHEN own.day = %(today)s THEN own.answers_that_day ELSE 0 END,
    ARRAY(
        SELECT category FROM unnest(queue.sensitive) AS category
        WHERE %(sensitive_today)s >= queue.sensitive_cap OR category = ANY(queue.harmful)
            AND NOT EXISTS (
                SELECT FROM annotation_grant
                WHERE annotator_id = %(annotator)s AND taken_at IS NULL
                    AND skill = 'consent:' || category
            )
    ),
    coalesce(own.taken, 0), own.swept_lane, own.swept_slot, own.swept_at
FROM annotation_queue queue
LEFT JOIN annotation_bookmark own
    ON own.queue_id = queue.id AND own.annotator_id = %(annotator)s
LEFT JOIN annotation_bookmark floor
    ON floor.queue_id = queue.id AND floor.annotator_id IS NULL
WHERE queue.project_id = %(project)s AND queue.state = 'open' AND (
    queue.skills = '{{}}' OR queue.skills <@ (
        SELECT coalesce(array_agg(skill), '{{}}') FROM annotation_grant
        WHERE annotator_id = %(annotator)s AND taken_at IS NULL
    )
) AND (
    queue.exam_skill = '' OR NOT EXISTS (
        SELECT FROM annotation_grant
        WHERE annotator_id = %(annotator)s AND skill = queue.exam_skill
    )
)
ORDER BY queue.id
"""

# People who ask at once lock different rows, so nobody waits and no slot is given twice.
PICK = """
WITH own AS MATERIALIZED (
    -- Their own comes back first, also when the hold has run out: the draft is there. It is
    -- waited for: their page may say at this moment that it is open, or speak in a chat.
    SELECT id, NULL::bigint AS stretch FROM annotation_assignment
    WHERE annotator_id = %(annotator)s AND state = 'held' AND queue_id = ANY(%(queues)s::bigint[])
    ORDER BY taken_at LIMIT 1 FOR NO KEY UPDATE
), lapsed AS MATERIALIZED (
    SELECT slot.id, NULL::bigint AS stretch FROM annotation_assignment slot
    WHERE NOT EXISTS (SELECT FROM own)
        AND slot.queue_id = ANY(%(lapsed)s::bigint[]) AND slot.state = 'held'
        AND slot.purpose = 'answer' AND slot.held_until <= %(now)s AND {slot_unmet}
        AND NOT (SELECT is_withheld FROM annotation_task WHERE id = slot.task_id)
    ORDER BY slot.held_until LIMIT 1 FOR NO KEY UPDATE OF slot SKIP LOCKED
), free AS MATERIALIZED (
    SELECT found.id, stretch.place AS stretch
    FROM unnest(%(in)s::bigint[], %(lane)s::int[], %(after)s::bigint[], %(last_lane)s::int[])
        WITH ORDINALITY AS stretch(queue_id, lane, after, last_lane, place)
    CROSS JOIN LATERAL (
        SELECT slot.id FROM (
            SELECT near.id, near.lane FROM (
                SELECT ahead.id, ahead.lane, ahead.queue_id, ahead.task_id, ahead.round
                FROM annotation_assignment ahead
                WHERE ahead.state = 'free' AND ahead.queue_id = stretch.queue_id
                    AND (ahead.lane, ahead.id) > (stretch.lane, stretch.after)
                    AND ahead.lane <= stretch.last_lane
                ORDER BY ahead.lane, ahead.id LIMIT %(window)s
            ) near
            WHERE {near_unmet}
            -- Only one that they have not met is looked up to be locked (hence the OFFSET).
            ORDER BY near.lane, near.id OFFSET 0
        ) near
        JOIN annotation_assignment slot ON slot.id = near.id AND slot.state = 'free'
        ORDER BY near.lane, near.id LIMIT 1 FOR NO KEY UPDATE OF slot SKIP LOCKED
    ) found
    WHERE NOT EXISTS (SELECT FROM own) AND NOT EXISTS (SELECT FROM lapsed)
    LIMIT 1
), picked AS (TABLE own UNION ALL TABLE lapsed UNION ALL TABLE free LIMIT 1)
"""
ASKED = """
SELECT {slot}, {task}, prompt.messages, prompt.language, guideline.number, guideline.text,
    guideline.id, draft.content, (
        SELECT json_agg(json_build_array(place.position, place.ref, output.text, output.source)
            ORDER BY place.position)
        FROM annotation_taskoutput place
        JOIN annotation_output output ON output.id = place.output_id
        WHERE place.task_id = slot.task_id
    ), picked.stretch, (
        WITH near AS MATERIALIZED (
            SELECT ahead.id, ahead.queue_id, ahead.task_id, ahead.round
            FROM annotation_assignment ahead
            WHERE ahead.state = 'free' AND ahead.queue_id = slot.queue_id
                AND (ahead.lane, ahead.id) > (slot.lane, slot.id) AND ahead.task_id <> slot.task_id
            ORDER BY ahead.lane, ahead.id LIMIT {ahead}
        )
        SELECT ARRAY[
            (SELECT count(DISTINCT near.task_id) FROM near WHERE {near_unmet}),
            (SELECT count(*) FROM near)
        ]
    )
FROM picked
JOIN annotation_assignment slot ON slot.id = picked.id
JOIN annotation_task task ON task.id = slot.task_id
LEFT JOIN annotation_prompt prompt ON prompt.id = task.prompt_id
LEFT JOIN annotation_draft draft
    ON draft.task_id = slot.task_id AND draft.annotator_id = %(annotator)s
LEFT JOIN LATERAL (
    -- The instructions when it was taken; those in force where it is taken now.
    SELECT id, number, text FROM annotation_guideline
    WHERE CASE WHEN slot.annotator_id = %(annotator)s
        THEN id = slot.guideline_id ELSE queue_id = slot.queue_id END
    ORDER BY number DESC LIMIT 1
) guideline ON true
"""


def open_queues(annotator: Annotator, now: datetime) -> list[OpenQueue]:
    """The queues that are open to this person, the oldest first."""
    values = {
        "annotator": annotator.pk,
        "project": annotator.project_id,
        "now": now,
        "today": now.date(),
        "sensitive_today": sensitive_today(annotator, now),
    }
    found = []
    for row in fetch(_OPEN_QUEUES, values):
        queue, rest = made(Queue, row[:_QUEUE]), row[_QUEUE:]
        positions, floor, has_bookmark, has_lapsed, answers_today, withheld, taken, *swept = rest
        found.append(
            OpenQueue(
                queue,
                _positions(positions),
                _positions(floor),
                has_bookmark,
                has_lapsed,
                answers_today,
                tuple(withheld),
                taken,
                (-1, 0) if swept[0] is None else (swept[0], swept[1]),
                swept[2],
            )
        )
    return found


def pick(
    annotator: Annotator,
    queues: Sequence[OpenQueue],
    stretches: Sequence[Stretch],
    now: datetime,
) -> Picked | None:
    """What this person holds in these queues, or a slot that they may be given; locked."""
    values = {
        "annotator": annotator.pk,
        **withheld_in(queues),
        "now": now,
        "queues": [one.queue.pk for one in queues],
        "lapsed": [one.queue.pk for one in queues if one.has_lapsed and not one.is_capped],
        "in": [stretch.queue for stretch in stretches],
        "lane": [stretch.lane for stretch in stretches],
        "after": [stretch.after for stretch in stretches],
        "last_lane": [stretch.last_lane for stretch in stretches],
        "window": _window(stretches),
    }
    while rows := fetch(_PICK, values):
        picked = _read(rows[0], {one.queue.pk: one.queue for one in queues})
        place = rows[0][-2]
        picked.stretch = stretches[place - 1] if place else None
        if not is_withheld_late(picked.slot):
            return picked
    return None


def _window(stretches: Sequence[Stretch]) -> int:
    """So many slots of each: together no more than two lanes would show, at random half of that.

    Of one alone as many as `walk` looks at: what that has seen must be found.
    """
    if len(stretches) > 1 and any(stretch.lane != stretch.last_lane for stretch in stretches):
        return WINDOW // 2
    return min(WINDOW, max(2, 2 * WINDOW // max(1, len(stretches))))


def withheld_in(queues: Sequence[OpenQueue]) -> dict[str, Any]:
    """What a statement has to know of care."""
    careful = [one for one in queues if one.withheld]
    return {
        "careful_in": [one.queue.pk for one in careful],
        "withheld": [MARK.join(one.withheld) for one in careful],
    }


def sensitive_today(annotator: Annotator, now: datetime) -> int:
    """How many sensitive questions they have been given today."""
    return annotator.sensitive_that_day if annotator.sensitive_day == now.date() else 0


def read_slot(slot: Assignment, annotator: Annotator) -> Picked:
    """What a slot asks, that is there already."""
    [row] = fetch(_READ, {"annotator": annotator.pk, "slot": slot.pk, **withheld_in(())})
    return _read(row, {slot.queue_id: slot.queue})


def walk(annotator: Annotator, queue: OpenQueue, stretch: Stretch) -> tuple[int, int, int, bool]:
    """How many slots the window of a stretch holds, where it ends, and whether one is unmet."""
    values = {
        "annotator": annotator.pk,
        **withheld_in([queue]),
        "in": stretch.queue,
        "lane": stretch.lane,
        "after": stretch.after,
        "last_lane": stretch.last_lane,
    }
    [row] = fetch(_WALK, values)
    return row[0], row[1], row[2], row[3]


_WALK = f"""
WITH near AS MATERIALIZED (
    SELECT ahead.id, ahead.lane, ahead.queue_id, ahead.task_id, ahead.round
    FROM annotation_assignment ahead
    WHERE ahead.state = 'free' AND ahead.queue_id = %(in)s
        AND (ahead.lane, ahead.id) > (%(lane)s::int, %(after)s::bigint)
        AND ahead.lane <= %(last_lane)s::int
    ORDER BY ahead.lane, ahead.id LIMIT {WINDOW}
), last AS (SELECT lane, id FROM near ORDER BY lane DESC, id DESC LIMIT 1)
SELECT (SELECT count(*) FROM near), (SELECT lane FROM last), (SELECT id FROM last),
    EXISTS (SELECT FROM near WHERE {UNMET.format(slot="near", mark=MARK)})
"""
_OPEN_QUEUES = OPEN_QUEUES.format(queue=columns(Queue, "queue"), last=MAIN_LANE + HIGHEST_PRIORITY)
_ASKED = ASKED.format(
    slot=columns(Assignment, "slot"),
    task=columns(Task, "task"),
    ahead=AHEAD,
    near_unmet=UNMET.format(slot="near", mark=MARK),
)
_PICK = (
    PICK.format(
        slot_unmet=UNMET.format(slot="slot", mark=MARK),
        near_unmet=UNMET.format(slot="near", mark=MARK),
    )
    + _ASKED
)
_READ = "WITH picked AS (SELECT %(slot)s::bigint AS id, NULL::bigint AS stretch)" + _ASKED
_QUEUE = len(Queue._meta.concrete_fields)
_SLOT = len(Assignment._meta.concrete_fields)
_TASK = _SLOT + len(Task._meta.concrete_fields)


def _read(row: tuple[Any, ...], queues: dict[int, Queue]) -> Picked:
    slot: Assignment = made(Assignment, row[:_SLOT])
    task: Task = made(Task, row[_SLOT:_TASK])
    messages, language, number, text, guideline, draft, outputs, _, ahead = row[_TASK:]
    slot.task, slot.queue, task.queue = task, queues[slot.queue_id], queues[slot.queue_id]
    if task.prompt_id:
        names = ["id", "messages", "language"]
        values = [task.prompt_id, json.loads(messages), language]
        task.prompt = Prompt.from_db(connection.alias, names, values)
    if guideline:
        slot.guideline = Guideline(guideline, slot.queue_id, number, text)
    places = [
        TaskOutput(task=task, position=position, ref=ref, output=Output(text=said, source=source))
        for position, ref, said, source in (outputs or [])
    ]
    # As after `prefetch_related`, so that nobody asks for them again.
    known: Any = task.task_outputs.all()
    known._result_cache = places
    prefetched: Any = task
    prefetched._prefetched_objects_cache = {"task_outputs": known}
    content = json.loads(draft) if draft else None
    tasks, slots = ahead
    return Picked(slot, content, tasks, is_more=slots == AHEAD)


def _positions(text: str | None) -> dict[str, int]:
    return {lane: slot for lane, slot in json.loads(text or "{}").items() if slot}
