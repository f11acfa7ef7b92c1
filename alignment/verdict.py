"""The running verdict of a review: what people's answers say of candidate and baseline so far."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from alignment.models import Review
from alignment.win_rate import WinRate
from annotation.models import Annotation, Assignment, TaskOutput

POINTS = 60  # of the picture over time

Point = tuple[int, float, float, float]  # prompts answered, rate, low, high


@dataclass(frozen=True)
class Verdict:
    """Prompts count, not answers: several answers to one prompt are merged to their mean."""

    prompts: int  # that both were given
    identical: int  # of these, where both said the same: ties that nobody is asked about
    answered: int  # of the rest, where somebody has answered
    answers: int
    answers_wanted: int
    annotators: int
    wins: int
    ties: int  # with those where both said the same
    losses: int
    win_rate: float  # a tie is half a win
    interval: tuple[float, float]  # 95 %
    history: list[Point] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        """As it is stored and answered: plain, rounded values, without the picture."""
        plain = asdict(self)
        plain.pop("history")
        low, high = self.interval
        return plain | {
            "win_rate": round(self.win_rate, 4),
            "interval": [round(low, 4), round(high, 4)],
        }


def verdict(review: Review) -> Verdict:
    """Count the answers to a review as they are now."""
    if review.queue_id is None:
        return Verdict(len(review.prompts), 0, 0, 0, 0, 0, 0, 0, 0, 0.5, (0.0, 1.0))
    sides = _sides(review)
    identical = len(review.prompts) - len(sides)
    running = Running(identical=identical, asked=len(sides))
    annotators = set()
    answers = 0
    for task, annotator, answer in _answers(review):
        running.add(task, score_of(answer, sides[task]))
        annotators.add(annotator)
        answers += 1
    counted = Counter(_outcome(score) for score in running.scores())
    wanted = Assignment.objects.filter(queue=review.queue_id).exclude(
        state=Assignment.State.SKIPPED
    )
    return Verdict(
        prompts=len(review.prompts),
        identical=identical,
        answered=len(running.votes),
        answers=answers,
        answers_wanted=wanted.count(),
        annotators=len(annotators),
        wins=counted["win"],
        ties=counted["tie"] + identical,
        losses=counted["loss"],
        win_rate=running.now.rate,
        interval=running.now.interval,
        history=_thinned(running.history),
    )


class Running:
    """The win rate after each answer.

    Prompts on which both said the same count as ties in step with the others: at the first
    answer, all of them at once would make every rate look like one half.
    """

    def __init__(self, *, identical: int, asked: int) -> None:
        self.votes: defaultdict[int, list[float]] = defaultdict(list)
        self.rate = WinRate()
        self.identical, self.asked = identical, asked
        self.history: list[Point] = []

    def add(self, task: int, score: float) -> None:
        votes = self.votes[task]
        if votes:
            self.rate.add(_mean(votes), weight=-1)
        votes.append(score)
        self.rate.add(_mean(votes))
        now = self.now
        self.history.append((len(self.votes), now.rate, *now.interval))

    @property
    def now(self) -> WinRate:
        share = len(self.votes) / self.asked if self.asked else 1.0
        found = WinRate(self.rate.prompts, self.rate.total, self.rate.squares)
        found.add(0.5, weight=self.identical * share)
        return found

    def scores(self) -> Iterator[float]:
        return map(_mean, self.votes.values())


def score_of(answer: Mapping[str, Any], sides: Mapping[str, bool]) -> float:
    """1 where the candidate is above the baseline, 0 below it, 1/2 beside it."""
    rank = {
        sides[ref]: place
        for place, tier in enumerate(answer.get("tiers") or [])
        for ref in tier
        if ref in sides
    }
    if len(rank) < 2 or rank[True] == rank[False]:
        return 0.5
    return 1.0 if rank[True] < rank[False] else 0.0


def _sides(review: Review) -> dict[int, dict[str, bool]]:
    """For each task, which of its refs is the candidate's."""
    candidate, _ = review.sources
    rows = TaskOutput.objects.filter(task__queue=review.queue_id).values_list(
        "task", "ref", "output__source"
    )
    sides: defaultdict[int, dict[str, bool]] = defaultdict(dict)
    for task, ref, source in rows:
        sides[task][ref] = source == candidate
    return dict(sides)


def _answers(review: Review) -> Iterator[tuple[int, int, dict[str, Any]]]:
    return (
        Annotation.objects.current()
        .filter(assignment__queue=review.queue_id)
        .order_by("at", "pk")
        .values_list("assignment__task", "assignment__annotator", "answer")
        .iterator()
    )


def _mean(votes: list[float]) -> float:
    return sum(votes) / len(votes)


def _outcome(score: float) -> str:
    return "tie" if score == 0.5 else "win" if score > 0.5 else "loss"


def _thinned(history: list[Point]) -> list[Point]:
    if len(history) <= POINTS:
        return history
    last = len(history) - 1
    return [history[round(number * last / (POINTS - 1))] for number in range(POINTS)]
