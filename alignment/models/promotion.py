from django.db import models

from alignment.models.checkpoint import Checkpoint
from alignment.models.review import Review
from truing.models import Project, User


class PromotionQuerySet(models.QuerySet["Promotion"]):
    def in_force(self, project: Project) -> "Promotion | None":
        return self.filter(project=project).select_related("checkpoint").order_by("pk").last()


class Promotion(models.Model):
    """A checkpoint goes into force; the newest is. Rows are only ever added."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="promotions")
    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="promotions")
    review = models.OneToOneField(
        Review, null=True, blank=True, on_delete=models.PROTECT, related_name="promotion"
    )
    reason = models.TextField()
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    objects = PromotionQuerySet.as_manager()

    def __str__(self) -> str:
        return f"promotion of {self.checkpoint}"
