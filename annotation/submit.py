"""Accept an answer, once."""

import json
from collections.abc import Callable
from math import isfinite
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from annotation.assign import Desk, serve, take
from annotation.certainty import ask_more
from annotation.draft import save_draft
from annotation.enter import enter_as
from annotation.exam import mark
from annotation.keep_written import keep_written
from annotation.models import Annotation, Annotator, Assignment, Exemption, Queue, Task
from annotation.observe import observe
from annotation.retag import retag_if_classified
from annotation.weigh import DUE
from truing.errors import Invalid, Refused
from truing.prepared import fetch

LONGEST_SECONDS = 86_400
LONGEST_REASON = 10_000  # characters


class AlreadyAnswered(Refused):
    """You have already answered this question."""


class AlreadySkipped(Refused):
    """You have skipped this question, so it now waits for somebody else."""


class TooLate(Refused):
    """Your hold on this question ran out and others have answered it. What you wrote is kept."""


class NotTheirsAnyMore(Refused):
    """You have seen what others answered, or wrote it yourself. Somebody else is asked."""


class QueueClosed(Refused):
    """This queue has been closed. What you wrote is kept."""


class NotTaken(Refused):
    """Take a question before you answer it."""


class AnsweredInTurns(Refused):
    """A chat is answered turn by turn."""


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
    given, _ = _submit(assignment, answer, key, annotator, seconds, reason)
    return given


def submit_and_go_on(
    assignment: Assignment,
    answer: dict[str, Any],
    *,
    key: str,
    annotator: Annotator,
    seconds: float | None = None,
    reason: str = "",
    queue: int | None = None,
) -> tuple[Annotation, Desk]:
    """Save an answer and take the next question, in one transaction: both happen, or neither."""

    def go_on(who: Annotator) -> Desk:
        return serve(who, wanted=queue)

    given, desk = _submit(assignment, answer, key, annotator, seconds, reason, go_on)
    assert desk is not None
    return given, desk


def _submit(
    assignment: Assignment,
    answer: dict[str, Any],
    key: str,
    annotator: Annotator | None,
    seconds: float | None,
    reason: str,
    then: Callable[[Annotator], Desk] | None = None,
) -> tuple[Annotation, Desk | None]:
    who = annotator or assignment.annotator
    if who is None:
        raise NotTaken
    if assignment.queue.task_type.has_turns:
        raise AnsweredInTurns
    # What was shown to its holder is what it asks about.
    refs = assignment.shown if assignment.annotator_id == who.pk else None
    check(assignment.task, answer, key=key, seconds=seconds, reason=reason, refs=refs)
    try:
        with transaction.atomic():
            who = enter_as(who)
            given = _accept(assignment, who, answer, key=key, seconds=seconds, reason=reason)
            return given, then(who) if then else None
    except (TooLate, QueueClosed, NotTheirsAnyMore):
        # The refusal has undone its own transaction; this is another.
        content = {"answer": answer, "reason": reason, "seconds": seconds}
        save_draft(assignment, content, annotator=who)
        raise


def check(
    task: Task,
    answer: dict[str, Any],
    *,
    key: str,
    seconds: float | None,
    reason: str,
    refs: list[str] | None = None,
) -> None:
    """Refuse what is no answer to this task. `refs` are those of its outputs, where known."""
    queue = task.queue
    if refs is None:
        refs = list(task.task_outputs.values_list("ref", flat=True))
    if problem := queue.task_type.problem_with(answer, refs, queue.type_options):
        raise BadAnswer(problem)
    if queue.task_type.needs_texts:
        texts = dict(task.task_outputs.values_list("ref", "output__text"))
        if problem := queue.task_type.problem_with_texts(answer, texts, queue.type_options):
            raise BadAnswer(problem)
    if len(reason.strip()) > LONGEST_REASON:
        raise BadAnswer(f"A reason has at most {LONGEST_REASON:,} characters.")
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


def _accept(
    assignment: Assignment,
    who: Annotator,
    answer: dict[str, Any],
    *,
    key: str,
    seconds: float | None,
    reason: str,
) -> Annotation:
    if given := _close(assignment, who, answer, key=key, seconds=seconds, reason=reason):
        return given
    # It was not theirs to answer. The same answer sent twice at once: the second has waited at
    # the desk, and now sees the first.
    slot = Assignment.objects.filter(
        task=assignment.task_id, round=assignment.round, annotator=who
    ).first()
    if slot and slot.state == Assignment.State.ANSWERED:
        if twin := Annotation.objects.filter(assignment=slot, key=key).first():
            return twin
        raise AlreadyAnswered
    if slot and slot.state == Assignment.State.SKIPPED:
        raise AlreadySkipped
    refuse_if_closed(assignment.queue_id)
    slot = slot or _slot_for_late_answer(assignment, who)
    given = _close(slot, who, answer, key=key, seconds=seconds, reason=reason)
    assert given, "the slot is held, and the queue is not closed"
    return given


