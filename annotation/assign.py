"""Decide what an annotator is asked next, and hold it for them."""

import random
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from annotation.models import Annotator, Assignment, Draft, Queue
from annotation.models.assignment import AssignmentQuerySet
from truing.models import Project, User

HOLD = timedelta(minutes=10)


@transaction.atomic
def next_assignment(
    project: Project, user: User, *, queue: Queue | None = None
) -> Assignment | None:
    """Give back what this person holds, or hold the oldest slot that they may answer.

    With a queue, only from that one. None when nothing is left for them.
    """
    annotator = Annotator.objects.member(project, user)
    # One person in two tabs is asked one thing after the other, so that they never hold two
    # slots of one task.
    Annotator.objects.select_for_update(no_key=True).get(pk=annotator.pk)
    queues = Queue.objects.filter(project=project).open().order_by("pk")
    if queue:
        queues = queues.filter(pk=queue.pk)
    slots = Assignment.objects.select_related("task__prompt", "queue__project")
    # Their own come back first, also when the hold has run out: the draft is there.
    own = slots.filter(annotator=annotator, closed_at=None, queue__in=queues)
    slot = _locked(own.filter(state=Assignment.State.HELD).order_by("taken_at"))
    slot = slot or next(filter(None, (_pick(slots, annotator, queue) for queue in queues)), None)
    if slot is None:
        return None
    if slot.annotator_id == annotator.pk:
        slot.annotator = annotator
        slot.held_until = timezone.now() + HOLD
        slot.save(update_fields=["held_until"])
    else:
        take(slot, annotator)
    return slot


def take(slot: Assignment, annotator: Annotator) -> None:
    """Write a locked slot down as this annotator's: order, guideline and draft belong to it.

    The order in which the outputs are shown is drawn here. Who had begun this task before finds
    it as they left it.
    """
    refs = list(slot.task.task_outputs.values_list("ref", flat=True))
    draft, _ = Draft.objects.get_or_create(
        task_id=slot.task_id,
        annotator=annotator,
        defaults={"content": {"shown": random.sample(refs, k=len(refs))}},
    )
    slot.annotator = annotator
    slot.state = Assignment.State.HELD
    slot.taken_at = timezone.now()
    slot.held_until = slot.taken_at + HOLD
    slot.shown = draft.content["shown"]
    slot.guideline = slot.queue.guidelines.order_by("-number").first()
    slot.save()


def extend_hold(assignment: Assignment, annotator: Annotator) -> bool:
    """Hold it for longer. False when it is no longer theirs to hold."""
    own = Assignment.objects.filter(
        pk=assignment.pk, annotator=annotator, state=Assignment.State.HELD
    )
    return bool(own.update(held_until=timezone.now() + HOLD))


def last_closed_slot(annotator: Annotator, queue: Queue) -> int:
    """The key of the slot that this annotator closed last in a queue, or 0.

    Somebody who works through a queue goes on from there: what lies before is mostly what they
    have already met, and reading it again would make each question slower than the last.
    """
    closed = Assignment.objects.filter(annotator=annotator, queue=queue, closed_at__isnull=False)
    return closed.order_by("-closed_at").values_list("pk", flat=True).first() or 0


def _pick(slots: AssignmentQuerySet, annotator: Annotator, queue: Queue) -> Assignment | None:
    unmet = slots.filter(queue=queue).unmet_by(annotator)
    return (
        _locked(unmet.lapsed())
        or _locked(unmet.free().filter(pk__gt=last_closed_slot(annotator, queue)))
        or _locked(unmet.free())
    )


def _locked(slots: AssignmentQuerySet) -> Assignment | None:
    # People who ask at once lock different rows, so nobody waits and no slot is given twice.
    return slots.select_for_update(skip_locked=True, of=("self",)).first()
