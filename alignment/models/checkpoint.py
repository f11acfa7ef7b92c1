from pathlib import Path

from django.db import models

from truing.models import Project, User


class CheckpointQuerySet(models.QuerySet["Checkpoint"]):
    def in_project(self, project: Project) -> "CheckpointQuerySet":
        return self.filter(project=project)

    def policies(self) -> "CheckpointQuerySet":
        return self.filter(kind=Checkpoint.Kind.POLICY)

    def rewards(self) -> "CheckpointQuerySet":
        return self.filter(kind=Checkpoint.Kind.REWARD)

    def named(self, project: Project, name: str) -> "CheckpointQuerySet":
        """By name, or by number."""
        found = self.filter(project=project, name=name)
        if name.isdecimal() and len(name) < 19 and not found.exists():
            return self.filter(project=project, pk=int(name))
        return found


class Checkpoint(models.Model):
    """A model on disk: one that a run made, or a base model that was registered."""

    class Kind(models.TextChoices):
        POLICY = "policy"
        REWARD = "reward"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="checkpoints")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    path = models.CharField(max_length=1000)  # a folder, or a name on the Hugging Face hub
    # None for a base model that was registered.
    run = models.OneToOneField(
        "Run", null=True, blank=True, on_delete=models.PROTECT, related_name="checkpoint"
    )
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    facts = models.JSONField(default=dict, blank=True)  # parameters, bytes, architecture, results
    # What a policy said when it was tried before anybody is asked to look at it.
    smoke = models.JSONField(default=list, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CheckpointQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="one_checkpoint_per_name")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def source(self) -> str:
        """What its outputs are marked with."""
        return f"checkpoint:{self.pk}"

    @property
    def folder(self) -> Path:
        return Path(self.path)

    @property
    def is_on_hub(self) -> bool:
        """Whether its path is a name on the Hugging Face hub instead of a folder here."""
        return not self.folder.is_absolute()
