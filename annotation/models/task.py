from django.db import models

from annotation.models.output import Output
from annotation.models.prompt import Prompt
from annotation.models.queue import Queue


class TaskQuerySet(models.QuerySet["Task"]):
    def in_project(self, project_id: int) -> "TaskQuerySet":
        return self.filter(queue__project=project_id)

    def with_slots(self) -> "TaskQuerySet":
        """With the numbers of `answered` and `waiting` slots of each task that are votes."""
        slot = models.Q(assignments__purpose__in=["answer", "import"])
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
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TaskQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["queue", "ref"], name="one_task_per_ref")]
        indexes = [models.Index(fields=["ref"], name="task_by_ref")]

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
