"""Say how reliable each annotator is: which share of their answers comes of knowing, not guessing.

The model is MACE (Hovy et al. 2013), on all votes of a project or a queue together. It knows no
gold and no settled answers, only who agrees with whom on what.
"""

from array import array
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import exp, log
from statistics import quantiles
from typing import Any
from zlib import crc32

from annotation.aggregators.base import Outcome, Question
from annotation.aggregators.units import OUTCOMES, Scheme, Unit, units_of
from annotation.models import Annotator, Queue, Task
from annotation.select import Selection, one_moment
from truing.models import Project

DIGITS = 4
FIRST, SECOND = OUTCOMES.index(Outcome.FIRST), OUTCOMES.index(Outcome.SECOND)
TURNED = {FIRST: SECOND, SECOND: FIRST}


@dataclass(frozen=True, slots=True)
class Reliability:
    """Of one annotator; it says nothing while nobody else answered the same (`compared` is 0)."""

    reliability: float  # 0 to 1; who gave few answers stands near the crowd's mean
    answers: int  # units answered: questions, or pairs of a ranking
    compared: int  # of these, what somebody else answered too

    def record(self) -> dict[str, Any]:
        return {**asdict(self), "reliability": round(self.reliability, DIGITS)}


def reliability_of(project: Project, queue: Queue | None = None) -> dict[int, Reliability]:
    """How reliable each annotator of a project or a queue is, by key; who has no vote has none."""
    queues = [queue] if queue else list(project.queues.all())
    heard = Heard()
    with one_moment():
        for question in Selection(Task.objects.filter(queue__in=queues)):
            heard.add(question)
    return heard.reliability()


def by_name(found: Mapping[int, Reliability]) -> dict[str, dict[str, Any]]:
    """The same as commands and the API say it: by pseudonym, in their order."""
    names = dict(Annotator.objects.filter(pk__in=found).values_list("pk", "pseudonym"))
    return {names[key]: found[key].record() for key in sorted(found, key=lambda key: names[key])}


def summary_of(found: Mapping[int, Reliability]) -> dict[str, Any] | None:
    """What a dataset's manifest says of the people behind it: quarters of those compared."""
    known = sorted(one.reliability for one in found.values() if one.compared)
    if len(known) < 2:
        return None
    lower, median, upper = quantiles(known, n=4, method="inclusive")
    values = {
        "least": known[0],
        "lower": lower,
        "median": median,
        "upper": upper,
        "most": known[-1],
    }
    return {
        "model": "mace",
        "annotators": len(known),
        **{name: round(value, DIGITS) for name, value in values.items()},
    }


class Heard:
    """Who said what, while questions come in: some 20 bytes a vote."""

    def __init__(self) -> None:
        from annotation.aggregators.crowd.answers import Gathering

        self._gathering = Gathering()
        self._starts: dict[Scheme, int] = {}  # labels of different schemes have different numbers
        self._schemes = array("i")  # of each unit, the number of outputs

    def add(self, question: Question) -> None:
        order = as_shown(question)
        for unit in units_of(question):
            if unit.votes:
                start = self._start(unit.scheme)
                self._schemes.append(unit.scheme.outputs)
                self._gathering.add((who, start + label) for who, label in placed(unit, order))

    def reliability(self) -> dict[int, Reliability]:
        """How reliable each annotator that was heard is, by key."""
        import numpy as np

        from annotation.aggregators.crowd.competence import fit

        if not self._starts:
            return {}
        answers = self._gathering.answers()
        said = np.bincount(answers.label, minlength=answers.labels)
        choices = np.zeros(max(scheme.outputs for scheme in self._starts) + 1)
        for scheme, start in self._starts.items():
            choices[scheme.outputs] = in_use(said[start : start + scheme.bad + 1].tolist())
        found = fit(answers, choices[np.array(self._schemes, dtype=np.int64)])
        columns = (found.knows.tolist(), found.answers.tolist(), found.compared.tolist())
        return {
            annotator: Reliability(*values)
            for annotator, *values in zip(self._gathering.annotators, *columns, strict=True)
        }

    def _start(self, scheme: Scheme) -> int:
        if scheme not in self._starts:
            self._starts[scheme] = sum(known.bad + 1 for known in self._starts)
        return self._starts[scheme]


def in_use(said: list[int]) -> float:
    """How many labels people choose between: the perplexity of what they say, at least 2.

    Ties may be allowed and hardly ever called. Counted as a label like others, they would make two
    who agree look as if both followed a habit.
    """
    shares = [number / sum(said) for number in said if number]
    return max(2.0, exp(-sum(share * log(share) for share in shares)))


def as_shown(question: Question) -> list[int]:
    """The places of the outputs in the order in which they were shown; where that says nothing, by
    chance.

    A habit is to take what stands first. Which output is first in the task may mean something else:
    where one model always is, whoever knows that it is better would seem to have a habit.
    """
    ranks = [0] * len(question.outputs)
    for vote in question.votes:
        for rank, place in enumerate(vote.shown):
            ranks[place] += rank
    drawn = [crc32(name.encode()) for name in question.outputs]
    return sorted(range(len(ranks)), key=lambda place: (ranks[place], drawn[place]))


def placed(unit: Unit, order: list[int]) -> list[tuple[int, int]]:
    """The votes of a unit, with what they call best named by where it was shown."""
    if unit.scheme.outputs > 2:
        return [
            (who, label if label == unit.scheme.bad else order.index(label))
            for who, label in unit.votes
        ]
    [(first, second)] = unit.pairs
    if order.index(first) < order.index(second):
        return unit.votes
    return [(who, TURNED.get(label, label)) for who, label in unit.votes]
