"""What an aggregator is given, and what it gives back. Plain values: no Django, no tables."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import combinations
from typing import Any

Tiers = tuple[tuple[int, ...], ...]  # positions of outputs, best first, ties inside a tier
BOTH = ((0, 1),)
FIRST_BEST = ((0,), (1,))
SECOND_BEST = ((1,), (0,))
AS_THEY_ARE = (0, 1)
TURNED = (1, 0)


class Outcome(StrEnum):
    """What is said of two outputs, which are named by their order in the task."""

    FIRST = "first"
    TIE = "tie"
    SECOND = "second"
    BAD = "bad"  # neither is any good: nobody's preference
    NONE = "none"  # no answer leads


@dataclass(frozen=True, slots=True)
class Vote:
    """One annotator's answer to a question."""

    annotation: int
    annotator: int
    tiers: Tiers
    strength: float | None = None
    all_bad: bool = False
    shown: tuple[int, ...] = ()  # positions in the order shown, left or top first; () unknown


@dataclass(frozen=True, slots=True)
class Question:
    """A task with all its votes."""

    task: int
    # The same output has the same name in every question, and in every database.
    outputs: tuple[str, ...]
    votes: tuple[Vote, ...]
    # Where its outputs stand in the task, when it is one turn of a chat; else they are all of it.
    places: tuple[int, ...] = ()
    # What a reviewer settled. It is no vote: models of annotators learn nothing from it.
    settled: Vote | None = None
    queue: int = 0  # the one that asks it

    @property
    def counting(self) -> tuple[Vote, ...]:
        """What the merged answer rests on: the votes, or the answer that outweighs them."""
        return (self.settled,) if self.settled else self.votes

    @property
    def pairs(self) -> Iterator[tuple[int, int]]:
        """The positions of each two outputs, in their order."""
        return combinations(range(len(self.outputs)), 2)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The merged answer about two outputs of a question, and how sure it is (0 to 1)."""

    first: int
    second: int
    outcome: Outcome
    agreement: float


@dataclass(frozen=True, slots=True)
class Merged:
    """A question and its merged answer: a verdict for each two outputs."""

    question: Question
    verdicts: tuple[Verdict, ...]


class Aggregator:
    """One way to merge votes.

    It is given all votes of a selection, because some ways need them together. The selection can
    be gone through more than once, and is the same each time.
    """

    label: str

    def merge(self, selection: Iterable[Question]) -> Iterator[Merged]:
        raise NotImplementedError

    def merged(self, selection: Iterable[Question]) -> Iterator[Merged]:
        """The same; where a reviewer settled a question, theirs is the merged answer."""
        return map(as_settled, self.merge(selection))


def as_settled(merged: Merged) -> Merged:
    """The merged answer with the verdicts of the settled one, if there is one."""
    question = merged.question
    if question.settled is None:
        return merged
    said = ((pair, said_by(question.settled, *pair)) for pair in question.pairs)
    verdicts = tuple(
        Verdict(*pair, outcome or Outcome.NONE, 1.0 if outcome else 0.0) for pair, outcome in said
    )
    return replace(merged, verdicts=verdicts)


def read_vote(
    answer: Mapping[str, Any],
    refs: Sequence[str],
    *,
    annotation: int,
    annotator: int,
    shown: Sequence[str] = (),
) -> Vote | None:
    """Read a comparative answer; nothing when it compares nothing."""
    all_bad = bool(answer.get("all_bad"))
    tiers = answer.get("tiers")
    if not tiers:
        if not all_bad:
            return None
        placed: Tiers = (tuple(range(len(refs))),)
    elif len(refs) == 2:
        placed = _two(tiers, refs)
    else:
        places = {ref: position for position, ref in enumerate(refs)}
        placed = tuple(tuple(places[ref] for ref in tier) for tier in tiers)
    strength = answer.get("strength")
    return Vote(annotation, annotator, placed, strength, all_bad, _order(shown, refs))


def _two(tiers: Sequence[Sequence[str]], refs: Sequence[str]) -> Tiers:
    # Most questions are about two outputs; three shared values keep many votes small.
    if len(tiers) == 1:
        return BOTH
    return FIRST_BEST if tiers[0][0] == refs[0] else SECOND_BEST


def _order(shown: Sequence[str], refs: Sequence[str]) -> tuple[int, ...]:
    if not shown:
        return ()
    if len(refs) == 2:
        return AS_THEY_ARE if shown[0] == refs[0] else TURNED
    return tuple(refs.index(ref) for ref in shown if ref in refs)


def outcome_of(tiers: Tiers, first: int, second: int) -> Outcome | None:
    """What tiers say of two outputs; nothing when they do not place both."""
    of_first = of_second = -1
    for rank, tier in enumerate(tiers):
        if first in tier:
            of_first = rank
        if second in tier:
            of_second = rank
    if of_first < 0 or of_second < 0:
        return None
    if of_first == of_second:
        return Outcome.TIE
    return Outcome.FIRST if of_first < of_second else Outcome.SECOND


def said_by(vote: Vote, first: int, second: int) -> Outcome | None:
    """What a vote says of two outputs: "all bad" prefers neither, whatever order it gives."""
    return Outcome.BAD if vote.all_bad else outcome_of(vote.tiers, first, second)
