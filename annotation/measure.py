"""Measure how long rows are for a trainer: in tokens of a given model, or by an estimate."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from annotation.exports import Export
from annotation.exports.base import Message, Row
from annotation.preview import CHARACTERS_A_TOKEN
from truing.errors import Invalid

Measure = Callable[[list[Message]], int]


class NoTokenizer(Invalid):
    """There is no tokenizer in that folder."""


@dataclass
class Lengths:
    """How many rows are longer than a trainer would take."""

    export: Export
    measure: Measure
    max_length: int
    estimate: bool
    longest: int = 0
    longer: dict[str, int] = field(default_factory=dict)

    def add(self, split: str, written: Row) -> None:
        longest = max(map(self.measure, self.export.sequences(written)))
        self.longest = max(self.longest, longest)
        self.longer[split] = self.longer.get(split, 0) + (longest > self.max_length)

    def record(self) -> dict[str, Any]:
        return {
            "max_length": self.max_length,
            "longer": self.longer,
            "longest": self.longest,
            "measured_in": "estimated tokens (characters / 4)" if self.estimate else "tokens",
        }

    def sentence(self) -> str:
        about = "By estimate, " if self.estimate else ""
        return (
            f"{about}{sum(self.longer.values()):,} rows are longer than {self.max_length:,} tokens "
            f"(the longest has {self.longest:,}). A reward trainer drops them; others cut them."
        )


def lengths_of(export: Export, max_length: int, tokenizer: str | None) -> Lengths:
    """Measure with the tokenizer in a folder, or estimate."""
    if max_length < 1:
        raise Invalid("The longest length must be at least 1.")
    if tokenizer is None:
        return Lengths(export, _estimate, max_length, estimate=True)
    return Lengths(export, _tokens(tokenizer), max_length, estimate=False)


def _estimate(messages: list[Message]) -> int:
    return -(-sum(len(message["content"]) for message in messages) // CHARACTERS_A_TOKEN)


def _tokens(folder: str) -> Measure:
    if not Path(folder).is_dir():
        raise NoTokenizer(f"There is no folder {folder} with a tokenizer.")
    try:
        from transformers import AutoTokenizer
    except ImportError:
        raise NoTokenizer(
            "To count tokens, install truing[train]. Without --tokenizer they are estimated."
        ) from None
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as problem:
        raise NoTokenizer(f"{folder} holds no tokenizer that can be read.") from problem

    def measure(messages: list[Message]) -> int:
        if tokenizer.chat_template:
            return len(tokenizer.apply_chat_template(messages, tokenize=True, return_dict=False))
        return len(tokenizer("\n".join(message["content"] for message in messages)).input_ids)

    return measure
