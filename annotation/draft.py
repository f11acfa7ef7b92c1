"""Keep what somebody has typed so far."""

from typing import Any

from django.db import transaction

from annotation.models import (
    Annotation,
    Annotator,
    Assignment,
    CorrectionDraft,
    Dispute,
    Draft,
    SettlementDraft,
    Task,
)
from truing.errors import Refused
from truing.models import User


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


@transaction.atomic
def save_settlement_draft(
    task: Task, user: User, content: dict[str, Any], *, key: str
) -> SettlementDraft | None:
    """Keep `content` (answer, reason, note, seconds) of a settlement that is not given yet.

    None when it is given, with this key, or before nobody any more: what was decided has overtaken
    its last draft. Where another has the question by now, what is typed is kept all the same. The
    caller has checked that the reviewer may see the question.
    """
    me = Annotator.objects.member(task.queue.project, user)
    # Whoever decides holds this lock, too: no draft is written after it.
    dispute = Dispute.objects.select_for_update().filter(task=task).first()
    # A hold that ran out is still somebody's.
    if dispute is None or dispute.held_by_id is None:
        return None
    if Annotation.objects.filter(key=key, assignment__task=task).exists():
        return None
    return SettlementDraft.objects.update_or_create(
        task=task, annotator=me, defaults={"content": content}
    )[0]


def settlement_drafted(task: Task, user: User) -> dict[str, Any]:
    """What this reviewer has typed so far to settle it; empty where nothing has been."""
    draft = SettlementDraft.objects.filter(task=task, annotator__user=user).first()
    return draft.content if draft else {}


def forget_settlement_draft(task: Task, user: User) -> None:
    """It is settled, or decided otherwise."""
    SettlementDraft.objects.filter(task=task, annotator__user=user).delete()
