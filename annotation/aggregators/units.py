"""Votes as labels of units: what models of annotators work on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from annotation.aggregators.base import (
    BOTH,
    FIRST_BEST,
    SECOND_BEST,
    Outcome,
    Question,
    Vote,
    said_by,
)

OUTCOMES = (Outcome.FIRST, Outcome.TIE, Outcome.SECOND, Outcome.BAD)
OF_TWO = {FIRST_BEST: 0, BOTH: 1, SECOND_BEST: 2}  # most questions are about two outputs


@dataclass(frozen=True, slots=True)
class Scheme:
    """What the numbers of labels mean: of two outputs as above, or else which of several is best.

    In a scheme of several the label after the last output is "all bad".
    """

    outputs: int = 2

    @property
    def bad(self) -> int:
        """The label that calls all outputs bad, which is the last one."""
        return max(self.outputs, len(OUTCOMES) - 1)

    def says(self, label: int, first: int, second: int) -> Outcome:
        """What a label says of two outputs, named by their places."""
        if self.outputs == 2:
            return OUTCOMES[label]
        if label == self.bad:
            return Outcome.BAD
        if label == first:
            return Outcome.FIRST
        return Outcome.SECOND if label == second else Outcome.TIE


PAIR = Scheme()


@dataclass(frozen=True, slots=True)
class Unit:
    """A question, or a pair of a ranking: which pairs it decides, and who gave which label."""

    scheme: Scheme
    pairs: Sequence[tuple[int, int]]
    votes: list[tuple[int, int]]


def units_of(question: Question) -> Iterator[Unit]:
    """A question's units. Together they decide each of its pairs once, in their order."""
    pairs = list(question.pairs)
    several = len(question.outputs)
    best = [_best(vote, several) for vote in question.votes] if several > 2 else []
    chosen = [
        (vote.annotator, label)
        for vote, label in zip(question.votes, best, strict=False)
        if label is not None
    ]
    if chosen and len(chosen) == len(question.votes):
        yield Unit(Scheme(several), pairs, chosen)
        return
    for pair in pairs:
        said = [(vote.annotator, _of_pair(vote, *pair, several)) for vote in question.votes]
        yield Unit(PAIR, [pair], [(who, label) for who, label in said if label is not None])


def _of_pair(vote: Vote, first: int, second: int, several: int) -> int | None:
    if several == 2 and not vote.all_bad and vote.tiers in OF_TWO:
        return OF_TWO[vote.tiers]
    said = said_by(vote, first, second)
    return None if said is None else OUTCOMES.index(said)


def _best(vote: Vote, several: int) -> int | None:
    """The one output that a vote calls better than all others, which it leaves equal."""
    if vote.all_bad:
        return several
    if len(vote.tiers) == 2 and len(vote.tiers[0]) == 1 and len(vote.tiers[1]) == several - 1:
        return vote.tiers[0][0]
    return None
