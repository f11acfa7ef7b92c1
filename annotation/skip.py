"""Let a question go: somebody else is asked in one's place."""

from django.db import transaction
from django.utils import timezone

from annotation.models import Annotator, Assignment, Draft

REASON_CHARACTERS = 300


@transaction.atomic
def skip(
    assignment: Assignment, *, reason: str = "", annotator: Annotator | None = None
) -> Assignment | None:
    """Close the slot and add a free one to the task; the one who skips is not asked again.

    None when they no longer hold it: then there is nothing to let go. `annotator` is who skips,
    where the slot was read afresh and may be another's by now.
    """
    who = annotator or assignment.annotator
    held = (
        Assignment.objects.select_for_update()
        .filter(pk=assignment.pk, annotator=who, state=Assignment.State.HELD)
        .first()
    )
    if who is None or held is None:
        return None
    held.state = Assignment.State.SKIPPED
    held.held_until = None
    held.closed_at = timezone.now()
    held.skip_reason = reason.strip()[:REASON_CHARACTERS]
    held.save()
    Draft.objects.filter(task=held.task_id, annotator=who).delete()
    return Assignment.objects.create(
        task_id=held.task_id, queue_id=held.queue_id, purpose=held.purpose, round=held.round
    )
