from collections.abc import Iterable, Iterator

from annotation.aggregators.base import Aggregator, Merged, Outcome, Question, Verdict
from annotation.aggregators.units import Scheme, Unit, units_of

EVEN = 1e-6  # labels nearer to each other than this are equally likely


class DawidSkene(Aggregator):
    """The likeliest answer, given how each annotator takes one answer for another.

    First, tie, second and bad are labels, of which each annotator confuses some with others in a
    way of their own (Dawid and Skene 1979). A ranking counts as its pairs; where everybody only
    says which of several outputs is the best, that is one label. The agreement is how likely the
    answer is; there is none where two are equally likely.
    """

    label = "Dawid-Skene: weighed by what each annotator takes for what"

    def merge(self, selection: Iterable[Question]) -> Iterator[Merged]:
        likely = _likelihoods(selection)
        for question in selection:
            verdicts: list[Verdict] = []
            for unit in units_of(question):
                shares = next(likely[unit.scheme]) if unit.votes else []
                verdicts += (_verdict(unit, shares, *pair) for pair in unit.pairs)
            yield Merged(question, tuple(verdicts))


def _likelihoods(selection: Iterable[Question]) -> dict[Scheme, Iterator[list[float]]]:
    """How likely each label of each unit is, for each scheme the units in their order."""
    from annotation.aggregators.crowd.answers import Gathering
    from annotation.aggregators.crowd.confusion import fit

    gathered: dict[Scheme, Gathering] = {}
    for question in selection:
        for unit in units_of(question):
            if unit.votes:
                gathered.setdefault(unit.scheme, Gathering()).add(unit.votes)
    return {
        scheme: (shares.tolist() for shares in fit(answers.answers()))
        for scheme, answers in gathered.items()
    }


def _verdict(unit: Unit, shares: list[float], first: int, second: int) -> Verdict:
    if not shares:
        return Verdict(first, second, Outcome.NONE, 0.0)
    says = [unit.scheme.says(label, first, second) for label in range(len(shares))]
    most = max(shares)
    leading = {what for what, share in zip(says, shares, strict=True) if share > most - EVEN}
    if len(leading) > 1:
        return Verdict(first, second, Outcome.NONE, most)
    [outcome] = leading
    agreement = sum(share for what, share in zip(says, shares, strict=True) if what == outcome)
    return Verdict(first, second, outcome, min(agreement, 1.0))
