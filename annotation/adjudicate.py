"""Settle what people disagree on: a reviewer's answer outweighs all others to the question."""

from datetime import timedelta
from random import Random
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from annotation.asked_now import refuse_asked_now
from annotation.close_returns import close_returns, people_sent_back
from annotation.comment import comment
from annotation.draft import forget_settlement_draft
from annotation.edit_queue import locked, refuse_reserved
from annotation.exempt import see_answers
from annotation.lanes import lane_back, lane_for
from annotation.let_be import let_be
from annotation.models import (
    Annotation,
    Annotator,
    Assignment,
    Dispute,
    Exemption,
    Queue,
    Return,
    Task,
)
from annotation.models.annotation import VOTES
from annotation.models.queue import HIGHEST_PRIORITY
from annotation.retag import retag_if_classified
from annotation.submit import LONGEST_SECONDS, check, write_down
from annotation.weigh_disputes import weigh_disputes
from truing.audit import record
from truing.errors import Invalid, Refused
from truing.models import User

HOLD = timedelta(minutes=5)  # the page says every minute that it is open
Slot = Assignment.State
State = Dispute.State
ADJUDICATION = Assignment.Purpose.ADJUDICATION


class CannotBeSettled(Refused):
    """Here each writes a text of their own, or talks with models: there is nothing to settle."""


class NobodyAnswered(Refused):
    """Nobody has answered this question yet, so there is nothing to settle."""


class OwnText(Refused):
    """You wrote what this question is about. Somebody else settles it."""


class InOtherHands(Refused):
    """Another reviewer has this question before them now."""


class SettledMeanwhile(Refused):
    """Another reviewer has settled this meanwhile. Look at their answer, then decide again."""


class NotSettled(Refused):
    """This question is not settled."""


class ReasonWanted(Invalid):
    """Say why: whoever asks later what settled this finds only your reason."""


class ClosedForThem(Refused):
    """This queue is closed. Open it before you ask anybody in it."""


def may_see(task: Task, user: User) -> None:
    """Refuse whoever is asked the same at this moment, and whoever wrote what it is about."""
    refuse_reserved(task.queue)
    refuse_asked_now(task, user)
    wrote = Exemption.objects.filter(task=task, why=Exemption.Why.WROTE, annotator__user=user)
    if wrote.exists():
        raise OwnText


@transaction.atomic
def take_dispute(task: Task, user: User) -> tuple[Dispute, bool]:
    """The dispute about a task, and whether it is now this reviewer's to settle."""
    _refuse_unsettled(task)
    may_see(task, user)
    me = see_answers(task, user)
    dispute = _dispute_about(task)
    # Compare and set: of two who open it at once, one holds it.
    held = Dispute.objects.filter(pk=dispute.pk).takeable_by(me)
    is_mine = bool(held.update(held_by=me, held_until=timezone.now() + HOLD))
    dispute.refresh_from_db()
    return dispute, is_mine


def hold_dispute(task: Task, user: User) -> bool:
    """Hold it for longer. False when another reviewer has it by now, or it is decided."""
    me = Annotator.objects.member(task.queue.project, user)
    # Not what nobody has: a heartbeat may come after the decision.
    held = Dispute.objects.filter(task=task, held_by=me)
    return bool(held.update(held_until=timezone.now() + HOLD))


def let_go(task: Task, user: User) -> None:
    """Have others settle it."""
    held = Dispute.objects.filter(task=task, held_by__user=user)
    held.update(held_by=None, held_until=None)


def order_shown(task: Task, user: User) -> list[str]:
    """The refs in the order in which this reviewer sees them: by chance, and each time the same."""
    refs = list(task.task_outputs.order_by("position").values_list("ref", flat=True))
    Random(f"{task.pk}/{user.pk}").shuffle(refs)
    return refs


def settlement_of(task: Task) -> Annotation | None:
    """The answer that settles this task, if one does."""
    found = Annotation.objects.settlements().filter(assignment__task=task)
    return found.select_related("assignment__annotator__user", "assignment__guideline").first()


