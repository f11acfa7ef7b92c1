from collections.abc import Iterable, Iterator

from annotation.aggregators.base import Aggregator, Merged, Outcome, Question, Verdict
from annotation.aggregators.units import PAIR, Scheme, units_of

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
            pairs = iter(list(question.pairs))
            while (pair := next(pairs, None)) is not None:
                scheme, shares = next(likely)
                verdicts.append(_verdict(scheme, shares, *pair))
                if scheme.outputs > 2:
                    verdicts += (_verdict(scheme, shares, *other) for other in pairs)
            yield Merged(question, tuple(verdicts))


def _likelihoods(selection: Iterable[Question]) -> Iterator[tuple[Scheme, list[float]]]:
    """For each unit, in their order, how likely each label is; nothing for one without votes."""
    from annotation.aggregators.crowd.answers import Gathering
    from annotation.aggregators.crowd.confusion import fit

    gathered: dict[Scheme, Gathering] = {}
    kinds = bytearray()  # of each unit: its scheme's number of outputs, 0 where nobody voted
    for question in selection:
        for unit in units_of(question):
            kinds.append(unit.scheme.outputs if unit.votes else 0)
            if unit.votes:
                if unit.scheme not in gathered:
                    gathered[unit.scheme] = Gathering()
                gathered[unit.scheme].add(unit.votes)
    rows = {
        scheme.outputs: (scheme, iter(fit(answers.answers())))
        for scheme, answers in gathered.items()
    }
    for kind in kinds:
        if kind:
            scheme, shares = rows[kind]
            yield scheme, next(shares).tolist()
        else:
            yield PAIR, []


def _verdict(scheme: Scheme, shares: list[float], first: int, second: int) -> Verdict:
    if not shares:
        return Verdict(first, second, Outcome.NONE, 0.0)
    most = max(shares)
    leading = {
        scheme.says(label, first, second)
        for label, share in enumerate(shares)
        if share > most - EVEN
    }
    if len(leading) > 1:
        return Verdict(first, second, Outcome.NONE, most)
    [outcome] = leading
    same = sum(
        share for label, share in enumerate(shares) if scheme.says(label, first, second) == outcome
    )
    return Verdict(first, second, outcome, min(same, 1.0))
