from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce

from alignment.models.checkpoint import Checkpoint
from alignment.models.generation import Generation
from annotation.models import Assignment, Queue
from truing.models import Project, User


def _slots(condition: Q) -> Coalesce:
    found = Assignment.objects.filter(condition, queue=models.OuterRef("queue")).order_by()
    counted = found.values("queue").annotate(number=models.Count("pk")).values("number")
    return Coalesce(models.Subquery(counted), 0)


class ReviewQuerySet(models.QuerySet["Review"]):
    def for_lists(self, project: Project) -> "ReviewQuerySet":
        """With all that a list shows of each, the newest first."""
        return (
            self.filter(project=project)
            .select_related("candidate", "baseline", "queue", "decided_by")
            .annotate(
                wanted=_slots(~Q(state=Assignment.State.SKIPPED)),
                given=_slots(Q(state=Assignment.State.ANSWERED)),
            )
            .order_by("-pk")
        )

    def running(self) -> "ReviewQuerySet":
        return self.filter(state__in=[Review.State.GENERATING, Review.State.OPEN])

    def undecided(self) -> "ReviewQuerySet":
        return self.filter(state=Review.State.FINISHED, decision=Review.Decision.NONE)


class Review(models.Model):
    """A blind comparison of a candidate with a named baseline, and its running verdict."""

    class State(models.TextChoices):
        GENERATING = "generating"
        OPEN = "open"
        FINISHED = "finished"
        FAILED = "failed"
        CANCELLED = "cancelled"

    class Decision(models.TextChoices):
        NONE = ""
        PROMOTED = "promoted"
        REJECTED = "rejected"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="reviews")
    candidate = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="reviews")
    baseline = models.ForeignKey(
        Checkpoint, on_delete=models.PROTECT, related_name="reviews_against_it"
    )
    queue = models.OneToOneField(
        Queue, null=True, blank=True, on_delete=models.PROTECT, related_name="review"
    )
    generations = models.ManyToManyField(Generation, related_name="reviews")
    prompts = ArrayField(models.BigIntegerField())  # what both are asked: primary keys
    params = models.JSONField(default=dict)  # how both are sampled
    overlap = models.PositiveSmallIntegerField(default=1)  # answers wanted a comparison
    state = models.CharField(max_length=12, choices=State.choices, default=State.GENERATING)
    problem = models.TextField(blank=True)
    verdict = models.JSONField(default=dict, blank=True)  # the numbers as they were when it ended
    decision = models.CharField(max_length=10, choices=Decision.choices, blank=True, default="")
    reason = models.TextField(blank=True)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["candidate", "baseline"],
                condition=Q(state__in=["generating", "open"]),
                name="one_running_review_per_pair",
            )
        ]

    def __str__(self) -> str:
        return f"review {self.pk}"

    @property
    def sources(self) -> tuple[str, str]:
        """What the outputs of the candidate and of the baseline are marked with."""
        return self.candidate.source, self.baseline.source

    def move(self, old: "Review.State", new: "Review.State", **fields: Any) -> bool:
        """Go from one state to the next. False: another process did it first."""
        moved = Review.objects.filter(pk=self.pk, state=old).update(state=new, **fields)
        self.refresh_from_db()
        return moved == 1
