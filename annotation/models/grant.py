from django.db import models
from django.db.models import Q

from annotation.models.annotator import Annotator
from annotation.models.queue import Queue
from truing.models import Project, User


class GrantQuerySet(models.QuerySet["Grant"]):
    def standing(self) -> "GrantQuerySet":
        """Those that nobody has taken away."""
        return self.filter(taken_at=None)

    def given_by_others(self) -> "GrantQuerySet":
        """Without what people have chosen for themselves, which is nobody else's business."""
        return self.exclude(how=Grant.How.CHOICE)

    def in_project(self, project: Project) -> "GrantQuerySet":
        return self.filter(annotator__project=project)


class Grant(models.Model):
    """A skill that somebody has: a language, a country, an expertise; and where it comes from.

    That somebody agreed to see harmful content is one, too: “consent:violence”.
    """

    class How(models.TextChoices):
        HAND = "hand", "by hand"
        IMPORT = "import", "by a file"
        EXAM = "exam", "by an exam"
        CHOICE = "choice", "by their own choice"

    annotator = models.ForeignKey(Annotator, on_delete=models.CASCADE, related_name="grants")
    skill = models.CharField(max_length=100)  # "language:de", "country:ch", "expertise:medicine"
    how = models.CharField(max_length=10, choices=How.choices)
    queue = models.ForeignKey(  # of the exam
        Queue, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    given_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    given_at = models.DateTimeField(auto_now_add=True)
    taken_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    taken_at = models.DateTimeField(null=True, blank=True)
    taken_because = models.CharField(max_length=300, blank=True)

    objects = GrantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["annotator", "skill"],
                condition=Q(taken_at=None),
                name="one_grant_per_skill",
            )
        ]

    def __str__(self) -> str:
        return f"{self.skill} of {self.annotator}"
