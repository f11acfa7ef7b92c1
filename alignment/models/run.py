from pathlib import Path

from django.conf import settings
from django.db import models

from alignment.methods import METHODS, Method
from alignment.models.checkpoint import Checkpoint
from alignment.models.process import Process, ProcessQuerySet
from annotation.models import DatasetVersion
from truing.models import Project


def method_choices() -> list[tuple[str, str]]:
    # A function, so that a new method needs no migration.
    return [(name, method.label) for name, method in METHODS.items()]


class RunQuerySet(ProcessQuerySet):
    def for_lists(self, project: Project) -> "RunQuerySet":
        """With all that a list shows of each, the newest first."""
        return (
            self.filter(project=project)
            .select_related("base", "created_by", "checkpoint")
            .prefetch_related("datasets__dataset__project")
            .order_by("-pk")
        )

    def narrowed(self, *, text: str = "", method: str = "", state: str = "") -> "RunQuerySet":
        """Those called so, of one method, or in one state."""
        found: RunQuerySet = self.filter(name__icontains=text) if text else self
        if method:
            found = found.filter(method=method)
        return found.filter(state=state) if state else found


class Run(Process):
    """One training: what it was given, where it runs, how it ended."""

    name = models.CharField(max_length=200, blank=True)  # what its checkpoint will be called
    method = models.CharField(max_length=40, choices=method_choices)
    options = models.JSONField(default=dict)
    datasets = models.ManyToManyField(DatasetVersion, related_name="runs")
    base = models.ForeignKey(
        Checkpoint, null=True, blank=True, on_delete=models.PROTECT, related_name="runs_from_it"
    )
    reward = models.ForeignKey(  # the reward model, for methods that ask one
        Checkpoint, null=True, blank=True, on_delete=models.PROTECT, related_name="runs_with_it"
    )
    # Whether people are asked about its checkpoint as soon as there is one.
    review_after = models.BooleanField(default=True)
    result = models.JSONField(default=dict, blank=True)  # the last metrics, and those on eval rows

    objects = RunQuerySet.as_manager()  # type: ignore[misc]

    def __str__(self) -> str:
        return self.name or f"{self.method} run {self.pk}"

    @property
    def training_method(self) -> Method:
        return METHODS[self.method]

    @property
    def folder(self) -> Path:
        return Path(settings.RUNS) / str(self.pk)

    @property
    def program(self) -> str:
        return "alignment.train"

    @property
    def reads(self) -> list[Checkpoint]:
        return [model for model in (self.base, self.reward) if model]
