from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from annotation.aggregators.base import (
    Aggregator,
    Merged,
    Outcome,
    Question,
    Verdict,
    said_by,
)

# Each output also wins and loses once against one of strength 1. So every strength is finite
# and unique, however few votes there are (the logistic prior of Newman, JMLR 24, 2023).
PRIOR = 1.0
EVEN = 1e-6  # nearer than this to one half is a tie
STEPS = 20_000
CLOSE = 1e-12


class BradleyTerry(Aggregator):
    """How strong each output is, from all votes on its prompt in the selection together.

    Strengths are fitted by Hunter's MM algorithm (Annals of Statistics 32, 2004); a tie counts as
    half a win for each. An output wins a pair when it is the stronger one, and the agreement is
    the probability of that. "All bad" votes compare nothing; where they are most, the verdict
    is bad.
    """

    label = "Bradley-Terry: strengths from all votes together"

    def merge(self, selection: Iterable[Question]) -> Iterator[Merged]:
        strengths = fit(_wins(selection))
        for question in selection:
            yield Merged(
                question,
                tuple(verdict_between(question, strengths, *pair) for pair in question.pairs),
            )


def _wins(selection: Iterable[Question]) -> dict[tuple[str, str], float]:
    """How often the first was better than the second, ties counting half for each."""
    wins: defaultdict[tuple[str, str], float] = defaultdict(float)
    for question in selection:
        for first, second in question.pairs:
            one, other = question.outputs[first], question.outputs[second]
            if one == other:
                continue
            for vote in question.votes:
                said = said_by(vote, first, second)
                if said == Outcome.FIRST:
                    wins[one, other] += 1
                elif said == Outcome.SECOND:
                    wins[other, one] += 1
                elif said == Outcome.TIE:
                    wins[one, other] += 0.5
                    wins[other, one] += 0.5
    return wins


def fit(wins: dict[tuple[str, str], float]) -> dict[str, float]:
    """The strength of each output that was compared."""
    import numpy as np

    # Sorted, so that the same votes give the same numbers in whatever order they came.
    names = sorted({name for pair in wins for name in pair})
    if not names:
        return {}
    place = {name: number for number, name in enumerate(names)}
    pairs = sorted({(place[a], place[b]) if a < b else (place[b], place[a]) for a, b in wins})
    one = np.array([a for a, _ in pairs])
    other = np.array([b for _, b in pairs])
    won = np.array([wins.get((names[a], names[b]), 0.0) for a, b in pairs])
    lost = np.array([wins.get((names[b], names[a]), 0.0) for a, b in pairs])

    size = len(names)
    total = PRIOR + np.bincount(one, won, size) + np.bincount(other, lost, size)
    strength = np.ones(size)
    for _ in range(STEPS):
        met = (won + lost) / (strength[one] + strength[other])
        faced = np.bincount(one, met, size) + np.bincount(other, met, size)
        stronger = total / (faced + 2 * PRIOR / (strength + 1))
        moved = np.abs(np.log(stronger / strength)).max()
        strength = stronger
        if moved < CLOSE:
            break
    return dict(zip(names, strength.tolist(), strict=True))


def verdict_between(
    question: Question, strengths: dict[str, float], first: int, second: int
) -> Verdict:
    """Which of two is the stronger, and how likely it is to win against the other."""
    said = (said_by(vote, first, second) for vote in question.votes)
    votes = Counter(outcome for outcome in said if outcome is not None)
    bad = votes[Outcome.BAD]
    compared = votes.total() - bad
    if bad > compared:
        return Verdict(first, second, Outcome.BAD, bad / votes.total())
    if not compared:
        return Verdict(first, second, Outcome.NONE, 0.0)
    one = strengths.get(question.outputs[first], 1.0)
    other = strengths.get(question.outputs[second], 1.0)
    better = one / (one + other)
    if abs(better - 0.5) < EVEN:
        return Verdict(first, second, Outcome.TIE, 0.5)
    if better > 0.5:
        return Verdict(first, second, Outcome.FIRST, better)
    return Verdict(first, second, Outcome.SECOND, 1 - better)
