from pathlib import Path

from django.conf import settings
from django.db import models

from alignment.models.checkpoint import Checkpoint
from alignment.models.process import Process, ProcessQuerySet
from annotation.models import Endpoint

LIVE = [Process.State.STARTING, Process.State.RUNNING, Process.State.CANCELLING]


class Serving(Process):
    """A checkpoint that answers requests, in a process of its own, until it is stopped."""

    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="servings")
    # Made when it first answers; people chat through it.
    endpoint = models.ForeignKey(
        Endpoint, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    port = models.PositiveIntegerField(default=0)  # on this machine alone; 0 while none is known
    answers = models.BooleanField(default=False)  # whether it was healthy when last asked

    objects = ProcessQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["checkpoint"],
                condition=models.Q(state__in=LIVE),
                name="one_live_serving_per_checkpoint",
            )
        ]

    def __str__(self) -> str:
        return f"serving {self.pk} of {self.checkpoint}"

    @property
    def folder(self) -> Path:
        return Path(settings.SERVED) / str(self.pk)

    @property
    def program(self) -> str:
        return "alignment.host"

    @property
    def reads(self) -> list[Checkpoint]:
        return [self.checkpoint]

    @property
    def words(self) -> str:
        """Its state as people say it."""
        if self.state == self.State.RUNNING:
            return "answers" if self.answers else "loading" if not self.port else "not answering"
        words = {self.State.CANCELLING: "stopping", self.State.CANCELLED: "stopped"}
        return words.get(self.State(self.state), self.state)
