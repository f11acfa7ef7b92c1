"""Accept an answer, once."""

from math import isfinite
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from annotation.assign import take
from annotation.draft import save_draft
from annotation.keep_written import keep_written
from annotation.models import Annotation, Annotator, Assignment, Draft, Queue, Task
from truing.errors import Invalid, Refused

LONGEST_SECONDS = 86_400


class AlreadyAnswered(Refused):
    """You have already answered this question."""


class AlreadySkipped(Refused):
    """You have skipped this question, so it now waits for somebody else."""


class TooLate(Refused):
    """Your hold on this question ran out and others have answered it. What you wrote is kept."""


class QueueClosed(Refused):
    """This queue has been closed. What you wrote is kept."""


class NotTaken(Refused):
    """Take a question before you answer it."""


class BadAnswer(Invalid):
    """This is not an answer to the question."""


class BadKey(Invalid):
    """The key of an answer must be new, and have 1 to 64 characters."""


def submit(
    assignment: Assignment,
    answer: dict[str, Any],
    *,
    key: str,
    annotator: Annotator | None = None,
    seconds: float | None = None,
    reason: str = "",
) -> Annotation:
    """Save an answer. The same key again gives back the answer that was saved.

    A late answer takes a free slot of the task where there is one, and is kept as a draft where
    there is none. `annotator` is who answers, where the slot was read afresh and may be
    another's by now.
    """
    who = annotator or assignment.annotator
    if who is None:
        raise NotTaken
    check(assignment.task, answer, key=key, seconds=seconds, reason=reason)
    try:
        return _accept(assignment, who, answer, key=key, seconds=seconds, reason=reason)
    except (TooLate, QueueClosed):
        # The refusal has undone its own transaction; this is another.
        content = {"answer": answer, "reason": reason, "seconds": seconds}
        save_draft(assignment, content, annotator=who)
        raise


def check(
    task: Task, answer: dict[str, Any], *, key: str, seconds: float | None, reason: str
) -> None:
    """Refuse what is no answer to this task."""
    queue = task.queue
    refs = list(task.task_outputs.values_list("ref", flat=True))
    if problem := queue.task_type.problem_with(answer, refs, queue.type_options):
        raise BadAnswer(problem)
    if queue.task_type.needs_texts:
        texts = dict(task.task_outputs.values_list("ref", "output__text"))
        if problem := queue.task_type.problem_with_texts(answer, texts, queue.type_options):
            raise BadAnswer(problem)
    if not reason.strip() and (
        problem := queue.task_type.reason_wanted(answer, queue.type_options)
    ):
        raise BadAnswer(problem)
    if not (1 <= len(key) <= 64 and key.isprintable()):
        raise BadKey
    if seconds is not None and not (isfinite(seconds) and seconds >= 0):
        raise BadAnswer("The seconds that an answer took cannot be fewer than none.")


def write_down(**values: Any) -> Annotation:
    """Add the row of an answer; refuse a key that another answer has."""
    try:
        with transaction.atomic():
            return Annotation.objects.create(**values)
    except IntegrityError:
        raise BadKey from None


def refuse_if_closed(queue_id: int) -> None:
    """A paused queue gives out no questions, but takes the answers that are under way."""
    if Queue.objects.filter(pk=queue_id, state=Queue.State.CLOSED).exists():
        raise QueueClosed


@transaction.atomic
def _accept(
    assignment: Assignment,
    who: Annotator,
    answer: dict[str, Any],
    *,
    key: str,
    seconds: float | None,
    reason: str,
) -> Annotation:
    # The same answer sent twice at once: the second waits here, and then sees the first.
    slot = (
        Assignment.objects.select_for_update()
        .filter(task=assignment.task_id, round=assignment.round, annotator=who)
        .first()
    )
    if slot and slot.state == Assignment.State.ANSWERED:
        if twin := Annotation.objects.filter(assignment=slot, key=key).first():
            return twin
        raise AlreadyAnswered
    if slot and slot.state == Assignment.State.SKIPPED:
        raise AlreadySkipped
    refuse_if_closed(assignment.queue_id)
    slot = slot or _slot_for_late_answer(assignment, who)
    now = timezone.now()
    if seconds is None and slot.taken_at:
        seconds = (now - slot.taken_at).total_seconds()
    slot.state = Assignment.State.ANSWERED
    slot.held_until = None
    slot.closed_at = now
    slot.save()
    Draft.objects.filter(task=slot.task_id, annotator=who).delete()
    given = write_down(
        assignment=slot,
        answer=answer,
        shown=slot.shown,
        seconds=None if seconds is None else min(seconds, LONGEST_SECONDS),
        reason=reason.strip(),
        key=key,
        at=now,
    )
    keep_written(given, assignment.task)
    return given


def _slot_for_late_answer(assignment: Assignment, who: Annotator) -> Assignment:
    # As in `next_assignment`: this person takes one slot at a time.
    Annotator.objects.select_for_update(no_key=True).get(pk=who.pk)
    same = Assignment.objects.filter(task=assignment.task_id, round=assignment.round)
    if same.filter(annotator=who).exists():
        # Another tab was given this task in this very moment; sent again, it finds that slot.
        raise TooLate
    slot = same.takeable().select_for_update(skip_locked=True).first()
    if slot is None:
        raise TooLate
    take(slot, who)
    return slot