@transaction.atomic
def settle(
    task: Task,
    answer: dict[str, Any],
    *,
    reason: str,
    key: str,
    replaces: int | None,
    seconds: float | None = None,
    actor: User,
) -> Annotation:
    """Save the answer that outweighs all others to this question, and its reason.

    `replaces` is the settled answer that the reviewer has seen, if there is one: another that came
    meanwhile is not overwritten. Settled again, what was answered before stays.
    """
    if twin := _given_before(task, key, actor):
        return twin
    _refuse_unsettled(task)
    queue = locked(task.queue)  # who asks again, or changes the overlap, waits
    may_see(task, actor)
    check(task, answer, key=key, seconds=seconds, reason=reason)
    if not reason.strip():
        raise ReasonWanted
    dispute = _mine(task, actor)
    see_answers(task, actor)
    if twin := _given_before(task, key, actor):
        return twin
    standing = settlement_of(task)
    if (standing.pk if standing else None) != replaces:
        raise SettledMeanwhile
    round = newest_round(task)
    slot = _slot_of(task, queue, round, actor)
    if standing and standing.assignment_id != slot.pk:
        _take_back(standing.assignment, "settled by another reviewer")
    given = write_down(
        assignment=slot,
        answer=answer,
        shown=order_shown(task, actor),
        seconds=None if seconds is None else min(seconds, LONGEST_SECONDS),
        reason=reason.strip(),
        key=key,
        supersedes=Annotation.objects.current().filter(assignment=slot).first(),
    )
    spared = let_be([task.pk])
    close_returns(Return.objects.filter(annotation__assignment__task=task), Return.State.OVER)
    _decide(dispute, State.SETTLED)
    forget_settlement_draft(task, actor)
    retag_if_classified(queue, task.prompt_id)
    record(
        "task.settle",
        actor=actor,
        project=queue.project,
        on=task,
        annotation=given.pk,
        replaces=replaces,
        spared=spared,
        answered_it_too=_answered(task, slot.annotator_id),
    )
    return given


@transaction.atomic
def reopen(task: Task, *, reason: str, replaces: int | None, actor: User) -> Dispute:
    """Take a settlement back: what people answered counts again. Both stay where they are.

    `replaces` is the settled answer that is taken back: another that came meanwhile stays.
    """
    _refuse_unsettled(task)
    queue = locked(task.queue)
    may_see(task, actor)
    dispute = _mine(task, actor)
    standing = settlement_of(task)
    if standing is None:
        raise NotSettled
    if standing.pk != replaces:
        raise SettledMeanwhile
    if not reason.strip():
        raise ReasonWanted
    _take_back(standing.assignment, reason.strip())
    _ask_the_rest(task, queue, standing.assignment.round)
    _decide(dispute, State.OPEN)
    weigh_disputes([task.pk])
    retag_if_classified(queue, task.prompt_id)
    record("task.reopen", actor=actor, project=queue.project, on=task, reason=reason.strip())
    dispute.refresh_from_db()
    return dispute


@transaction.atomic
def leave_as_it_is(task: Task, *, note: str = "", actor: User) -> Dispute:
    """Settle nothing: people differ, and their votes stand."""
    _refuse_unsettled(task)
    may_see(task, actor)
    dispute = _mine(task, actor)
    if settlement_of(task):
        raise SettledMeanwhile
    if note.strip():
        comment(task, note, actor=actor)
    _decide(dispute, State.LEFT)
    forget_settlement_draft(task, actor)
    record("task.leave", actor=actor, project=task.queue.project, on=task, note=note.strip()[:300])
    return dispute


@transaction.atomic
def ask_another(task: Task, *, actor: User) -> Assignment:
    """Ask one more person, before what others are asked."""
    _refuse_unsettled(task)
    queue = locked(task.queue)
    refuse_reserved(queue)
    if queue.state == Queue.State.CLOSED or task.is_withheld:
        raise ClosedForThem
    dispute = _mine(task, actor)
    if settlement_of(task):
        raise SettledMeanwhile
    level = min(dispute.answers, queue.overlap - 1)
    lane = lane_for(queue, priority=HIGHEST_PRIORITY, level=level, is_begun=True)
    added = Assignment.objects.create(
        task=task,
        queue=queue,
        round=newest_round(task),
        lane=lane_back(queue, lane, priority=HIGHEST_PRIORITY),
    )
    _decide(dispute, State.WAITING)
    record("task.ask_another", actor=actor, project=queue.project, on=task)
    return added


@transaction.atomic
def send_back(task: Task, annotations: list[int], *, text: str, actor: User) -> list[Return]:
    """Ask those who gave these answers to look again. They read this text, and nobody's answer.

    They correct what they answered, or stand by it; then it comes back to the reviewers.
    """
    _refuse_unsettled(task)
    if not text.strip():
        raise Invalid("Say what they should look at again.")
    queue = locked(task.queue)
    may_see(task, actor)
    if queue.state == Queue.State.CLOSED:
        raise ClosedForThem
    votes = (
        Annotation.objects.votes()
        .filter(pk__in=annotations, assignment__task=task)
        .select_related("assignment__annotator")
        .order_by("pk")
    )
    if len(votes) < len(set(annotations)) or not votes:
        raise Invalid("Choose answers to this question that stand.")
    whose = {one.pk: one.assignment.annotator for one in votes}
    if any(who is None or who.user_id is None for who in whose.values()):
        raise Invalid("Answers that came with a file cannot be sent back: nobody would read it.")
    people = [who for who in whose.values() if who]
    here = Annotator.objects.who_read().filter(pk__in=[person.pk for person in people])
    if here.count() < len({person.pk for person in people}):
        raise Invalid("Of those who gave these answers somebody has left, and would not read it.")
    people_sent_back(person.pk for person in people)
    dispute = _mine(task, actor)
    if settlement_of(task):
        raise SettledMeanwhile
    made = []
    for annotation in votes:
        who = whose[annotation.pk]
        if who is None or Return.objects.open().filter(annotation=annotation).exists():
            continue
        said = comment(task, text, annotator=who, actor=actor)
        made.append(Return.objects.create(annotation=annotation, comment=said))
    Annotator.objects.count_returns([person.pk for person in people])
    _decide(dispute, State.WAITING)
    forget_settlement_draft(task, actor)
    record(
        "task.send_back",
        actor=actor,
        project=task.queue.project,
        on=task,
        annotators=sorted(person.pseudonym for person in people),
    )
    return made


