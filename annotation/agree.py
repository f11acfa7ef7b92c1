"""Measure how far annotators give the same answers.

An answer is coded as first, tie or second by the order of the task's outputs; "all bad" without an
order counts as a tie. A ranking counts as its pairs: the unit is (task, pair).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import Any

from annotation.aggregators.base import Outcome, Question, outcome_of
from annotation.models import Annotator, Queue, Task
from annotation.select import Selection, one_moment
from truing.models import Project

CODES = {Outcome.FIRST: 0, Outcome.TIE: 1, Outcome.SECOND: 2}
Counts = tuple[int, int, int]  # how often a unit was answered first, tie, second
Table = list[list[int]]
FEW = 5  # so many annotators are also compared two by two


@dataclass(frozen=True)
class Agreement:
    """A value is None where it is not defined: too few answers, or all of them the same."""

    tasks: int
    annotations: int
    annotators: int
    compared: int  # tasks, or pairs of a ranking, with two answers or more
    answers: dict[str, int]
    alpha_nominal: float | None
    alpha_ordinal: float | None
    percent_agreement: float | None
    cohen_kappa: dict[str, float | None]

    def record(self) -> dict[str, Any]:
        """As commands and the API say it, to four digits."""
        return {name: _rounded(value) for name, value in asdict(self).items()}


def agreement(project: Project, queue: Queue | None = None) -> Agreement:
    """How far a project's annotators agree, or those of one queue."""
    queues = [queue] if queue else list(project.queues.all())
    with one_moment():
        return measured(sum(seen_in(queues).values(), Seen()))


def agreement_by_queue(project: Project) -> tuple[Agreement, list[tuple[Queue, Agreement]]]:
    """The project's agreement, and that of each queue, in one go through the answers."""
    with one_moment():
        queues = list(project.queues.order_by("pk"))
        seen = seen_in(queues)
        whole = sum(seen.values(), Seen())
        names = _names(whole, *seen.values())
        each = [(queue, measured(seen[queue.pk], names)) for queue in queues]
        return measured(whole, names), each


@dataclass
class Seen:
    """All that the coefficients need to know of the answers; small, however many there are."""

    tasks: int = 0
    annotations: int = 0
    annotators: set[int] = field(default_factory=set)
    units: Counter[Counts] = field(default_factory=Counter)
    together: dict[tuple[int, int], Table] = field(default_factory=dict)

    def __add__(self, other: "Seen") -> "Seen":
        both = Seen(
            tasks=self.tasks + other.tasks,
            annotations=self.annotations + other.annotations,
            annotators=self.annotators | other.annotators,
            units=self.units + other.units,
        )
        if len(both.annotators) <= FEW:
            for pair in self.together.keys() | other.together.keys():
                tables = [seen.together.get(pair, _empty()) for seen in (self, other)]
                both.together[pair] = [
                    [one + two for one, two in zip(*rows, strict=True)]
                    for rows in zip(*tables, strict=True)
                ]
        return both

    def add(self, question: Question) -> None:
        if not question.votes:
            return
        self.tasks += 1
        self.annotations += len(question.votes)
        self.annotators.update(vote.annotator for vote in question.votes)
        if len(self.annotators) > FEW:
            self.together.clear()
        for pair in question.pairs:
            self._add_unit(_codes(question, *pair))

    def _add_unit(self, codes: dict[int, int]) -> None:
        first, tie, second = (sum(code == wanted for code in codes.values()) for wanted in range(3))
        self.units[first, tie, second] += 1
        if len(self.annotators) <= FEW:
            for one, other in combinations(sorted(codes), 2):
                table = self.together.setdefault((one, other), _empty())
                table[codes[one]][codes[other]] += 1


def seen_in(queues: Sequence[Queue]) -> dict[int, Seen]:
    """What was answered in each of these queues, in one go through the answers."""
    seen = {queue.pk: Seen() for queue in queues}
    for question in Selection(Task.objects.filter(queue__in=seen.keys())):
        seen[question.queue].add(question)
    return seen


