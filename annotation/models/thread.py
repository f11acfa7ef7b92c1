from django.db import models
from django.db.models import Exists, Q
from django.utils import timezone

from annotation.models.annotation import Annotation
from annotation.models.annotator import Annotator
from annotation.models.assignment import Assignment
from annotation.models.task import Flag, Task
from truing.models import Project, User


class CommentQuerySet(models.QuerySet["Comment"]):
    def in_project(self, project: Project) -> "CommentQuerySet":
        return self.filter(task__queue__project=project)

    def open_to_them(self) -> "CommentQuerySet":
        """Of what was written with annotators: on what they have answered, skipped or flagged.

        A file may bring the rest, which they find when they have.
        """
        about = {"task": models.OuterRef("task"), "annotator": models.OuterRef("annotator")}
        states = [Assignment.State.ANSWERED, Assignment.State.SKIPPED]
        closed = Assignment.objects.filter(state__in=states, **about)
        return self.filter(Exists(closed) | Exists(Flag.objects.filter(**about)))


class Comment(models.Model):
    """What somebody wrote about a task. Rows are only ever added: a trigger refuses the rest.

    All comments of one task and annotator are a thread: between that annotator and the reviewers,
    about that annotator's answer. Without an annotator it is among reviewers and curators.
    """

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="comments")
    annotator = models.ForeignKey(
        Annotator, null=True, blank=True, on_delete=models.PROTECT, related_name="comments"
    )
    # Whoever wrote it, as they are known in the project: a file may bring what others wrote.
    author = models.ForeignKey(Annotator, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    at = models.DateTimeField(default=timezone.now)

    objects = CommentQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["task", "annotator", "id"], name="comment_by_thread")]

    def __str__(self) -> str:
        return f"comment {self.pk} on {self.task}"


class Reading(models.Model):
    """How far somebody has read a thread."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="+")
    annotator = models.ForeignKey(Annotator, null=True, on_delete=models.CASCADE, related_name="+")
    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "task", "annotator"],
                nulls_distinct=False,
                name="one_reading_per_person_and_thread",
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} has read up to {self.comment_id}"


class ReturnQuerySet(models.QuerySet["Return"]):
    def open(self) -> "ReturnQuerySet":
        return self.filter(state=Return.State.OPEN)

    def with_a_reader(self) -> "ReturnQuerySet":
        """Those whose annotator is still there to look again."""
        return self.filter(annotation__assignment__annotator__in=Annotator.objects.who_read())


class Return(models.Model):
    """An answer that a reviewer sent back: its annotator corrects it, or stands by it."""

    class State(models.TextChoices):
        OPEN = "open"
        CORRECTED = "corrected"
        KEPT = "kept"  # they stand by it
        OVER = "over"  # settled or asked anew meanwhile

    annotation = models.ForeignKey(Annotation, on_delete=models.PROTECT, related_name="returns")
    comment = models.ForeignKey(Comment, on_delete=models.PROTECT, related_name="returns")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = ReturnQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["annotation"], condition=Q(state="open"), name="one_open_return_per_answer"
            )
        ]

    def __str__(self) -> str:
        return f"answer {self.annotation_id}, sent back"
