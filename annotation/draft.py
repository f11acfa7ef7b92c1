"""Keep what somebody has typed so far."""

from typing import Any

from django.db import transaction

from annotation.models import Annotator, Assignment, Draft


@transaction.atomic
def save_draft(
    assignment: Assignment, content: dict[str, Any], *, annotator: Annotator | None = None
) -> Draft | None:
    """Keep `content` (answer, reason, seconds) with the order that was shown.

    None when the question is behind them: an answer that is on its way overtakes its last draft.
    """
    who = annotator or assignment.annotator
    # Locked, so that a draft that was sent before an answer is not written after it.
    draft = Draft.objects.select_for_update().filter(task=assignment.task_id, annotator=who).first()
    if draft is None:
        return None
    draft.content = {"shown": draft.content["shown"], **content}
    draft.save(update_fields=["content", "updated_at"])
    return draft
