"""Files that somebody uploads on a page, and what became of their lines."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models

from annotation.importers import IMPORTERS
from annotation.models.queue import Queue
from truing.models import Project, User


def format_choices() -> list[tuple[str, str]]:
    # A function, so that a new format needs no migration.
    return [(name, importer.label) for name, importer in IMPORTERS.items()]


class ImportQuerySet(models.QuerySet["Import"]):
    def of_people(self, project: Project) -> "ImportQuerySet":
        """Those of a project with who uploaded them, the newest first."""
        return self.filter(project=project).select_related("created_by", "queue").order_by("-pk")


class Import(models.Model):
    """One uploaded file on its way into a project. The command line needs no such row."""

    class State(models.TextChoices):
        UPLOADED = "uploaded"  # shown to the person, who has not said yes
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        CANCELLED = "cancelled"
        FAILED = "failed"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="imports")
    queue = models.ForeignKey(
        Queue, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    format = models.CharField(max_length=40, choices=format_choices, default="feedback")
    # What the person's machine called the file: shown, and never part of a path.
    name = models.CharField(max_length=200, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    bytes_read = models.PositiveBigIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State.choices, default=State.UPLOADED)
    cancel_asked = models.BooleanField(default=False)
    report = models.JSONField(default=dict, blank=True)  # annotation.intake.Report
    problem = models.TextField(blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ImportQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["project", "-id"], name="import_by_project")]

    def __str__(self) -> str:
        return self.name or f"import {self.pk}"

    @property
    def file(self) -> Path:
        """The uploaded file; gone once the import has ended."""
        return Path(settings.UPLOADS) / f"import-{self.pk}"

    @property
    def refusals_file(self) -> Path:
        """Every refused line with its number and its sentence, as JSON lines."""
        return Path(settings.UPLOADS) / f"import-{self.pk}.refused.jsonl"

    @property
    def has_ended(self) -> bool:
        return self.state in (self.State.DONE, self.State.CANCELLED, self.State.FAILED)

    def move(self, before: str, after: str, **values: Any) -> bool:
        """Change the state if it is still what we think it is; say whether it was."""
        moved = Import.objects.filter(pk=self.pk, state=before).update(state=after, **values)
        if moved:
            self.refresh_from_db()
        return bool(moved)
