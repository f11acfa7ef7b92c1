"""Say what a recipe would freeze, before it is done: derive the rows, and count them."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from annotation.agree import Seen, measured
from annotation.derive import derive
from annotation.derived import Derived, Left
from annotation.models import Prompt
from annotation.recipe import Recipe, read_recipe, recipe_record
from annotation.select import one_moment
from truing.models import Project

SPLITS = tuple(Prompt.Split.values)
CHARACTERS_A_TOKEN = 4  # a rule of thumb for English; always called an estimate


@dataclass
class Preview:
    """What has been counted so far."""

    kind: str
    recipe: Recipe
    left: Left = field(default_factory=Left)
    rows: Counter[str] = field(default_factory=Counter)
    sources: dict[str, Counter[str]] = field(default_factory=dict)
    annotators: set[int] = field(default_factory=set)
    annotations: int = 0
    characters: int = 0
    empty: int = 0
    last_task: int = 0
    last_annotations: set[int] = field(default_factory=set)

    @property
    def total(self) -> int:
        return self.rows.total()

    def add(self, derived: Derived) -> None:
        row = derived.row
        self.rows[derived.split] += 1
        sides = (row.get(name) for name in ("chosen", "rejected", "completion"))
        texts = [text for text in sides if text is not None]
        self.characters += sum(map(len, texts))
        self.characters += sum(len(message["content"]) for message in row["prompt"])
        self.empty += not all(texts)
        for side in ("chosen", "rejected", ""):
            source = row.get(f"{side}_source" if side else "source")
            if source is not None:
                self.sources.setdefault(source, Counter())[side or "rows"] += 1
        # The rows of one task come together, mostly with the same votes behind them.
        if row["task"] is not None and row["task"] != self.last_task:
            self.last_task = row["task"]
            self.last_annotations = set()
        fresh = set(row["annotations"]) - self.last_annotations
        if fresh:
            self.last_annotations |= fresh
            self.annotations += len(fresh)
            self.annotators.update(derived.annotators)

    def counts(self) -> dict[str, Any]:
        """The numbers, as commands, pages and manifests show them."""
        return {
            **self.left.record(),
            "rows": {split: self.rows[split] for split in SPLITS},
            "annotations": self.annotations,
            "annotators": len(self.annotators),
            "empty": self.empty,
            "characters": self.characters,
            "tokens_estimate": self.characters // CHARACTERS_A_TOKEN,
            "sources": {name: dict(sides) for name, sides in sorted(self.sources.items())},
        }

    def agreement(self) -> dict[str, Any] | None:
        """How far the annotators agreed on what was selected."""
        seen: Seen = self.left.seen
        return measured(seen).record() if seen.tasks else None


def preview(project: Project, kind: str, recipe: Any = None) -> Preview:
    """Count what a recipe would give. Nothing is written."""
    known = read_recipe(kind, recipe or {})
    counted = Preview(kind, known)
    with one_moment():
        for derived in derive(project, kind, known, counted.left):
            counted.add(derived)
    return counted


def preview_record(counted: Preview) -> dict[str, Any]:
    return {
        "kind": counted.kind,
        "recipe": recipe_record(counted.recipe),
        "counts": counted.counts(),
        "agreement": counted.agreement(),
    }
