"""Correct an answer: a new one follows it, and both stay."""

from typing import Any

from django.db import transaction

from annotation.close_returns import close_returns
from annotation.draft import AlreadyCorrected
from annotation.enter import enter_as
from annotation.keep_written import keep_written
from annotation.models import (
    Annotation,
    Annotator,
    Assignment,
    CorrectionDraft,
    Queue,
    Return,
)
from annotation.observe import observe_correction
from annotation.retag import retag_if_classified
from annotation.submit import LONGEST_SECONDS, check, refuse_if_closed, write_down
from annotation.validate_again import hold_gates, validate_again
from annotation.weigh_disputes import weigh_disputes
from truing.errors import Refused


class NothingToTakeBack(Refused):
    """You have not answered anything yet that you could take back."""


def last_answer(annotator: Annotator) -> Annotation:
    """What this annotator answered last, where it can still be corrected."""
    given = Annotation.objects.newest_of(annotator)
    last = given.exclude(assignment__queue__state=Queue.State.CLOSED).first()
    if last is None:
        raise NothingToTakeBack
    return last


@transaction.atomic
def correct(
    annotation: Annotation,
    answer: dict[str, Any],
    *,
    key: str,
    seconds: float | None = None,
    reason: str = "",
) -> Annotation:
    """Save the answer that takes this one's place, as long as the queue is not closed."""
    slot = annotation.assignment
    refs = annotation.shown if annotation.turn else None  # a turn is about its outputs alone
    check(slot.task, answer, key=key, seconds=seconds, reason=reason, refs=refs)
    hold_gates(annotation)
    # Whoever closes the queue waits for this correction, or refuses it.
    who = enter_as(slot.annotator) if slot.annotator else None
    # Two corrections of one answer come one after the other, and the second is refused.
    Assignment.objects.select_for_update().get(pk=slot.pk)
    follower = Annotation.objects.filter(supersedes=annotation).first()
    if follower:
        if follower.key == key:
            return follower
        raise AlreadyCorrected
    refuse_if_closed(slot.queue_id)
    given = write_down(
        assignment=slot,
        answer=answer,
        shown=annotation.shown,
        seconds=None if seconds is None else min(seconds, LONGEST_SECONDS),
        reason=reason.strip(),
        turn=annotation.turn,
        key=key,
        supersedes=annotation,
    )
    CorrectionDraft.objects.filter(annotation=annotation).delete()
    keep_written(given, slot.task)
    retag_if_classified(slot.queue, slot.task.prompt_id)
    if who:
        observe_correction(annotation, given, who)
    validate_again(annotation, given)
    if who and who.sent_back:
        sent_back = Return.objects.filter(annotation=annotation)
        if close_returns(sent_back, Return.State.CORRECTED):
            weigh_disputes([slot.task_id])
    return given
