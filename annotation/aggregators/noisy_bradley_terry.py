import math
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from annotation.aggregators.base import Aggregator, Merged, Outcome, Question, Vote, said_by
from annotation.aggregators.bradley_terry import verdict_between

if TYPE_CHECKING:
    from annotation.aggregators.crowd.noisy_comparisons import Comparisons


class NoisyBradleyTerry(Aggregator):
    """Bradley-Terry by people who sometimes do not look, and then have a side they like.

    Strengths as in `bradley_terry`, from all votes on a prompt's outputs together; but each
    annotator has a skill, how often they look at all, and a side they choose when they do not
    (Bugakova et al. 2019). The side is that on which an output was shown; where nobody knows, a
    guess may fall on either. A tie counts as half a win for each; "all bad" compares nothing, and
    where it is said most, the verdict is bad.
    """

    label = "Noisy Bradley-Terry: strengths, with each annotator's skill and side"

    def merge(self, selection: Iterable[Question]) -> Iterator[Merged]:
        strengths = {name: math.exp(score) for name, score in fit(selection).scores.items()}
        for question in selection:
            yield Merged(
                question,
                tuple(verdict_between(question, strengths, *pair) for pair in question.pairs),
            )


@dataclass(frozen=True)
class Fitted:
    """`scores` are in logits by output; `skills` and `left` are 0 to 1 by annotator.

    A skill is how often they look, `left` how often they choose the left when they do not.
    """

    scores: dict[str, float]
    skills: dict[int, float]
    left: dict[int, float]


def fit(selection: Iterable[Question]) -> Fitted:
    """The scores of all outputs that were compared, and what that says of the annotators."""
    from annotation.aggregators.crowd.noisy_comparisons import fit as fitted

    compared = _Compared()
    for question in selection:
        for pair in question.pairs:
            compared.add(question, *pair)
    found = fitted(compared.as_arrays())
    return Fitted(
        dict(zip(compared.items, found.score.tolist(), strict=True)),
        dict(zip(compared.annotators, found.skill.tolist(), strict=True)),
        dict(zip(compared.annotators, found.left.tolist(), strict=True)),
    )


@dataclass
class _Compared:
    """Comparisons while they come in: 21 bytes each."""

    items: dict[str, int] = field(default_factory=dict)
    annotators: dict[int, int] = field(default_factory=dict)
    winner: "array[int]" = field(default_factory=lambda: array("i"))
    loser: "array[int]" = field(default_factory=lambda: array("i"))
    annotator: "array[int]" = field(default_factory=lambda: array("i"))
    side: "array[int]" = field(default_factory=lambda: array("b"))
    weight: "array[float]" = field(default_factory=lambda: array("d"))

    def add(self, question: Question, first: int, second: int) -> None:
        if question.outputs[first] == question.outputs[second]:
            return
        for vote in question.votes:
            said = said_by(vote, first, second)
            if said == Outcome.FIRST:
                self._add(question, vote, first, second, 1.0)
            elif said == Outcome.SECOND:
                self._add(question, vote, second, first, 1.0)
            elif said == Outcome.TIE:
                self._add(question, vote, first, second, 0.5)
                self._add(question, vote, second, first, 0.5)

    def _add(self, question: Question, vote: Vote, better: int, worse: int, weight: float) -> None:
        for output, column in ((better, self.winner), (worse, self.loser)):
            name = question.outputs[output]
            column.append(self.items.setdefault(name, len(self.items)))
        self.annotator.append(self.annotators.setdefault(vote.annotator, len(self.annotators)))
        self.side.append(_side(vote, better, worse))
        self.weight.append(weight)

    def as_arrays(self) -> "Comparisons":
        import numpy as np

        from annotation.aggregators.crowd.noisy_comparisons import Comparisons

        return Comparisons(
            winner=np.array(self.winner, dtype=np.int64),
            loser=np.array(self.loser, dtype=np.int64),
            annotator=np.array(self.annotator, dtype=np.int64),
            side=np.array(self.side, dtype=np.float64),
            weight=np.array(self.weight, dtype=np.float64),
            items=len(self.items),
            annotators=len(self.annotators),
        )


def _side(vote: Vote, output: int, other: int) -> int:
    """1 where the output was shown left of the other (or above), -1 right, 0 nobody knows."""
    if output not in vote.shown or other not in vote.shown:
        return 0
    return 1 if vote.shown.index(output) < vote.shown.index(other) else -1
