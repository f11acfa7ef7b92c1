from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from annotation.models.annotator import Annotator
from annotation.models.queue import Queue
from annotation.models.task import Task
from truing.models import Project


class DisputeQuerySet(models.QuerySet["Dispute"]):
    def in_project(self, project: Project) -> "DisputeQuerySet":
        """Those that reviewers settle: a review is decided by those who are asked in it."""
        return self.filter(queue__project=project, queue__reserved_for="")

    def worst_first(self) -> "DisputeQuerySet":
        return self.order_by("-doubt", "-answers", "pk")

    def takeable_by(self, annotator: Annotator) -> "DisputeQuerySet":
        """Those that nobody else has before them."""
        is_free = Q(held_by=None) | Q(held_by=annotator) | Q(held_until__lte=timezone.now())
        return self.filter(is_free)


class Dispute(models.Model):
    """A task on which those who answered disagree, and what reviewers have done about it."""

    class State(models.TextChoices):
        OPEN = "open"
        WAITING = "waiting", "sent back or asked again"
        SETTLED = "settled"
        LEFT = "left", "left as it is"
        AGREED = "agreed"  # those who answered agree by now

    task = models.OneToOneField(Task, on_delete=models.CASCADE, related_name="dispute")
    # The task's queue again, so that a list reads one index.
    queue = models.ForeignKey(
        Queue, on_delete=models.CASCADE, related_name="disputes", db_index=False
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    doubt = models.FloatField()  # see annotation/doubt.py
    answers = models.PositiveIntegerField()
    # Whoever has it before them to settle it; the hold lives in the row that is locked.
    held_by = models.ForeignKey(
        Annotator, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    held_until = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = DisputeQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                F("queue"),
                F("state"),
                F("doubt").desc(),
                F("answers").desc(),
                F("id"),
                name="dispute_worst_first",
            )
        ]

    def __str__(self) -> str:
        return f"dispute about {self.task}"

    @property
    def is_held(self) -> bool:
        """Whether somebody has it before them at this moment."""
        is_running = self.held_until is not None and self.held_until > timezone.now()
        return self.held_by_id is not None and is_running


class SettlementDraft(models.Model):
    """What a reviewer has typed so far to settle a question."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="+", db_index=False)
    annotator = models.ForeignKey(Annotator, on_delete=models.CASCADE, related_name="+")
    content = models.JSONField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["task", "annotator"], name="one_settlement_draft_per_reviewer"
            )
        ]

    def __str__(self) -> str:
        return f"draft of a settlement of {self.task}"


class Lookout(models.Model):
    """How far the answers of a project have been looked through for disputes."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="+")
    seen = models.BigIntegerField(default=0)  # the key of an annotation

    def __str__(self) -> str:
        return f"looked through up to answer {self.seen}"
