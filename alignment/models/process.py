"""What a training run and a batch of generation share: a process elsewhere, and its state."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from django.db import connection, models

from alignment.backends import BACKENDS
from truing.models import Project, User

if TYPE_CHECKING:
    from alignment.models.checkpoint import Checkpoint


def backend_choices() -> list[tuple[str, str]]:
    # A function, so that a new backend needs no migration.
    return [(name, backend.label) for name, backend in BACKENDS.items()]


class ProcessQuerySet(models.QuerySet):  # type: ignore[type-arg]
    def waiting(self) -> Self:
        return self.filter(state=Process.State.QUEUED).order_by("created_at", "pk")

    def unfinished(self) -> Self:
        return self.waiting() | self.alive()

    def alive(self) -> Self:
        return self.filter(
            state__in=[Process.State.STARTING, Process.State.RUNNING, Process.State.CANCELLING]
        )


class Process(models.Model):
    """Something long that runs in a process and a folder of its own."""

    class State(models.TextChoices):
        QUEUED = "queued"
        STARTING = "starting"
        RUNNING = "running"
        CANCELLING = "cancelling"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="%(class)ss")
    backend = models.CharField(max_length=40, choices=backend_choices, default="local")
    handle = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=20, choices=State.choices, default=State.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    step = models.PositiveIntegerField(default=0)
    total_steps = models.PositiveIntegerField(default=0)  # 0 while it is not known
    problem = models.TextField(blank=True)  # one sentence, when it failed
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    cancel_asked_at = models.DateTimeField(null=True, blank=True)

    objects = ProcessQuerySet.as_manager()

    class Meta:
        abstract = True

    @property
    def folder(self) -> Path:
        raise NotImplementedError

    @property
    def program(self) -> str:
        """The module that is run in the folder."""
        raise NotImplementedError

    @property
    def reads(self) -> "list[Checkpoint]":
        """The models that it is given."""
        raise NotImplementedError

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether nobody else looks after it meanwhile. A lock that dies with its holder."""
        key = [zlib.crc32(self._meta.label.encode()) - 2**31, self.pk % 2**31]
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", key)
            [mine] = cursor.fetchone() or [False]
        try:
            yield mine
        finally:
            if mine:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_unlock(%s, %s)", key)

    @property
    def can_be_cancelled(self) -> bool:
        return self.state in (self.State.QUEUED, self.State.STARTING, self.State.RUNNING)

    @property
    def can_be_resumed(self) -> bool:
        return self.state in (self.State.FAILED, self.State.CANCELLED)

    @property
    def has_ended(self) -> bool:
        return self.state in (self.State.SUCCEEDED, self.State.FAILED, self.State.CANCELLED)

    def move(self, old: "Process.State", new: "Process.State", **fields: Any) -> bool:
        """Go from one state to the next. False: another process did it first."""
        moved = (
            type(self)._default_manager.filter(pk=self.pk, state=old).update(state=new, **fields)
        )
        self.refresh_from_db()
        return moved == 1
