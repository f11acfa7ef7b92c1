from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import RowNumber
from django.utils import timezone

from annotation.models.annotator import Annotator
from annotation.models.assignment import Assignment
from annotation.models.prompt import PromptQuerySet
from annotation.models.task import Task, TaskOutput
from truing.models import Project


class AnnotationQuerySet(models.QuerySet["Annotation"]):
    def current(self) -> "AnnotationQuerySet":
        """Answers that no correction has taken the place of."""
        return self.filter(superseded_by=None)

    def votes(self) -> "AnnotationQuerySet":
        """What people said for themselves: this counts where answers are compared.

        No checks, repeats or settlements, and nothing of those who are left out of merges. Of what
        was asked again only the newest round in which somebody has answered.
        """
        return self.current().filter(_is_vote())

    def settlements(self) -> "AnnotationQuerySet":
        """The answers of reviewers that stand: at most one a task, of its newest round."""
        return self.current().filter(_is_settlement())

    def counting(self) -> "AnnotationQuerySet":
        """What counts where answers are merged: a task's settlement, or its votes without one."""
        outweighing = _settling(round__gte=models.OuterRef("assignment__round"))
        return self.current().filter(
            _is_vote() & ~models.Exists(outweighing) | models.Q(_is_settlement())
        )

    def newest_of(self, annotator: Annotator) -> "AnnotationQuerySet":
        """This annotator's answers as they now stand, the newest first; no settlements."""
        own = self.current().filter(assignment__annotator=annotator)
        return own.exclude(assignment__purpose=Assignment.Purpose.ADJUDICATION).order_by("-pk")

    def in_project(self, project: Project) -> "AnnotationQuerySet":
        return self.filter(assignment__queue__project=project)

    def by(self, pseudonym: str) -> "AnnotationQuerySet":
        return self.filter(assignment__annotator__pseudonym=pseudonym)

    def about(self, prompts: PromptQuerySet) -> "AnnotationQuerySet":
        """Answers to questions about one of these prompts."""
        return self.filter(assignment__task__prompt__in=prompts)

    def first_of_each_task(self, tasks: Sequence[int], number: int) -> "AnnotationQuerySet":
        """At most so many answers to each of these tasks, the oldest first."""
        place = models.Window(
            RowNumber(), partition_by="assignment__task", order_by=models.F("pk").asc()
        )
        return (
            self.filter(assignment__task__in=tasks).annotate(place=place).filter(place__lte=number)
        )

    def matching(self, words: str) -> "AnnotationQuerySet":
        """Those whose reason, prompt or outputs say this."""
        said = TaskOutput.objects.filter(
            task=models.OuterRef("assignment__task"), output__text__icontains=words
        )
        return self.filter(
            models.Q(reason__icontains=words)
            | models.Q(assignment__task__prompt__text__icontains=words)
            | models.Exists(said)
        )


VOTES = [Assignment.Purpose.ANSWER, Assignment.Purpose.IMPORT]
SETTLING = {"purpose": Assignment.Purpose.ADJUDICATION, "state": Assignment.State.ANSWERED}


def _is_vote() -> models.Q:
    its_own = models.Q(assignment__purpose__in=VOTES)
    return its_own & ~models.Exists(_left_out("assignment__")) & ~models.Exists(_newer_round())


def _is_settlement() -> models.Q:
    """One that was taken back is none: its slot is no longer answered."""
    later = models.Q(round__gt=models.OuterRef("assignment__round")) | models.Q(
        round=models.OuterRef("assignment__round"), pk__gt=models.OuterRef("assignment")
    )
    its_own = models.Q(**{f"assignment__{name}": value for name, value in SETTLING.items()})
    return its_own & ~models.Exists(_settling(later)) & ~models.Exists(_newer_round())


def _left_out(path: str = "") -> models.QuerySet[Any]:
    """That whoever gave what is asked about is left out of merges in its queue."""
    return apps.get_model("annotation", "Standing")._default_manager.filter(
        annotator=models.OuterRef(f"{path}annotator"),
        queue=models.OuterRef(f"{path}queue"),
        left_out_at__isnull=False,
    )


def _newer_round() -> models.QuerySet[Assignment]:
    """A vote of a later round. (Of rounds beyond the first there is an index, and few.)"""
    later = models.Q(round__gt=models.OuterRef("assignment__round")) & models.Q(round__gt=1)
    given = Assignment.objects.filter(
        later,
        task=models.OuterRef("assignment__task"),
        purpose__in=VOTES,
        state=Assignment.State.ANSWERED,
    )
    return given.exclude(models.Exists(_left_out()))


def _settling(*which: models.Q, **more: Any) -> models.QuerySet[Assignment]:
    """The settlements of the same task."""
    same = Assignment.objects.filter(task=models.OuterRef("assignment__task"), **SETTLING)
    return same.filter(*which, **more)


class Annotation(models.Model):
    """An answer as it was given. Rows are only ever added: a trigger refuses the rest."""

    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="annotations")
    answer = models.JSONField()
    shown = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    seconds = models.FloatField(null=True, blank=True)
    reason = models.TextField(blank=True)
    turn = models.PositiveSmallIntegerField(default=0)  # a chat has one answer a turn
    # Made by the client: the same answer sent twice is counted once.
    key = models.CharField(max_length=64, unique=True)
    supersedes = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="superseded_by"
    )
    # None where an imported file does not say when: an export must not make up a time.
    at = models.DateTimeField(default=timezone.now, null=True, blank=True)

    objects = AnnotationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["assignment", "turn"],
                condition=models.Q(supersedes=None),
                name="one_first_answer_per_turn",
            )
        ]
        indexes = [models.Index(fields=["assignment", "id"], name="annotation_by_assignment")]

    def __str__(self) -> str:
        return f"answer {self.pk}"


class Draft(models.Model):
    """What somebody has typed so far. It outlives a hold that ran out."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="drafts")
    annotator = models.ForeignKey(Annotator, on_delete=models.CASCADE, related_name="drafts")
    content = models.JSONField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task", "annotator"], name="one_draft_per_annotator")
        ]

    def __str__(self) -> str:
        return f"draft {self.pk}"


class CorrectionDraft(models.Model):
    """What somebody has typed so far to correct an answer of theirs."""

    annotation = models.OneToOneField(Annotation, on_delete=models.CASCADE, related_name="+")
    content = models.JSONField()
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"draft of a correction of {self.annotation_id}"