def measured(seen: Seen, names: Mapping[int, str] | None = None) -> Agreement:
    """`names` says how those are called who are compared two by two, where that is known."""
    names = _names(seen) if names is None else names
    kappas = {
        "|".join(sorted((names[one], names[other]))): cohen_kappa(table)
        for (one, other), table in seen.together.items()
    }
    answers = [sum(unit[code] * times for unit, times in seen.units.items()) for code in range(3)]
    return Agreement(
        tasks=seen.tasks,
        annotations=seen.annotations,
        annotators=len(seen.annotators),
        compared=sum(times for unit, times in seen.units.items() if sum(unit) > 1),
        answers=dict(zip(("first", "tie", "second"), answers, strict=True)),
        alpha_nominal=krippendorff_alpha(seen.units, ordinal=False),
        alpha_ordinal=krippendorff_alpha(seen.units, ordinal=True),
        percent_agreement=percent_agreement(seen.units),
        cohen_kappa=dict(sorted(kappas.items())),
    )


def _names(*seen: Seen) -> dict[int, str]:
    compared = {annotator for one in seen for pair in one.together for annotator in pair}
    return dict(Annotator.objects.filter(pk__in=compared).values_list("pk", "pseudonym"))


def krippendorff_alpha(units: Counter[Counts], *, ordinal: bool) -> float | None:
    """Krippendorff's alpha (Content Analysis, 2018, chapter 12) from how units were answered.

    Units that were answered alike are counted together, so that its cost does not grow with the
    number of answers or of annotators.
    """
    coincidences = [[0.0] * 3 for _ in range(3)]
    for unit, times in units.items():
        if sum(unit) < 2:
            continue
        for one in range(3):
            for other in range(3):
                pairs = unit[one] * (unit[other] - (one == other))
                coincidences[one][other] += times * pairs / (sum(unit) - 1)
    totals = [sum(row) for row in coincidences]
    distances = list(_distances(totals, ordinal=ordinal))
    expected = sum(totals[one] * totals[other] * apart for one, other, apart in distances)
    if not expected:
        return None
    observed = sum(coincidences[one][other] * apart for one, other, apart in distances)
    return 1 - (sum(totals) - 1) * observed / expected


def percent_agreement(units: Counter[Counts]) -> float | None:
    """Of all two answers to the same unit, how many per cent are the same."""
    same = sum(
        times * count * (count - 1) for unit, times in units.items() for count in unit if count
    )
    pairs = sum(times * sum(unit) * (sum(unit) - 1) for unit, times in units.items())
    return 100 * same / pairs if pairs else None


def cohen_kappa(table: Table) -> float | None:
    """Cohen's kappa of two annotators, from how often one said this and the other that."""
    total = sum(map(sum, table))
    if not total:
        return None
    same = sum(table[code][code] for code in range(3)) / total
    chance = sum(sum(table[code]) * sum(row[code] for row in table) for code in range(3)) / total**2
    return (same - chance) / (1 - chance) if chance < 1 else None


def _codes(question: Question, first: int, second: int) -> dict[int, int]:
    said = ((vote.annotator, outcome_of(vote.tiers, first, second)) for vote in question.votes)
    return {annotator: CODES[outcome] for annotator, outcome in said if outcome is not None}


def _distances(totals: list[float], *, ordinal: bool) -> Iterator[tuple[int, int, float]]:
    for one, other in combinations(range(3), 2):
        apart = 1.0
        if ordinal:
            between = sum(totals[one : other + 1])
            apart = (between - (totals[one] + totals[other]) / 2) ** 2
        yield one, other, apart


def _empty() -> Table:
    return [[0] * 3 for _ in range(3)]


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(inner) for name, inner in value.items()}
    return round(value, 4) if isinstance(value, float) else value
