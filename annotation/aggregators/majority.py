from collections import Counter
from collections.abc import Iterable, Iterator

from annotation.aggregators.base import (
    Aggregator,
    Merged,
    Outcome,
    Question,
    Verdict,
    said_by,
)


class Majority(Aggregator):
    """The answer given most often, a tie and "all bad" being answers; none where two lead.

    A ranking counts as its pairs: two people seldom give the same order of seven outputs, and
    still agree on most of its pairs.
    """

    label = "Majority: the answer given most often"

    def merge(self, selection: Iterable[Question]) -> Iterator[Merged]:
        for question in selection:
            yield Merged(question, tuple(_verdict(question, *pair) for pair in question.pairs))


def _verdict(question: Question, first: int, second: int) -> Verdict:
    said = (said_by(vote, first, second) for vote in question.votes)
    votes = Counter(outcome for outcome in said if outcome is not None)
    if not votes:
        return Verdict(first, second, Outcome.NONE, 0.0)
    (leader, most), *others = votes.most_common(2)
    agreement = most / votes.total()
    if others and others[0][1] == most:
        return Verdict(first, second, Outcome.NONE, agreement)
    return Verdict(first, second, leader, agreement)