def newest_round(task: Task) -> int:
    """The round whose answers count."""
    given = Assignment.objects.filter(task=task, purpose__in=VOTES, state=Slot.ANSWERED)
    return given.aggregate(last=Max("round"))["last"] or 1


def _refuse_unsettled(task: Task) -> None:
    if not task.queue.task_type.can_be_settled:
        raise CannotBeSettled
    given = Assignment.objects.filter(task=task, state=Slot.ANSWERED)
    if not given.filter(purpose__in=[*VOTES, ADJUDICATION]).exists():
        raise NobodyAnswered


def _dispute_about(task: Task) -> Dispute:
    weigh_disputes([task.pk])
    values = {"queue": task.queue, "doubt": 0.0, "answers": 1, "state": State.AGREED}
    return Dispute.objects.get_or_create(task=task, defaults=values)[0]


def _mine(task: Task, actor: User) -> Dispute:
    """The dispute, locked; refused while another reviewer has it before them."""
    # Who corrects an answer that was sent back holds themselves, and then the dispute.
    returns = Return.objects.open().filter(annotation__assignment__task=task)
    people_sent_back(returns.values_list("annotation__assignment__annotator", flat=True))
    me = Annotator.objects.member(task.queue.project, actor)
    _dispute_about(task)
    dispute = Dispute.objects.select_for_update(of=("self",)).get(task=task)
    if dispute.is_held and dispute.held_by_id != me.pk:
        raise InOtherHands
    return dispute


def _decide(dispute: Dispute, state: str) -> None:
    dispute.state, dispute.held_by, dispute.held_until = state, None, None
    dispute.save(update_fields=["state", "held_by", "held_until", "changed_at"])


def _given_before(task: Task, key: str, actor: User) -> Annotation | None:
    """The same settlement sent twice is counted once."""
    given = Annotation.objects.filter(key=key, assignment__task=task)
    return given.filter(assignment__purpose=ADJUDICATION, assignment__annotator__user=actor).first()


def _slot_of(task: Task, queue: Queue, round: int, actor: User) -> Assignment:
    """This reviewer's settlement of the round: the one they gave before, or a new one."""
    me = Annotator.objects.member(queue.project, actor)
    now = timezone.now()
    values = {
        "queue": queue,
        "state": Slot.ANSWERED,
        "closed_at": now,
        "shown": order_shown(task, actor),
        "guideline": queue.guidelines.order_by("-number").first(),
        "skip_reason": "",
    }
    found = Assignment.objects.filter(task=task, purpose=ADJUDICATION, round=round, annotator=me)
    if slot := found.first():
        for name, value in values.items():
            setattr(slot, name, value)
        slot.save()
        return slot
    return Assignment.objects.create(
        task=task, purpose=ADJUDICATION, round=round, annotator=me, taken_at=now, **values
    )


def _take_back(slot: Assignment, why: str) -> None:
    """What was answered stays; it counts no more."""
    slot.state, slot.skip_reason, slot.closed_at = Slot.SKIPPED, why[:300], timezone.now()
    slot.save(update_fields=["state", "skip_reason", "closed_at"])


def _ask_the_rest(task: Task, queue: Queue, round: int) -> None:
    """The slots that were spared, as far as answers are wanted that nobody has given."""
    same = Assignment.objects.filter(task=task, round=round, purpose__in=VOTES)
    number = same.exclude(state=Slot.SKIPPED).count()
    state = Slot.WITHHELD if task.is_withheld else Slot.FREE
    Assignment.objects.bulk_create(
        Assignment(
            task=task,
            queue=queue,
            round=round,
            state=state,
            lane=lane_for(queue, priority=task.priority, level=level, is_begun=True),
        )
        for level in range(number, queue.overlap)
    )


def _answered(task: Task, annotator: int | None) -> bool:
    """Whether whoever settles it is among those who differ."""
    own = Assignment.objects.filter(task=task, annotator=annotator, state=Slot.ANSWERED)
    return own.filter(purpose__in=VOTES).exists()
