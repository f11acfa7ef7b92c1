from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Exists, OuterRef, Q

from annotation.models.prompt import Prompt, digest_of


def output_digest(text: str, params: dict[str, Any] | None = None) -> str:
    """What makes two outputs of one source the same: the text, and how it was sampled."""
    return digest_of([text, params] if params else text)


class OutputQuerySet(models.QuerySet["Output"]):
    def under_review(self) -> "OutputQuerySet":
        """Those whose source nobody may know yet: they are, or will be, judged in a review.

        A checkpoint answers review prompts in order to be reviewed; when a review is over, its
        queue is closed.
        """
        return self.filter(self._is_under_review())

    def open_to_all(self) -> "OutputQuerySet":
        """Those whose source may be shown."""
        # Asked of each row, so that a page of a list reads no more than its rows.
        return self.filter(~self._is_under_review())

    def narrowed(
        self, *, text: str = "", source: str = "", split: str = "", language: str = ""
    ) -> "OutputQuerySet":
        """Those that say this, come from there, or answer such prompts."""
        found = self
        if text:
            found = found.filter(text__icontains=text)
        if source:
            found = found.filter(source=source)
        if split:
            found = found.filter(prompt__split=split)
        if language:
            found = found.filter(prompt__language=language)
        return found

    def _is_under_review(self) -> Q:
        reviewed = self._in_reviews()
        running = reviewed.exclude(task__queue__state="closed")
        finished = reviewed.filter(task__queue__state="closed")
        waiting = Q(prompt__split="review", source__startswith="checkpoint:")
        return Q(Exists(running)) | (waiting & ~Q(Exists(finished)))

    @staticmethod
    def _in_reviews() -> "models.QuerySet[models.Model]":
        place = apps.get_model("annotation", "TaskOutput")
        found: models.QuerySet[models.Model] = place._default_manager.filter(
            output=OuterRef("pk")
        ).exclude(task__queue__reserved_for="")
        return found


class Output(models.Model):
    """One answer to a prompt. An empty text is a fact: a model that said nothing."""

    prompt = models.ForeignKey(Prompt, on_delete=models.CASCADE, related_name="outputs")
    text = models.TextField(blank=True)
    digest = models.CharField(max_length=64)
    # "checkpoint:17", "endpoint:4", "human", or a name. Never shown while it is judged.
    source = models.CharField(max_length=200, blank=True)
    params = models.JSONField(default=dict, blank=True)  # how it was sampled
    # Its id in the line that brought it, where that line asks nothing (no task keeps the id then).
    ref = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OutputQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["prompt", "digest", "source"], name="one_output_per_text_and_source"
            )
        ]
        indexes = [models.Index(fields=["source", "id"], name="output_by_source")]

    def __str__(self) -> str:
        return self.text[:80]