# Compare and set: it is answered once, by its holder, and not in a queue that is closed.
_CLOSE = f"""
WITH slot AS (
    UPDATE annotation_assignment slot
    SET state = 'answered', held_until = NULL, closed_at = %(now)s
    FROM annotation_queue queue
    WHERE slot.id = %(slot)s AND slot.annotator_id = %(annotator)s AND slot.state = 'held'
        AND queue.id = slot.queue_id AND queue.state <> 'closed'
    RETURNING slot.id, slot.task_id, slot.queue_id, slot.taken_at, slot.shown
), typed AS (
    DELETE FROM annotation_draft draft USING slot
    WHERE draft.task_id = slot.task_id AND draft.annotator_id = %(annotator)s
), counted AS (
    UPDATE annotation_annotator annotator SET day = %(today)s, answers_that_day =
        CASE WHEN annotator.day = %(today)s THEN annotator.answers_that_day ELSE 0 END + 1
    FROM slot WHERE annotator.id = %(annotator)s
), counted_here AS (
    INSERT INTO annotation_bookmark AS mark (queue_id, annotator_id, day, answers_that_day)
    SELECT queue_id, %(annotator)s, %(today)s, 1 FROM slot
    ON CONFLICT (queue_id, annotator_id) DO UPDATE SET day = excluded.day, answers_that_day =
        CASE WHEN mark.day = excluded.day THEN mark.answers_that_day ELSE 0 END + 1
), given AS (
    INSERT INTO annotation_annotation
        (assignment_id, answer, shown, seconds, reason, turn, key, at)
    SELECT slot.id, %(answer)s, slot.shown,
        least(
            coalesce(%(seconds)s::float, extract(epoch FROM %(now)s - slot.taken_at)),
            {LONGEST_SECONDS}
        ),
        %(reason)s, 0, %(key)s, %(now)s
    FROM slot ON CONFLICT (key) DO NOTHING
    RETURNING id, seconds
)
SELECT slot.id, given.id, given.seconds, slot.shown, ({DUE.format(queue="slot.queue_id")})
FROM slot LEFT JOIN given ON true
"""


def _close(
    slot: Assignment,
    who: Annotator,
    answer: dict[str, Any],
    *,
    key: str,
    seconds: float | None,
    reason: str,
) -> Annotation | None:
    """Answer a slot that they hold. None when they do not, or the queue is closed."""
    now = timezone.now()
    values = {
        "slot": slot.pk,
        "annotator": who.pk,
        "answer": json.dumps(answer),
        "seconds": seconds,
        "reason": reason.strip(),
        "key": key,
        "now": now,
        "today": now.date(),
    }
    rows = fetch(_CLOSE, values)
    if not rows:
        return None
    _, given, took, shown, weighs = rows[0]
    if given is None:
        raise BadKey  # another answer has it; what was written here is undone
    if who.day != now.date():
        who.day, who.answers_that_day = now.date(), 0
    who.answers_that_day += 1
    slot.annotator = who
    slot.state, slot.held_until, slot.closed_at = Assignment.State.ANSWERED, None, now
    annotation = Annotation(
        pk=given,
        assignment=slot,
        answer=answer,
        shown=shown,
        seconds=took,
        reason=reason.strip(),
        key=key,
        at=now,
    )
    keep_written(annotation, slot.task)
    observe(annotation, who, weighs=bool(weighs))
    retag_if_classified(slot.queue, slot.task.prompt_id)
    ask_more(slot)
    mark(slot, who)
    return annotation


def _slot_for_late_answer(assignment: Assignment, who: Annotator) -> Assignment:
    # Since they lost it they may have seen what others say: it is not theirs to answer any more.
    spared = Exemption.objects.filter(task=assignment.task_id, annotator=who)
    if spared.exclude(why=Exemption.Why.LATER).exists():
        raise NotTheirsAnyMore
    same = Assignment.objects.filter(task=assignment.task_id, round=assignment.round)
    slot = same.takeable().select_for_update(skip_locked=True).first()
    if slot is None:
        raise TooLate
    take(slot, who)
    # They had put it off, and answer it after all: it does not come back to them.
    Exemption.objects.filter(task=slot.task_id, annotator=who, why=Exemption.Why.LATER).delete()
    return slot
