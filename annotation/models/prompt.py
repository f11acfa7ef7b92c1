"""Prompts, and the side of the split on which each one stands for good."""

import hashlib
import json
import unicodedata
from typing import Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Exists, OuterRef, Q

from truing.models import Project

Message = dict[str, str]  # {"role": "system" | "user" | "assistant", "content": text}


def split_of(first_user_turn: str, *, eval_percent: int, review_percent: int) -> str:
    """The side on which everything that grows from this question stands.

    A hash without a salt of the folded text, so that the same question lands on the same side
    in every project with the same shares, whatever its case, spacing or system message.
    """
    folded = " ".join(unicodedata.normalize("NFKC", first_user_turn).casefold().split())
    place = int.from_bytes(hashlib.sha256(folded.encode()).digest()[:8], "big") / 2**64 * 100
    if place < review_percent:
        return Prompt.Split.REVIEW
    if place < review_percent + eval_percent:
        return Prompt.Split.EVAL
    return Prompt.Split.TRAIN


def digest_of(value: Any) -> str:
    """SHA-256 of a value's canonical JSON."""
    text = _canonical_json(value)
    # The database writes 1e+22 with all its digits, and reads it back as a whole number.
    if "e+" in text:
        text = _canonical_json(_with_whole_numbers(value))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _canonical_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _with_whole_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_whole_numbers(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_whole_numbers(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def prompt_digest(
    messages: list[Message], language: str, source: str, tags: list[str], meta: dict[str, Any]
) -> str:
    """What makes two prompts the same: everything that they say about themselves.

    Tags count in their order, so that every line is exported as it came.
    """
    return digest_of([messages, language, source, tags, meta])


def all_tags(own: list[str], judged: list[str]) -> list[str]:
    """What a dataset says of a prompt: the tags that it came with, and those people gave it."""
    return sorted({*own, *judged})


class PromptQuerySet(models.QuerySet["Prompt"]):
    def on_side(self, split: str) -> "PromptQuerySet":
        return self.filter(split=split)

    def matching(self, words: str) -> "PromptQuerySet":
        """Those that say this, in their last turn or in an output."""
        output = apps.get_model("annotation", "Output")._default_manager
        said = output.filter(prompt=OuterRef("pk"), text__icontains=words)
        return self.filter(Q(text__icontains=words) | Exists(said))

    def from_source(self, source: str) -> "PromptQuerySet":
        """Those that come from there, or have an output that openly does."""
        output: Any = apps.get_model("annotation", "Output")._default_manager
        made = output.open_to_all().filter(prompt=OuterRef("pk"), source=source)
        return self.filter(Q(source=source) | Exists(made))

    def answered(self, wanted: bool) -> "PromptQuerySet":
        """Those about which somebody has answered a question, or nobody has."""
        slot = apps.get_model("annotation", "Assignment")._default_manager
        given = slot.filter(task__prompt=OuterRef("pk"), state="answered")
        return self.filter(Exists(given) if wanted else ~Exists(given))

    def marked(self, asked_now: "PromptQuerySet") -> "PromptQuerySet":
        """With `is_asked`: whoever looks is asked about these, and is not told what others say."""
        return self.annotate(is_asked=Exists(asked_now.filter(pk=OuterRef("pk"))))

    def narrowed(
        self,
        *,
        tag: str = "",
        language: str = "",
        source: str = "",
        split: str = "",
        asked_now: "PromptQuerySet | None" = None,
    ) -> "PromptQuerySet":
        """Those of which all that is given is true, as far as whoever looks may know."""
        wanted = Q()
        if tag:
            judged = Q(judged_tags__contains=[tag])
            if asked_now is not None:
                judged &= ~Q(pk__in=asked_now.values("pk"))
            wanted &= Q(tags__contains=[tag]) | judged
        if language:
            wanted &= Q(language=language)
        if split:
            wanted &= Q(split=split)
        return self.filter(wanted).from_source(source) if source else self.filter(wanted)


class Prompt(models.Model):
    """A conversation to be answered. Once judged it is not edited: a changed one is another."""

    class Split(models.TextChoices):
        TRAIN = "train"
        EVAL = "eval"
        REVIEW = "review"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="prompts")
    # The id of the line that brought it, where that line asks nothing (no task keeps the id then).
    ref = models.CharField(max_length=200, blank=True)
    # What that line would ask, had it outputs enough.
    task_type = models.CharField(max_length=40, blank=True)
    digest = models.CharField(max_length=64)
    messages = models.JSONField()
    text = models.TextField()  # the last user turn, for lists and search
    language = models.CharField(max_length=35, blank=True)
    source = models.CharField(max_length=200, blank=True)
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    # What most of those who classified it say: derived from their answers, see `retag.py`.
    judged_tags = ArrayField(
        models.CharField(max_length=100), default=list, db_default=[], blank=True
    )
    meta = models.JSONField(default=dict, blank=True)
    # The output that this conversation goes on from: conversations are trees.
    parent = models.ForeignKey(
        "Output", null=True, blank=True, on_delete=models.PROTECT, related_name="continuations"
    )
    split = models.CharField(max_length=10, choices=Split.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PromptQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "ref"], condition=~Q(ref=""), name="one_prompt_per_ref"
            ),
            models.UniqueConstraint(
                fields=["project", "digest", "parent"],
                condition=Q(ref=""),
                nulls_distinct=False,
                name="one_prompt_per_digest",
            ),
        ]
        indexes = [
            models.Index(fields=["project", "split", "id"], name="prompt_by_split"),
            GinIndex(fields=["tags"], name="prompt_by_tag"),
            GinIndex(fields=["judged_tags"], name="prompt_by_judged_tag"),
        ]

    def __str__(self) -> str:
        return self.text[:80]

    @property
    def all_tags(self) -> list[str]:
        return all_tags(self.tags, self.judged_tags)
