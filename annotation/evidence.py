"""How much answers speak for carelessness: logarithms of likelihood ratios, which add up.

Plain values in, plain values out. The tests are sequential (Wald, Sequential Analysis, 1947): how
likely is what was seen from a careless person, over how likely it is from a careful one. Of
careful people at most one in 1/risk ever reaches log(1/risk), however often one looks (Ville's
inequality). Side and pace are sums with a floor at zero, as in Page's CUSUM (Biometrika 41, 1954),
so that who becomes careless later is found as well.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import exp, log
from typing import Any

CHANCE = 0.5  # how often a guess between two is right
CAREFUL = 0.85  # a careful person is right so often, unless the whole queue is less sure
CHECKED = 0.98  # and passes so often a check that nobody fails who reads it
UNKNOWN = 0.75  # what is expected while a queue is new
CARELESS_SHARE = 0.3  # of the people of whom nothing is known yet

# Always one side: sides are drawn evenly, so a careful person takes each about half of the time.
ONE_SIDED, TWO_SIDED = 0.96, 0.6
# Far too fast: how many answers of a hasty and of a careful person are below the limit.
HASTY, STEADY = 0.8, 0.1
LIMIT_SPREADS = 2.5  # the limit lies so many spreads below the queue's median...
LIMIT_AT_MOST = 0.25  # ... and is at most this share of it


@dataclass(frozen=True)
class Level:
    """What is usual in a queue; None where too few people have answered to say."""

    accuracy: float | None = None  # how often the median person is right, others being the measure
    gold: float | None = None  # and known answers being the measure
    log_seconds: float | None = None  # of an answer, in the median over people
    spread: float | None = None  # of one person's log seconds, in the median over people

    def record(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def expected(self) -> float:
        """How often a careful person is right where others are the measure."""
        return UNKNOWN if self.accuracy is None else _with_slack(self.accuracy)

    @property
    def expected_of_gold(self) -> float:
        return CAREFUL if self.gold is None else _with_slack(self.gold)

    @property
    def fewest_seconds(self) -> float | None:
        """Below this an answer is far too fast."""
        if self.log_seconds is None:
            return None
        spreads = exp(-LIMIT_SPREADS * (self.spread or 0))
        return exp(self.log_seconds) * min(LIMIT_AT_MOST, spreads)


def _with_slack(usual: float) -> float:
    """The less sure a queue is, the more a careful person may differ from the median one.

    Where people agree by chance alone, nothing is expected of anybody, and nothing follows.
    """
    usual = min(CAREFUL, max(CHANCE, usual))
    return CHANCE + (usual - CHANCE) ** 2 / (CAREFUL - CHANCE)


def of_gold(right: float, wrong: float, level: Level) -> float:
    """From so many right and wrong answers to questions whose answer is known."""
    return _of_known(right, wrong, level.expected_of_gold)


def of_checks(passed: int, failed: int) -> float:
    """From attention checks, which leave no doubt."""
    return _of_known(passed, failed, CHECKED)


def _of_known(right: float, wrong: float, careful: float) -> float:
    return right * log(CHANCE / careful) + wrong * log((1 - CHANCE) / (1 - careful))


# How likely the others' answers to one question are, if one's own is right, and if it is wrong.
Weighed = tuple[float, float]


def weighed(others: Sequence[tuple[float, float]]) -> Weighed:
    """From how alike each other answer is (0 to 1), and how often its giver is right.

    Nobody knows the right answer, so both cases are kept: two who disagree with an answer are not
    two independent strikes against it.
    """
    right = wrong = 1.0
    for alike, accuracy in others:
        right *= accuracy**alike * (1 - accuracy) ** (1 - alike)
        wrong *= (1 - accuracy) ** alike * accuracy ** (1 - alike)
    return right, wrong


def of_others(questions: Sequence[Weighed], level: Level) -> float:
    """From what others say of the same questions."""
    careful = level.expected
    return sum(
        log((CHANCE * right + (1 - CHANCE) * wrong) / (careful * right + (1 - careful) * wrong))
        for right, wrong in questions
    )


def accuracy_seen(questions: Sequence[Weighed]) -> float | None:
    """How often somebody is right, others being the measure: the most likely share.

    Found by expectation and maximization, with two more questions of which one and a half are
    right.
    """
    if not questions:
        return None
    share = UNKNOWN
    for _ in range(20):
        sure = sum(
            share * right / (share * right + (1 - share) * wrong) for right, wrong in questions
        )
        share = (sure + 2 * UNKNOWN) / (len(questions) + 2)
    return share


def accuracy_of(suspicion: float, level: Level) -> float:
    """How often somebody is right of whom so much is known."""
    odds = CARELESS_SHARE / (1 - CARELESS_SHARE) * exp(min(20.0, suspicion))
    careless = odds / (1 + odds)
    return careless * CHANCE + (1 - careless) * level.expected


def of_side(is_this_side: bool) -> float:
    """Towards always taking this side."""
    if is_this_side:
        return log(ONE_SIDED / TWO_SIDED)
    return log((1 - ONE_SIDED) / (1 - TWO_SIDED))


def of_pace(seconds: float, level: Level) -> float:
    """Towards being far too fast; nothing where the queue's pace is not known yet."""
    fewest = level.fewest_seconds
    if fewest is None:
        return 0.0
    if seconds < fewest:
        return log(HASTY / STEADY)
    return log((1 - HASTY) / (1 - STEADY))
