from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from alignment.models.checkpoint import Checkpoint
from alignment.models.process import Process


class Generation(Process):
    """A batch of answers that a checkpoint gives to prompts of its project."""

    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="generations")
    prompts = ArrayField(models.BigIntegerField())  # their primary keys
    samples = models.PositiveSmallIntegerField(default=1)  # answers a prompt
    params = models.JSONField(default=dict)  # temperature, top_p, max_new_tokens, seed
    made = models.PositiveIntegerField(default=0)  # outputs that came in
    taken = models.PositiveIntegerField(default=0)  # lines of outputs.jsonl that were read

    def __str__(self) -> str:
        return f"generation {self.pk} by {self.checkpoint}"

    @property
    def folder(self) -> Path:
        return Path(settings.GENERATIONS) / str(self.pk)

    @property
    def program(self) -> str:
        return "alignment.sample"

    @property
    def reads(self) -> list[Checkpoint]:
        return [self.checkpoint]

    @property
    def params_of_outputs(self) -> dict[str, Any]:
        """How each output was sampled; how many were made at once does not belong to it."""
        return {name: value for name, value in self.params.items() if name != "batch_size"}
