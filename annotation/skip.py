"""Let a question go: somebody else is asked in one's place, or nobody, or oneself later."""

from django.db import models, transaction
from django.utils import timezone

from annotation.certainty import is_settled
from annotation.enter import add_slots, enter_as
from annotation.exam import mark
from annotation.flag import flag
from annotation.lanes import lane_back
from annotation.models import Annotator, Assignment, Draft, Exemption, Task
from annotation.models.authorship import about_what_is_withdrawn
from annotation.observe import observe_skip
from truing.errors import Invalid, Refused

REASON_CHARACTERS = 300


class Meaning(models.TextChoices):
    """What whoever skips a question means."""

    NOT_ME = "not_me", "not for me"
    NOBODY = "nobody", "not for anyone"
    LATER = "later", "later"


class NoSuchMeaning(Invalid):
    """A skip means: not_me, nobody or later."""


class HasVerdict(Refused):
    """A chat in which you have judged answers cannot be skipped. End it."""


@transaction.atomic
def skip(
    assignment: Assignment,
    *,
    reason: str = "",
    meaning: str = Meaning.NOT_ME,
    annotator: Annotator | None = None,
) -> Assignment | None:
    """Close the slot and add a free one to the task.

    Not for me: the one who skips is not asked again. Not for anyone: the task goes to the
    curators, and nobody is asked until they have decided. Later: others may be asked, and the
    one who skips is asked again when nothing else is left for them.

    None when they no longer hold it: then there is nothing to let go. `annotator` is who skips,
    where the slot was read afresh and may be another's by now.
    """
    if meaning not in Meaning.values:
        raise NoSuchMeaning
    who = annotator or assignment.annotator
    if who is None:
        return None
    enter_as(who)
    held = (
        Assignment.objects.select_for_update(of=("self",))
        .select_related("queue", "task")
        .filter(pk=assignment.pk, annotator=who, state=Assignment.State.HELD)
        .first()
    )
    if held is None:
        return None
    if held.held_until is None:
        raise HasVerdict
    reason = reason.strip()[:REASON_CHARACTERS]
    if meaning == Meaning.NOBODY:
        flag(held.task, who, reason=reason, round=held.round)
    added = _slot_in_place_of(held)
    if meaning == Meaning.LATER:
        # Nothing is left of it but the draft: what they have typed is there when it comes back.
        held.delete()
        # What they wrote themselves stays theirs not to judge.
        Exemption.objects.get_or_create(
            task=held.task, annotator=who, defaults={"why": Exemption.Why.LATER}
        )
        return added
    held.state = Assignment.State.SKIPPED
    held.held_until = None
    held.closed_at = timezone.now()
    held.skip_reason = reason
    held.save()
    Draft.objects.filter(task=held.task_id, annotator=who).delete()
    observe_skip(held, who)
    mark(held, who)
    return added


def _slot_in_place_of(held: Assignment) -> Assignment | None:
    """A free slot like this one; withheld like its task. Checks are made anew for each person.

    None where fewer answers are wanted by now than when it was taken, or none at all.
    """
    if held.purpose in (Assignment.Purpose.GOLD, Assignment.Purpose.REPEAT):
        return None
    task = Task.objects.filter(pk=held.task_id)
    if held.queue.task_type.is_gate and about_what_is_withdrawn(task).exists():
        return None  # its author has corrected it meanwhile
    if is_settled(held.task, held.round):
        return None
    others = Assignment.objects.wanted().filter(task=held.task_id, round=held.round)
    if others.exclude(pk=held.pk).count() >= held.queue.most_wanted:
        return None
    add_slots(held.queue_id)
    held.task.refresh_from_db(fields=["is_withheld", "priority"])
    state = Assignment.State.WITHHELD if held.task.is_withheld else Assignment.State.FREE
    return Assignment.objects.create(
        task=held.task,
        queue=held.queue,
        purpose=held.purpose,
        round=held.round,
        lane=lane_back(held.queue, held.lane, priority=held.task.priority),
        state=state,
    )
