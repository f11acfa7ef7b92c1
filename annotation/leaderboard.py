"""Rank the sources of outputs by what people prefer: Bradley-Terry scores with intervals."""

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from annotation.aggregators.base import Outcome, Question, said_by
from annotation.aggregators.bradley_terry import PRIOR
from annotation.models import Queue, Task
from annotation.select import Selection, one_moment
from truing.models import Project

if TYPE_CHECKING:
    import numpy as np

# As chess has it: who is 400 points above another is ten times as likely to be preferred.
MIDDLE, TENFOLD = 1000.0, 400.0
ROUNDS = 200
MOST_SOURCES = 200  # those that were compared most often
INTERVAL = (2.5, 97.5)  # per cent
NORMAL = 1.96
STEPS = 100
LONGEST_STEP = 2.0
CLOSE = 1e-9
SEED = 0  # the same answers give the same intervals


@dataclass(frozen=True, slots=True)
class Standing:
    """One source: its score with a 95 % interval, and what that rests on."""

    source: str
    score: float
    low: float
    high: float
    rank: int  # one more than the sources whose interval lies wholly above
    won: float  # share of comparisons, ties counting half
    comparisons: int
    questions: int

    def record(self) -> dict[str, Any]:
        return {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }


@dataclass(frozen=True, slots=True)
class Leaderboard:
    standings: list[Standing]  # the best first
    comparisons: int
    questions: int

    def record(self) -> dict[str, Any]:
        return {
            "comparisons": self.comparisons,
            "questions": self.questions,
            "rounds": ROUNDS,
            "sources": [one.record() for one in self.standings],
        }


def leaderboard(project: Project, queue: Queue | None = None) -> Leaderboard:
    """Who wrote the outputs that people prefer, in a project or a queue.

    What a running review asks is left out: nobody may know yet who wrote what.
    """
    queues = [queue] if queue else list(project.queues.all())
    tasks = Task.objects.filter(queue__in=queues).without_running_reviews()
    compared = Compared()
    with one_moment():
        for question in Selection(tasks, settled=True):
            compared.add(question)
    return compared.leaderboard()


class Compared:
    """Which source was preferred to which, question by question."""

    def __init__(self) -> None:
        self._questions: list[tuple[tuple[str, ...], list[tuple[str, str, float]]]] = []

    def add(self, question: Question) -> None:
        sources = [source_in(name) for name in question.outputs]
        wins: list[tuple[str, str, float]] = []
        for first, second in question.pairs:
            one, other = sources[first], sources[second]
            if one == other:
                continue
            for vote in question.counting:
                said = said_by(vote, first, second)
                if said == Outcome.FIRST:
                    wins.append((one, other, 1.0))
                elif said == Outcome.SECOND:
                    wins.append((other, one, 1.0))
                elif said == Outcome.TIE:
                    wins += [(one, other, 0.5), (other, one, 0.5)]
        if wins:
            self._questions.append((question.outputs, wins))

    def leaderboard(self) -> Leaderboard:
        """Scores of all, and intervals by drawing whole questions again (Efron's bootstrap).

        Answers to one question hang together, so they are drawn or left together. An interval is
        never narrower than the curvature of the likelihood allows.
        """
        import numpy as np

        # In an order that has nothing to do with keys of a database.
        found = sorted(self._questions)
        rows = [(number, *win) for number, (_, wins) in enumerate(found) for win in wins]
        often = Counter(name for _, one, other, _ in rows for name in (one, other))
        if len(often) > MOST_SOURCES:
            kept = set(sorted(often, key=lambda name: (-often[name], name))[:MOST_SOURCES])
            rows = [row for row in rows if row[1] in kept and row[2] in kept]
            often = Counter(name for _, one, other, _ in rows for name in (one, other))
        names = sorted(often)
        if not names:
            return Leaderboard([], 0, 0)
        place = {name: number for number, name in enumerate(names)}
        asked = np.array([number for number, *_ in rows])
        pair = np.array([place[one] * len(names) + place[other] for _, one, other, _ in rows])
        weight = np.array([weight for *_, weight in rows])
        size = len(names)

        def score(
            times: "np.ndarray[Any, Any]",
        ) -> "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]":
            wins = np.bincount(pair, weight * times[asked], size**2)
            return _scores(wins.reshape(size, size))

        scores, error = score(np.ones(len(found)))
        chance = np.random.default_rng(SEED)
        drawn = []
        for _ in range(ROUNDS):
            times = np.bincount(chance.integers(len(found), size=len(found)), minlength=len(found))
            drawn.append(score(times)[0])
        low, high = np.percentile(np.array(drawn), INTERVAL, axis=0)
        # Of few questions nearly the same are drawn each time: what so few say bounds it, too.
        low = np.minimum(low, scores - NORMAL * error)
        high = np.maximum(high, scores + NORMAL * error)
        return _board(names, scores, low, high, rows)


def source_in(name: str) -> str:
    """Of an output as a selection names it: prompt/digest/source."""
    return name.split("/", 2)[2] or "(no source)"


def _scores(wins: "np.ndarray[Any, Any]") -> "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]":
    """The likeliest scores, and how far each is likely to be wrong.

    Of how often each of the rows was preferred to each of the columns. The same strengths as the
    aggregator `bradley_terry` gives, with its prior. Newton's steps find them at once where
    sources are few; the aggregator's take thousands, for any number.
    """
    import numpy as np

    met = wins + wins.T
    won = wins.sum(axis=1) + PRIOR
    logit = np.zeros(len(wins))
    for _ in range(STEPS):
        better = 1 / (1 + np.exp(logit[None, :] - logit[:, None]))
        alone = 1 / (1 + np.exp(-logit))
        slope = won - (met * better).sum(axis=1) - 2 * PRIOR * alone
        spread = met * better * (1 - better)
        curve = np.diag(spread.sum(axis=1) + 2 * PRIOR * alone * (1 - alone)) - spread
        step = np.linalg.solve(curve, slope)
        # Far away a whole step may go too far.
        logit = logit + step * min(1.0, LONGEST_STEP / max(np.abs(step).max(), CLOSE))
        if np.abs(step).max() < CLOSE:
            break
    points = TENFOLD / np.log(10)
    # Of a score beside the mean of all: where they all lie together does not matter.
    apart = np.eye(len(wins)) - 1 / len(wins)
    error = points * np.sqrt(np.diag(apart @ np.linalg.inv(curve) @ apart))
    return MIDDLE + points * (logit - logit.mean()), error


def _board(
    names: list[str],
    scores: "np.ndarray[Any, Any]",
    low: "np.ndarray[Any, Any]",
    high: "np.ndarray[Any, Any]",
    rows: list[tuple[int, str, str, float]],
) -> Leaderboard:
    won: defaultdict[str, float] = defaultdict(float)
    met: defaultdict[str, float] = defaultdict(float)
    asked: defaultdict[str, set[int]] = defaultdict(set)
    for number, one, other, weight in rows:
        won[one] += weight
        for name in (one, other):
            met[name] += weight
            asked[name].add(number)
    standings = [
        Standing(
            source=name,
            score=float(scores[number]),
            low=float(low[number]),
            high=float(high[number]),
            rank=1 + int((low > high[number]).sum()),
            won=won[name] / met[name],
            comparisons=round(met[name]),
            questions=len(asked[name]),
        )
        for number, name in enumerate(names)
    ]
    standings.sort(key=lambda one: (-one.score, one.source))
    comparisons = round(sum(weight for *_, weight in rows))
    return Leaderboard(standings, comparisons, len({number for number, *_ in rows}))
