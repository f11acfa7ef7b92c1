"""Keep what somebody has typed so far."""

from typing import Any

from django.db import transaction

from annotation.models import Annotation, Annotator, Assignment, CorrectionDraft, Draft
from truing.errors import Refused


class AlreadyCorrected(Refused):
    """You have already corrected this answer. Correct the newer one instead."""


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


@transaction.atomic
def save_correction_draft(annotation: Annotation, content: dict[str, Any]) -> CorrectionDraft:
    """Keep `content` (answer, reason, seconds) of a correction that is not given yet."""
    # Whoever gives the correction holds this lock, too: no draft is written after it.
    Assignment.objects.select_for_update().get(pk=annotation.assignment_id)
    if Annotation.objects.filter(supersedes=annotation).exists():
        raise AlreadyCorrected
    return CorrectionDraft.objects.update_or_create(
        annotation=annotation, defaults={"content": content}
    )[0]


def correction_drafted(annotation: Annotation) -> dict[str, Any]:
    """What has been typed so far to correct this answer; empty where nothing has."""
    draft = CorrectionDraft.objects.filter(annotation=annotation).first()
    return draft.content if draft else {}
