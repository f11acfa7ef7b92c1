"""Comparisons by people who sometimes do not look, and then have a side they like.

K. Bugakova, V. Fedorova, G. Gusev and A. Drutsa, "Aggregation of pairwise comparisons with
reduction of biases", 2019 (the model that crowd-kit calls NoisyBradleyTerry).
"""

from dataclasses import dataclass

import numpy as np

from annotation.aggregators.crowd.descent import lowest
from annotation.aggregators.crowd.sums import Numbers, Places, sums_at, total

# What is believed before the first answer: the inverse of the variance of each, in logits.
SCORE = 0.3
TILT = 1.0  # nobody has a side they like
SKILL = 1.0  # everybody looks as often as the crowd does on average
CROWD = 1.0  # and the crowd looks four times out of five
CROWD_SKILL = 1.4
CLOSE = 1e-3


@dataclass(frozen=True, slots=True)
class Comparisons:
    """N comparisons of one item with another; shape (N,) each. A tie is two, of half a weight."""

    winner: Places
    loser: Places
    annotator: Places
    side: Numbers  # where the winner stood: 1 left (or above), -1 right, 0 nobody knows
    weight: Numbers
    items: int
    annotators: int


@dataclass(frozen=True, slots=True)
class Fit:
    """Scores are in logits, as in Bradley-Terry: who is 1 higher wins 73 of 100 times."""

    score: Numbers  # (items,)
    skill: Numbers  # (annotators,): how often they look, 0 to 1
    left: Numbers  # (annotators,): how often they choose the left side when they do not look


def fit(seen: Comparisons) -> Fit:
    """The most likely scores, skills and sides under the priors above.

    An annotator looks with a probability of their own, and then prefers i to j with
    sigmoid(score_i - score_j); else takes the left with another probability of their own.
    The same comparisons in any order give the same numbers. Time grows with the comparisons,
    some hundred times through them; memory is a few numbers for each.
    """
    size = seen.items + 2 * seen.annotators + 1
    start = np.zeros(size)
    start[seen.items + seen.annotators :] = CROWD_SKILL

    def loss(place: Numbers) -> tuple[float, Numbers]:
        return _loss(seen, place)

    score, tilt, skill, _ = _parts(seen, lowest(loss, start, close=CLOSE))
    return Fit(score, _sigmoid(skill), _sigmoid(tilt))


def _parts(seen: Comparisons, place: Numbers) -> tuple[Numbers, Numbers, Numbers, float]:
    score, tilt, skill, mean = np.split(
        place, [seen.items, seen.items + seen.annotators, seen.items + 2 * seen.annotators]
    )
    return score, tilt, skill, float(mean[0])


def _loss(seen: Comparisons, place: Numbers) -> tuple[float, Numbers]:
    """How unlikely the comparisons are (its logarithm), and the slope of that."""
    score, tilt, skill, mean = _parts(seen, place)
    better = _sigmoid(score[seen.winner] - score[seen.loser])
    likes = _sigmoid(seen.side * tilt[seen.annotator])
    looks = _sigmoid(skill)[seen.annotator]
    likely = looks * better + (1 - looks) * likes
    pull = seen.weight / likely
    by_score = pull * looks * better * (1 - better)
    by_tilt = pull * (1 - looks) * likes * (1 - likes) * seen.side
    by_skill = pull * looks * (1 - looks) * (better - likes)
    away = skill - mean
    value = (
        -total(seen.weight * np.log(likely))
        + SCORE / 2 * total(score**2)
        + TILT / 2 * total(tilt**2)
        + SKILL / 2 * total(away**2)
        + CROWD / 2 * (mean - CROWD_SKILL) ** 2
    )
    slope = np.concatenate(
        [
            sums_at(seen.loser, by_score, seen.items)
            - sums_at(seen.winner, by_score, seen.items)
            + SCORE * score,
            TILT * tilt - sums_at(seen.annotator, by_tilt, seen.annotators),
            SKILL * away - sums_at(seen.annotator, by_skill, seen.annotators),
            [CROWD * (mean - CROWD_SKILL) - SKILL * total(away)],
        ]
    )
    return value, slope


def _sigmoid(values: Numbers) -> Numbers:
    shares: Numbers = 0.5 + 0.5 * np.tanh(values / 2)
    return shares
