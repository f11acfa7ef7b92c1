from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from annotation.task_types import TASK_TYPES, TaskType
from truing.models import Project, User
from truing.options import build

# Where a free slot stands: see annotation/lanes.py.
MAIN_LANE = 10
HIGHEST_PRIORITY = 9


def task_type_choices() -> list[tuple[str, str]]:
    # A function, so that a new task type needs no migration.
    return [(name, task_type.label) for name, task_type in TASK_TYPES.items()]


class QueueQuerySet(models.QuerySet["Queue"]):
    def open(self) -> "QueueQuerySet":
        return self.filter(state=Queue.State.OPEN)

    def for_the_skilled(self, project: Project) -> "QueueQuerySet":
        """Open queues of a project that are not for everybody."""
        return self.open().filter(project=project).exclude(skills=[])


class Queue(models.Model):
    """A stream of work: what is asked, and how many answers a task wants."""

    class State(models.TextChoices):
        OPEN = "open"
        PAUSED = "paused"
        CLOSED = "closed"

    class Order(models.TextChoices):
        ARRIVAL = "arrival", "as they came"
        RANDOM = "random", "at random"
        PRIORITY = "priority", "by priority"
        DEPTH = "depth", "one task to its end after the other"
        BREADTH = "breadth", "every task once, then every task again"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="queues")
    name = models.CharField(max_length=200)
    type = models.CharField(max_length=40, choices=task_type_choices)
    options = models.JSONField(default=dict, blank=True)
    overlap = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    # Where more than `overlap`, another answer is asked for until the merged one is so certain.
    most_answers = models.PositiveSmallIntegerField(null=True, blank=True)
    confidence = models.FloatField(default=0.9)
    daily_cap = models.PositiveIntegerField(null=True, blank=True)  # answers of a person a day
    # Care, see annotation/care.py. What is harmful is sensitive, too.
    sensitive = ArrayField(
        models.CharField(max_length=100), default=list, db_default=[], blank=True
    )
    harmful = ArrayField(models.CharField(max_length=100), default=list, db_default=[], blank=True)
    # Sensitive questions that a person is given in a day, those of other queues counted, too.
    sensitive_cap = models.PositiveIntegerField(null=True, blank=True)
    gold_share = models.FloatField(default=0.0)
    repeat_share = models.FloatField(default=0.0)
    # Training: after a question with a known answer it is shown, with what one answered.
    is_training = models.BooleanField(default=False, db_default=False)
    skills = ArrayField(models.CharField(max_length=100), default=list, blank=True)  # it requires
    # An exam: who is right on this share of so many checks gets the skill.
    exam_skill = models.CharField(max_length=100, blank=True)
    exam_share = models.FloatField(default=0.8)
    exam_size = models.PositiveSmallIntegerField(default=10)
    order = models.CharField(max_length=20, choices=Order.choices, default=Order.ARRIVAL)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    # A review's queue belongs to that review: it is not edited on the console.
    # How many answers there were when reliability was last worked out: annotation/rely.py.
    relied_on = models.PositiveIntegerField(default=0, db_default=0)
    reserved_for = models.CharField(max_length=40, blank=True)  # "" or "review"
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = QueueQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="one_queue_per_name")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def task_type(self) -> TaskType:
        return TASK_TYPES[self.type]

    @property
    def most_wanted(self) -> int:
        """How many answers a task gets at most."""
        return max(self.overlap, self.most_answers or 0)

    @property
    def type_options(self) -> Any:
        """The options as the task type's own dataclass."""
        return build(self.task_type.Options, self.options)


class Guideline(models.Model):
    """A numbered version of a queue's instructions. To change them, add another."""

    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="guidelines")
    number = models.PositiveIntegerField()
    text = models.TextField(blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        get_latest_by = "number"
        constraints = [
            models.UniqueConstraint(fields=["queue", "number"], name="one_guideline_per_number")
        ]

    def __str__(self) -> str:
        return f"guideline {self.number} of {self.queue}"
