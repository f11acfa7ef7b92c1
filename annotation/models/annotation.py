from collections.abc import Sequence

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
        """What counts where answers are compared or merged.

        No checks, repeats or settlements, and nothing of those who are left out of merges.
        """
        purposes = [Assignment.Purpose.ANSWER, Assignment.Purpose.IMPORT]
        left_out = apps.get_model("annotation", "Standing")._default_manager.filter(
            annotator=models.OuterRef("assignment__annotator"),
            queue=models.OuterRef("assignment__queue"),
            left_out_at__isnull=False,
        )
        return (
            self.current().filter(assignment__purpose__in=purposes).exclude(models.Exists(left_out))
        )

    def newest_of(self, annotator: Annotator) -> "AnnotationQuerySet":
        """This annotator's answers as they now stand, the newest first."""
        return self.current().filter(assignment__annotator=annotator).order_by("-pk")

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
