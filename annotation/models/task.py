from collections.abc import Sequence

from django.contrib.postgres.fields import ArrayField
from django.db import models

from annotation.models.annotator import Annotator
from annotation.models.output import Output
from annotation.models.prompt import Prompt
from annotation.models.queue import Queue
from truing.models import User


class TaskQuerySet(models.QuerySet["Task"]):
    def in_project(self, project_id: int) -> "TaskQuerySet":
        return self.filter(queue__project=project_id)

    def with_slots(self, purposes: Sequence[str] = ("answer", "import")) -> "TaskQuerySet":
        """With the numbers of `answered` and `waiting` slots of each task, mostly of votes."""
        slot = models.Q(assignments__purpose__in=purposes)
        answered = slot & models.Q(assignments__state="answered")
        waiting = slot & models.Q(assignments__state__in=["free", "held"])
        return self.annotate(
            answered=models.Count("assignments", filter=answered),
            waiting=models.Count("assignments", filter=waiting),
        )

    def without_running_reviews(self) -> "TaskQuerySet":
        """Leaves out what is being judged in a review: nobody may know yet who wrote what."""
        return self.exclude(~models.Q(queue__reserved_for="") & ~models.Q(queue__state="closed"))


class Task(models.Model):
    """One question in a queue, about a prompt (where there is one) and its outputs."""

    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="tasks")
    prompt = models.ForeignKey(
        Prompt, null=True, blank=True, on_delete=models.PROTECT, related_name="tasks"
    )
    # The id of the feedback line that it came from, or that it is exported as. Intake keeps it
    # unique in a project, under a lock; the constraint keeps it so in a queue.
    ref = models.CharField(max_length=200)
    gold = models.JSONField(null=True, blank=True)  # a known answer, or none
    # Where there is no prompt: what is wanted, as the task type's `Brief` has it.
    brief = models.JSONField(default=dict, blank=True)
    priority = models.SmallIntegerField(default=0, db_default=0)  # higher first, where it counts
    # Somebody said that nobody can answer it: it waits for a curator.
    is_withheld = models.BooleanField(default=False, db_default=False)
    # An attention check: nobody who reads it fails.
    is_check = models.BooleanField(default=False, db_default=False)
    # Which of its queue's sensitive categories it holds. Derived: see annotation/care.py.
    categories = ArrayField(
        models.CharField(max_length=100), default=list, db_default=[], blank=True
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TaskQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["queue", "ref"], name="one_task_per_ref")]
        indexes = [
            models.Index(fields=["ref"], name="task_by_ref"),
            models.Index(
                fields=["queue", "id"],
                condition=models.Q(gold__isnull=False),
                name="task_with_gold",
            ),
        ]

    def __str__(self) -> str:
        return f"task {self.ref}"


class TaskOutput(models.Model):
    """An output's place in a task. Answers name outputs by `ref`, which means nothing elsewhere."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="task_outputs")
    output = models.ForeignKey(Output, on_delete=models.PROTECT, related_name="task_outputs")
    position = models.PositiveSmallIntegerField()
    ref = models.CharField(max_length=200)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["task", "position"], name="one_output_per_position"),
            models.UniqueConstraint(fields=["task", "ref"], name="one_output_per_ref"),
        ]

    def __str__(self) -> str:
        return f"output {self.ref} of {self.task}"


class Exemption(models.Model):
    """A task that somebody is not asked: they wrote what it is about, or put it off."""

    class Why(models.TextChoices):
        WROTE = "wrote"
        LATER = "later"  # it comes back to them when nothing else is left
        SAW = "saw"  # they have seen what others answered

    task = models.ForeignKey(
        Task, on_delete=models.CASCADE, related_name="exemptions", db_index=False
    )
    annotator = models.ForeignKey(
        Annotator, on_delete=models.CASCADE, related_name="exemptions", db_index=False
    )
    why = models.CharField(max_length=10, choices=Why.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["task", "annotator"], name="one_exemption_per_annotator"
            )
        ]
        indexes = [
            models.Index(
                fields=["annotator", "id"],
                condition=models.Q(why="later"),
                name="exemption_later",
            )
        ]

    def __str__(self) -> str:
        return f"{self.annotator} is not asked {self.task}"


class Flag(models.Model):
    """Somebody says that nobody should be asked this; a curator decides."""

    class State(models.TextChoices):
        OPEN = "open"
        PUT_BACK = "put_back", "put back"
        SET_ASIDE = "set_aside", "set aside"

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="flags")
    annotator = models.ForeignKey(
        Annotator, null=True, on_delete=models.SET_NULL, related_name="flags"
    )
    # Of the skip that said so.
    round = models.PositiveSmallIntegerField(default=1, db_default=1)
    reason = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["id"], condition=models.Q(state="open"), name="flag_open")]

    def __str__(self) -> str:
        return f"flag {self.pk} on {self.task}"
