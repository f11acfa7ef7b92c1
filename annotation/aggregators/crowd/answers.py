"""Answers as arrays: who gave which label to which unit."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from annotation.aggregators.crowd.sums import Places


@dataclass(frozen=True, slots=True)
class Answers:
    """N answers, each a unit, an annotator and a label, numbered from 0; shape (N,) each.

    They are sorted by unit, and every unit has at least one.
    """

    unit: Places
    annotator: Places
    label: Places
    units: int
    annotators: int
    labels: int


class Gathering:
    """Answers while they come in: 12 bytes each."""

    def __init__(self) -> None:
        self.units = 0
        self._unit = array("i")
        self._annotator = array("i")
        self._label = array("i")
        self._numbers: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._unit)

    @property
    def annotators(self) -> list[int]:
        """The annotators as they were named, in the order of their numbers."""
        return list(self._numbers)

    def add(self, votes: Iterable[tuple[int, int]]) -> int | None:
        """Take in who said what of the next unit; its number, or nothing where nobody did."""
        before = len(self._unit)
        for annotator, label in votes:
            self._unit.append(self.units)
            self._annotator.append(self._numbers.setdefault(annotator, len(self._numbers)))
            self._label.append(label)
        if len(self._unit) == before:
            return None
        self.units += 1
        return self.units - 1

    def answers(self) -> Answers:
        """All that came in. Labels keep their numbers."""
        label = np.array(self._label, dtype=np.int64)
        return Answers(
            unit=np.array(self._unit, dtype=np.int64),
            annotator=np.array(self._annotator, dtype=np.int64),
            label=label,
            units=self.units,
            annotators=len(self._numbers),
            labels=int(label.max()) + 1 if label.size else 0,
        )
