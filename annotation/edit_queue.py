"""Change what a queue asks from now on. What was answered stays as it was answered."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from annotation.categorise import categorise
from annotation.certainty import ask_more_of
from annotation.create_queue import (
    add_guideline,
    checked_name,
    checked_overlap,
    refuse_unknown_endpoints,
    save_queue,
)
from annotation.enter import add_slots, clear_desk
from annotation.fit_slots import fit_slots
from annotation.handling import Handling, handling_of, reorder, set_handling
from annotation.models import Queue
from truing.audit import record
from truing.errors import Invalid, Refused
from truing.models import User
from truing.options import build, record_of

EDITABLE = ("name", "options", "overlap", "is_training")


class ReservedQueue(Refused):
    """This queue belongs to a review, and follows it."""


@transaction.atomic
def edit_queue(
    queue: Queue,
    *,
    name: str | None = None,
    options: Mapping[str, Any] | None = None,
    overlap: int | None = None,
    handling: Mapping[str, Any] | None = None,
    guideline: str | None = None,
    is_training: bool | None = None,
    actor: User | None,
) -> Queue:
    """Change what is given. More answers wanted adds free slots; fewer removes free ones only."""
    queue = locked(queue)
    refuse_reserved(queue)
    before = {name: getattr(queue, name) for name in EDITABLE}
    if name is not None:
        queue.name = checked_name(name)
    if options is not None:
        chosen: Any = build(queue.task_type.Options, options)
        refuse_unknown_endpoints(queue.project, queue.task_type, chosen)
        queue.options = record_of(chosen)
    if overlap is not None:
        queue.overlap = checked_overlap(overlap)
    if is_training is not None:
        queue.is_training = is_training
    after = {name: getattr(queue, name) for name in EDITABLE}
    changed: dict[str, Any] = {key: after[key] for key in after if after[key] != before[key]}
    if handling is not None or "overlap" in changed:
        # What is not given stays as it is.
        wanted = {**record_of(handling_of(queue)), **(handling or {})}
        for item in set_handling(queue, build(Handling, wanted)):
            changed[item] = getattr(queue, item)
    if changed:
        save_queue(queue)
    if "order" in changed:
        reorder(queue)
    if {"sensitive", "harmful"} & changed.keys():
        categorise(queue)
    if {"overlap", "most_answers"} & changed.keys():
        fit_slots(queue)
    if {"overlap", "most_answers", "confidence"} & changed.keys():
        ask_more_of(queue)
    if guideline is not None and (added := add_guideline(queue, guideline, actor=actor)):
        changed["guideline"] = added.number
    if changed:
        record("queue.edit", actor=actor, project=queue.project, on=queue, **changed)
    return queue


@transaction.atomic
def set_queue_state(queue: Queue, state: str, *, actor: User | None) -> Queue:
    """Open, pause or close it. Paused: no new questions; closed: no new answers either."""
    if state not in Queue.State.values:
        raise Invalid(f"A queue is {', '.join(Queue.State.values)}, not “{state}”.")
    queue = locked(queue)
    refuse_reserved(queue)
    if queue.state != state:
        clear_desk(queue.project)
        before, queue.state = queue.state, state
        queue.save(update_fields=["state"])
        record(
            "queue.state", actor=actor, project=queue.project, on=queue, before=before, after=state
        )
    return queue


def locked(queue: Queue) -> Queue:
    """The queue as it is now, held until the transaction ends.

    Whoever adds tasks or changes the overlap holds it, so that every task gets its slots. People
    at the desk do not wait for it: their slots refer to the queue, which this lock allows.
    """
    found = (
        Queue.objects.select_for_update(no_key=True, of=("self",))
        .select_related("project")
        .get(pk=queue.pk)
    )
    add_slots(queue.pk)
    return found


def refuse_reserved(queue: Queue) -> None:
    """Nobody but the review itself changes its queue, or what is asked in it."""
    if queue.reserved_for:
        raise ReservedQueue
