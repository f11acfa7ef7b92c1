"""A row of a dataset as it is derived, and what gave none."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from annotation.agree import Seen
from annotation.reliability import Heard

T = TypeVar("T")
PIECE = 500
DIGITS = 6


@dataclass(frozen=True, slots=True)
class Derived:
    """A row, the side on which it stands, and whose votes are behind it."""

    split: str
    row: dict[str, Any]
    annotators: tuple[int, ...] = ()


@dataclass
class Left:
    """What was seen on the way, and why some of it gave no row."""

    tasks: int = 0
    answered: int = 0
    settled: int = 0  # by a reviewer
    too_few_votes: int = 0
    pairs: int = 0
    decided: int = 0
    tied: int = 0
    undecided: int = 0
    all_bad: int = 0
    below_agreement: int = 0
    not_adjacent: int = 0
    not_accepted: int = 0
    withdrawn: int = 0  # their author corrected them
    unchanged: int = 0  # edits that leave an output as it was
    other_sources: int = 0
    outputs: int = 0
    not_scored: int = 0
    between: int = 0
    seen: Seen = field(default_factory=Seen)
    heard: Heard = field(default_factory=Heard)

    def record(self) -> dict[str, int]:
        return {name: value for name, value in vars(self).items() if isinstance(value, int)}


def pieces(items: Iterable[T], size: int = PIECE) -> Iterator[list[T]]:
    iterator = iter(items)
    while piece := list(islice(iterator, size)):
        yield piece
