"""What others sent back: its author finds it again with the reason, and may correct it."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Exists, Q

from annotation.models import Annotation, Annotator, Authorship, Queue, Return
from annotation.models.annotation import AnnotationQuerySet
from annotation.models.authorship import AuthorshipQuerySet, accepted, gates, verdicts_on

SHOWN = 20


@dataclass(frozen=True)
class SentBack:
    """An answer that wrote something, and what others say should be different."""

    annotation: Annotation
    reasons: list[str]


def sent_back_to(annotator: Annotator) -> list[SentBack]:
    """What of this annotator's waits for a correction, the oldest first."""
    rows = list(
        _waiting(Authorship.objects.filter(annotator=annotator))
        .select_related("annotation__assignment__task__prompt", "annotation__assignment__queue")
        .order_by("pk")[:SHOWN]
    )
    reasons = _reasons(rows)
    return _by_reviewers(annotator) + [SentBack(row.annotation, reasons[row.pk]) for row in rows]


def _by_reviewers(annotator: Annotator) -> list[SentBack]:
    """Answers that a reviewer asks to look at again; mostly there are none."""
    if not annotator.sent_back:
        return []
    found = Return.objects.open().filter(annotation__assignment__annotator=annotator)
    found = found.exclude(annotation__assignment__queue__state=Queue.State.CLOSED)
    returns = found.select_related(
        "comment", "annotation__assignment__task__prompt", "annotation__assignment__queue"
    ).order_by("pk")[:SHOWN]
    return [SentBack(one.annotation, [one.comment.text]) for one in returns]


def reasons_for(annotation: int) -> list[str]:
    """Why what an answer wrote was sent back; nothing where it was not, or is accepted by now."""
    rows = list(_waiting(Authorship.objects.filter(annotation=annotation)))
    reasons = _reasons(rows)
    returns = Return.objects.open().filter(annotation=annotation).order_by("pk")
    return [
        *returns.values_list("comment__text", flat=True),
        *(reason for row in rows for reason in reasons[row.pk]),
    ]


def task_sent_back(annotation: int) -> int | None:
    """The task whose answer a reviewer sent back: its annotator may stand by it."""
    returned = Return.objects.open().filter(annotation=annotation)
    return returned.values_list("annotation__assignment__task", flat=True).first()


def _waiting(rows: AuthorshipQuerySet) -> AuthorshipQuerySet:
    outputs = Q(Exists(_returned("output"))) & ~accepted("output", key="output")
    prompts = Q(Exists(_returned("prompt"))) & ~accepted("prompt", key="prompt")
    closed = Q(annotation__assignment__queue__state=Queue.State.CLOSED)
    return rows.standing().exclude(closed).filter(outputs | prompts)


def _returned(field: str) -> AnnotationQuerySet:
    return verdicts_on(field, key=field).filter(answer__verdict="return")


def _reasons(rows: Iterable[Authorship]) -> dict[int, list[str]]:
    """What was said of each, by the key of the authorship."""
    said = Annotation.objects.counting().filter(
        assignment__queue__in=gates(), answer__verdict="return"
    )
    reasons: dict[int, list[str]] = {}
    for row in rows:
        about = Q(assignment__task__task_outputs__output=row.output_id)
        if row.prompt_id:
            about = Q(assignment__task__prompt=row.prompt_id, assignment__task__task_outputs=None)
        found = said.filter(about).order_by("pk").values_list("reason", flat=True)
        reasons[row.pk] = [reason for reason in found[:SHOWN] if reason]
    return reasons
