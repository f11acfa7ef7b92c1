"""Decide what an annotator is asked next, and hold it for them."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, When
from django.utils import timezone

from annotation.balance import balanced
from annotation.bookmark import is_far, move, remember_sweep
from annotation.categorise import begin_anew
from annotation.enter import enter
from annotation.lanes import RANDOM_LANES
from annotation.mix_in import (
    ahead_with_checks,
    exam_left,
    exam_slot,
    gold_slot_among,
    mixed_in,
    training_left,
)
from annotation.models import Annotator, Assignment, Bookmark, Exemption, Queue
from annotation.pick import (
    AHEAD,
    LAST_LANE,
    WINDOW,
    OpenQueue,
    Picked,
    Stretch,
    open_queues,
    pick,
    read_slot,
    sensitive_today,
    walk,
)
from truing.models import Project, User
from truing.prepared import fetch, run

# The page says every minute that it is open; without it the slot is free a little later.
HOLD = timedelta(minutes=5)
# Somebody who has met very much is looked for over several requests, none of them long.
MOST_WINDOWS = 60
SWEEP_EVERY = timedelta(minutes=10)


@dataclass
class Desk:
    """What somebody finds at their desk."""

    annotator: Annotator
    assignment: Assignment | None = None
    queues: list[Queue] = field(default_factory=list)  # open to them
    chosen: Queue | None = None
    today: int = 0
    ahead: int = 0
    is_more: bool = False  # than those that were counted ahead
    is_looking: bool = False  # there may be more: ask again
    is_capped: bool = False  # enough for today
    is_spared: bool = False  # some of what is here is only for those who chose to see it
    is_enough: bool = False  # of what is sensitive, for today


@transaction.atomic
def next_assignment(
    project: Project, user: User, *, queue: Queue | None = None
) -> Assignment | None:
    """Give back what this person holds, or hold the next slot that they may answer.

    With a queue, only from that one. None when nothing is left for them.
    """
    return serve(enter(project, user), wanted=queue.pk if queue else None, only=True).assignment


@transaction.atomic
def come_to_desk(project: Project, user: User, *, queue: int | None = None) -> Desk:
    """The next question with what stands around it; of the queue, as long as that is open."""
    return serve(enter(project, user), wanted=queue)


def serve(annotator: Annotator, *, wanted: int | None, only: bool = False) -> Desk:
    """What somebody is asked next. The caller has let them in with `enter`."""
    now = timezone.now()
    forget_yesterday(annotator, now)
    found = open_queues(annotator, now)
    desk = Desk(annotator, queues=[one.queue for one in found])
    if annotator.day == now.date():
        desk.today = annotator.answers_that_day
    chosen = [one for one in found if one.queue.pk == wanted]
    if chosen or only and wanted:
        found = chosen
        desk.chosen = chosen[0].queue if chosen else None
    if found and not annotator.paused_at:
        picked = _find(annotator, found, now, desk)
        if picked:
            _hold(picked, annotator, found, now)
            desk.assignment = picked.slot
            desk.ahead, desk.is_more = picked.ahead, picked.is_more or picked.ahead >= AHEAD
            if picked.slot.queue.exam_skill:
                desk.ahead, desk.is_more = exam_left(picked.slot.queue, annotator), False
            elif picked.slot.queue.is_training and desk.is_more:
                [here] = [one for one in found if one.queue.pk == picked.slot.queue_id]
                left = training_left(here.queue, annotator, withheld=here.withheld)
                if left is not None:
                    desk.ahead, desk.is_more = left, False
    return desk


def forget_yesterday(annotator: Annotator, now: datetime) -> None:
    """What was withheld for a day, as enough of it, may lie behind their bookmarks."""
    if not annotator.sensitive_that_day or sensitive_today(annotator, now):
        return
    capped = Bookmark.objects.filter(annotator=annotator, queue__sensitive_cap__isnull=False)
    begin_anew(capped.values_list("pk"))
    annotator.sensitive_day, annotator.sensitive_that_day = None, 0
    annotator.save(update_fields=["sensitive_day", "sensitive_that_day"])


def _find(
    annotator: Annotator, found: Sequence[OpenQueue], now: datetime, desk: Desk
) -> Picked | None:
    chance = random.randrange(RANDOM_LANES)
    free = [one for one in found if not one.is_capped and not one.queue.exam_skill]
    desk.is_capped = any(one.is_capped for one in found)
    had = sensitive_today(annotator, now)
    for one in found:
        cap = one.queue.sensitive_cap
        desk.is_enough |= bool(one.withheld) and cap is not None and had >= cap
        desk.is_spared |= not desk.is_enough and bool(one.withheld)
    stretches = [stretch for one in free for stretch in one.stretches(chance)]
    picked = pick(annotator, found, stretches, now)
    if picked and picked.slot.annotator_id != annotator.pk and picked.slot.purpose == "answer":
        here = next(one for one in found if one.queue.pk == picked.slot.queue_id)
        taken = here.taken
        if mixed := mixed_in(picked.slot, annotator, taken, withheld=here.withheld):
            check = read_slot(mixed, annotator)
            # As many as if it were one of those that wait.
            check.ahead = ahead_with_checks(
                picked.slot.queue, annotator, taken, picked.ahead + 1, most=AHEAD
            )
            return check
        picked.ahead = ahead_with_checks(
            picked.slot.queue, annotator, taken, picked.ahead, most=AHEAD
        )
        return picked
    if picked:
        if picked.slot.annotator_id == annotator.pk:
            # It was taken before, and shows the number that it showed then.
            taken = next(one.taken for one in found if one.queue.pk == picked.slot.queue_id) - 1
            picked.ahead = ahead_with_checks(
                picked.slot.queue, annotator, taken, picked.ahead, most=AHEAD
            )
        return picked
    exams = [one for one in found if one.queue.exam_skill and not one.is_capped]
    for one in exams:
        if slot := exam_slot(one.queue, annotator, withheld=one.withheld):
            return read_slot(slot, annotator)
    for one in free:
        _open_bookmark(one, annotator)
    return (
        _further(annotator, free, stretches, now, desk)
        or _from_later(annotator, free, exams)
        or _swept(annotator, free, now, desk)
    )


def _further(
    annotator: Annotator,
    found: Sequence[OpenQueue],
    stretches: Sequence[Stretch],
    now: datetime,
    desk: Desk,
) -> Picked | None:
    """Go on behind windows in which they have met everything."""
    by_key = {one.queue.pk: one for one in found}
    windows = 0
    for stretch in stretches:
        if stretch.lane != stretch.last_lane:
            continue  # at random: the look through the whole queue does it
        at = stretch
        while windows < MOST_WINDOWS:
            windows += 1
            number, _, last, is_unmet = walk(annotator, by_key[at.queue], at)
            if is_unmet:
                if picked := pick(annotator, [by_key[at.queue]], [at], now):
                    return picked
                break
            if number:
                move(annotator, by_key[at.queue], at, last)
                at = replace(at, after=last)
            if number < WINDOW:
                break
        else:
            desk.is_looking = True
    return None


def _swept(
    annotator: Annotator, found: Sequence[OpenQueue], now: datetime, desk: Desk
) -> Picked | None:
    """Look through whole queues, where nothing is ahead: what lies behind a bookmark may be free.

    So it does where somebody began in the middle, and where the order is random.
    """
    windows = 0
    for one in found:
        if one.swept == (-1, 0) and one.swept_at and now - one.swept_at < SWEEP_EVERY:
            continue
        while windows < MOST_WINDOWS:
            windows += 1
            at = Stretch(one.queue.pk, *one.swept, LAST_LANE)
            number, lane, last, is_unmet = walk(annotator, one, at)
            if is_unmet and (picked := pick(annotator, [one], [at], now)):
                remember_sweep(one, annotator)
                return picked
            if number < WINDOW:
                one.swept, one.swept_at = (-1, 0), now
                break
            one.swept = (lane, last)
        else:
            desk.is_looking = True
        remember_sweep(one, annotator)
    return None


def _from_later(
    annotator: Annotator, free: Sequence[OpenQueue], exams: Sequence[OpenQueue]
) -> Picked | None:
    """What they put off comes back when nothing else is left, the longest ago first.

    And what they began and lost to another: it may lie behind them.
    """
    queues = {one.queue.pk: one.queue for one in [*free, *exams]}
    waiting = Assignment.objects.begun_or_put_off_by(annotator)
    waiting = waiting.filter(queue__in=[one.queue.pk for one in free])
    put_off = Exemption.objects.filter(annotator=annotator, why=Exemption.Why.LATER)
    for one in [*free, *exams]:
        if one.withheld:
            kept = list(one.withheld)
            waiting = waiting.exclude(queue=one.queue, task__categories__overlap=kept)
            put_off = put_off.exclude(task__queue=one.queue, task__categories__overlap=kept)
    slot = waiting.select_for_update(skip_locked=True, no_key=True, of=("self",)).first()
    if slot is None:
        # A known answer has no slot of its own until it is asked.
        checks = [key for key, queue in queues.items() if queue.gold_share or queue.exam_skill]
        tasks = put_off.filter(task__queue__in=checks).order_by("pk").values("task")
        slot = gold_slot_among(queues, annotator, tasks)
    if slot is None:
        return None
    put_off.filter(task=slot.task_id).delete()
    slot.queue = queues[slot.queue_id]
    return read_slot(slot, annotator)


_HOLD = """
WITH held AS (
    UPDATE annotation_assignment SET annotator_id = %(annotator)s, state = 'held',
        taken_at = %(now)s, held_until = %(until)s, shown = %(shown)s::varchar[],
        guideline_id = %(guideline)s
    WHERE id = %(slot)s
), begun AS (
    INSERT INTO annotation_draft (task_id, annotator_id, content, updated_at)
    VALUES (%(task)s, %(annotator)s, %(content)s, %(now)s) ON CONFLICT DO NOTHING
), marked AS (
    INSERT INTO annotation_bookmark AS mark (queue_id, annotator_id, positions, taken)
    VALUES (%(in)s, %(annotator)s, %(positions)s, 1)
    ON CONFLICT (queue_id, annotator_id) DO UPDATE SET taken = mark.taken + 1
), cared AS (
    UPDATE annotation_annotator SET sensitive_day = %(today)s, sensitive_that_day =
        CASE WHEN sensitive_day = %(today)s THEN sensitive_that_day ELSE 0 END + 1
    WHERE %(is_sensitive)s AND id = %(annotator)s
)
SELECT
"""


def _hold(picked: Picked, annotator: Annotator, found: Sequence[OpenQueue], now: datetime) -> None:
    slot = picked.slot
    if slot.annotator_id == annotator.pk:
        slot.annotator = annotator
        if slot.held_until:  # a chat that has begun is held without an end
            slot.held_until = now + HOLD
            slot.save(update_fields=["held_until"])
    else:
        [queue] = [one for one in found if one.queue.pk == slot.queue_id]
        _take(picked, annotator, now, queue)
        if is_far(picked.stretch, slot.pk):
            assert picked.stretch is not None
            move(annotator, queue, picked.stretch, slot.pk)
    slot.draft = picked.draft


def _take(picked: Picked, annotator: Annotator, now: datetime, queue: OpenQueue | None) -> None:
    slot = picked.slot
    if picked.draft is None:
        # By source, so that each of them stands first equally often, whatever its place in a task.
        places = sorted(slot.task.task_outputs.all(), key=lambda place: place.output.source)
        refs = [place.ref for place in places]
        taken = queue.taken if queue else random.randrange(2**16)
        picked.draft = {"shown": draw_order(slot, annotator, refs, taken)}
    slot.annotator = annotator
    slot.state = Assignment.State.HELD
    slot.taken_at, slot.held_until = now, now + HOLD
    slot.shown = picked.draft["shown"]
    values = {
        "slot": slot.pk,
        "task": slot.task_id,
        "annotator": annotator.pk,
        "now": now,
        "today": now.date(),
        "is_sensitive": bool(slot.task.categories),
        "until": slot.held_until,
        "shown": slot.shown,
        "guideline": slot.guideline_id,
        "content": json.dumps(picked.draft),
        "in": slot.queue_id,
        "positions": json.dumps(queue.positions if queue else {}),
    }
    fetch(_HOLD, values)


def draw_order(slot: Assignment, annotator: Annotator, refs: list[str], taken: int) -> list[str]:
    """The order in which the outputs are shown. What is repeated is shown the other way round.

    `refs` come in an order that means the same in each task; `taken` is how many slots of this
    queue they have had before.
    """
    if slot.purpose == Assignment.Purpose.REPEAT:
        earlier = Assignment.objects.filter(task=slot.task_id, annotator=annotator)
        before = earlier.exclude(pk=slot.pk).order_by("-pk").first()
        if before and before.shown:
            return before.shown[::-1]
    return balanced(refs, (annotator.pk, slot.queue_id), taken)


def take(slot: Assignment, annotator: Annotator) -> None:
    """Write a locked slot down as this annotator's: order, guideline and draft belong to it.

    The order in which the outputs are shown is drawn here. Who had begun this task before finds
    it as they left it.
    """
    picked = read_slot(slot, annotator)
    _take(picked, annotator, timezone.now(), None)
    taken: Any = picked.slot
    for name in ("annotator", "state", "taken_at", "held_until", "shown", "guideline"):
        setattr(slot, name, getattr(taken, name))


def extend_hold(assignment: Assignment, annotator: Annotator) -> bool:
    """Hold it for longer. False when it is no longer theirs to hold."""
    own = Assignment.objects.filter(
        pk=assignment.pk, annotator=annotator, state=Assignment.State.HELD
    )
    # A chat that has begun is held without an end.
    until = Case(When(held_until=None, then=None), default=timezone.now() + HOLD)
    return bool(own.update(held_until=until))


def _open_bookmark(queue: OpenQueue, annotator: Annotator) -> None:
    if not queue.has_bookmark:
        run(
            "INSERT INTO annotation_bookmark (queue_id, annotator_id, positions)"
            " VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [queue.queue.pk, annotator.pk, json.dumps(queue.positions)],
        )
