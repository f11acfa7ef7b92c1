"""Choose whether one is given what is harmful. It is a person's own choice, and holds at once.

A choice is a skill that people give themselves (“consent:violence”), so a pick asks for it as for
any other. Nobody else can give it.
"""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from annotation import handling
from annotation.categorise import begin_anew
from annotation.enter import add_slots, enter_as
from annotation.lanes import lane_back
from annotation.models import Annotator, Assignment, Bookmark, Draft, Grant, Queue
from annotation.models.grant import GrantQuerySet
from truing.audit import record
from truing.errors import Refused

CONSENT = f"{handling.CONSENT}:"


class NoSuchCategory(Refused):
    """No queue of this project calls this harmful."""

    status = 404


@dataclass(frozen=True)
class Choice:
    """A category that is harmful somewhere here, and whether one has chosen to see it."""

    category: str
    is_chosen: bool


def choices_of(annotator: Annotator) -> list[Choice]:
    """What one can choose, and what one has chosen before, also where no queue names it now."""
    chosen = {
        skill.removeprefix(CONSENT) for skill in _choices(annotator).values_list("skill", flat=True)
    }
    known = harmful_in(annotator.project_id)
    return [Choice(category, category in chosen) for category in sorted(known | chosen)]


def harmful_in(project_id: int) -> set[str]:
    """What any queue of the project, that is not closed, calls harmful."""
    queues = Queue.objects.filter(project=project_id).exclude(state=Queue.State.CLOSED)
    found: set[str] = set()
    for harmful, skills in queues.values_list("harmful", "skills"):
        found.update(harmful)
        found.update(one.removeprefix(CONSENT) for one in skills if one.startswith(CONSENT))
    return found


def not_chosen_by(annotator: Annotator) -> Q:
    """What is about a task with harmful content that this person did not choose to be given."""
    chosen = {
        skill.removeprefix(CONSENT) for skill in _choices(annotator).values_list("skill", flat=True)
    }
    queues = Queue.objects.filter(project=annotator.project_id)
    found = Q()
    for queue, harmful, skills in queues.values_list("pk", "harmful", "skills"):
        wanted = {one.removeprefix(CONSENT) for one in skills if one.startswith(CONSENT)}
        if wanted - chosen:
            found |= Q(task__queue=queue)
        elif withheld := sorted(set(harmful) - chosen):
            found |= Q(task__queue=queue, task__categories__overlap=withheld)
    return found


@transaction.atomic
def opt_in(annotator: Annotator, category: str) -> None:
    """From now on they may be given this."""
    who = enter_as(annotator)
    if category not in harmful_in(who.project_id):
        raise NoSuchCategory
    _, is_new = Grant.objects.standing().get_or_create(
        annotator=who,
        skill=CONSENT + category,
        taken_at=None,
        defaults={"how": Grant.How.CHOICE, "given_by": who.user},
    )
    if not is_new:
        return
    # What was not for them until now lies behind their bookmarks.
    own = Bookmark.objects.filter(annotator=who, queue__harmful__contains=[category])
    begin_anew(own.values_list("pk"))
    record("care.opt_in", actor=who.user, project=who.project, on=who, category=category)


@transaction.atomic
def opt_out(annotator: Annotator, category: str) -> None:
    """From now on they are not given this any more; what they have in hand goes to others."""
    who = enter_as(annotator)
    taken = _choices(who).filter(skill=CONSENT + category)
    if not taken.update(taken_at=timezone.now(), taken_by=who.user):
        return
    in_hand = Assignment.objects.filter(
        annotator=who,
        state=Assignment.State.HELD,
        held_until__isnull=False,  # a chat with verdicts is theirs, and they may end it
    ).filter(
        Q(task__categories__contains=[category], queue__harmful__contains=[category])
        | Q(queue__skills__contains=[CONSENT + category])
    )
    for slot in in_hand.select_related("task", "queue"):
        _let_go(slot, who)
    record("care.opt_out", actor=who.user, project=who.project, on=who, category=category)


def _let_go(slot: Assignment, who: Annotator) -> None:
    """Somebody else is asked. It counts as no skip, and may come back to who chooses anew."""
    add_slots(slot.queue_id)
    if slot.purpose not in (Assignment.Purpose.GOLD, Assignment.Purpose.REPEAT):
        state = Assignment.State.WITHHELD if slot.task.is_withheld else Assignment.State.FREE
        Assignment.objects.create(
            task=slot.task,
            queue=slot.queue,
            purpose=slot.purpose,
            round=slot.round,
            lane=lane_back(slot.queue, slot.lane, priority=slot.task.priority),
            state=state,
        )
    Draft.objects.filter(task=slot.task_id, annotator=who).delete()
    slot.delete()


def _choices(annotator: Annotator) -> GrantQuerySet:
    return Grant.objects.standing().filter(annotator=annotator, how=Grant.How.CHOICE)
