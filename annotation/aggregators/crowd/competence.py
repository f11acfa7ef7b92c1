"""MACE: an annotator either knows the answer, or gives one by a habit of their own.

D. Hovy, T. Berg-Kirkpatrick, A. Vaswani and E. Hovy, "Learning whom to trust with MACE",
NAACL 2013.
"""

from dataclasses import dataclass

import numpy as np

from annotation.aggregators.crowd.answers import Answers
from annotation.aggregators.crowd.sums import Numbers, Places, sums_at, total

ROUNDS = 100
CLOSE = 1e-5  # when no annotator's competence moves further in a round
# What is believed before the first answer, in answers: that somebody is as competent as the crowd
# is on average, and that each label is as much a habit as any other.
COMPETENCE = 2.0
HABIT = 0.5
# And of the crowd, in annotators: that half of it knows.
CROWD = 2.0
LEAST = 1e-12


@dataclass(frozen=True, slots=True)
class Competence:
    """Of each annotator; shape (annotators,)."""

    # The share of their answers that come of knowing: 0 to 1, shrunk towards the crowd's mean.
    knows: Numbers
    answers: Places
    compared: Places  # answers to units that somebody else answered too


def fit(answers: Answers, choices: Numbers) -> Competence:
    """How competent each annotator is, with `choices` labels possible for each unit (units,).

    They need not be whole numbers: a label that is hardly ever given is part of one.

    EM for the most likely parameters under the priors above. It starts where everybody is
    half competent, which is the majority's view, so that the same answers in any order give the
    same numbers; starting at random places does not find anything likelier. Memory and time grow
    with the answers, not with the number of labels: a label that nobody gave a unit is as likely
    as any other such.
    """
    cells, cell = np.unique(answers.unit * answers.labels + answers.label, return_inverse=True)
    of_cell = cells // answers.labels
    # Labels are all different where units are of different kinds, so one table holds all habits.
    habits, habit = np.unique(
        answers.annotator * answers.labels + answers.label, return_inverse=True
    )
    of_habit = habits // answers.labels
    unsaid = np.maximum(0, choices - np.bincount(of_cell, minlength=answers.units))
    number = np.bincount(answers.annotator, minlength=answers.annotators)
    width = _width(answers, choices)

    knows = np.full(answers.annotators, 0.5)
    by_habit = 1.0 / choices[answers.unit]
    for _ in range(ROUNDS):
        guessed = (1 - knows[answers.annotator]) * by_habit
        known = knows[answers.annotator] + guessed
        # How much likelier the votes are where this label is true, than where an unsaid one is.
        gain = np.log(known) - np.log(np.maximum(guessed, LEAST))
        truth = _truth(sums_at(cell, gain, len(cells), -np.log(LEAST)), of_cell, unsaid)
        knew = truth[cell] * knows[answers.annotator] / known
        sums = sums_at(answers.annotator, knew, answers.annotators)
        mean = (total(knows) + CROWD / 2) / (answers.annotators + CROWD)
        closer = (sums + COMPETENCE * mean) / (number + COMPETENCE)
        said = sums_at(habit, 1 - knew, len(habits)) + HABIT
        by_habit = (said / (number - sums + HABIT * width)[of_habit])[habit]
        moved = float(np.abs(closer - knows).max(initial=0.0))
        knows = closer
        if moved < CLOSE:
            break
    others = np.bincount(answers.unit, minlength=answers.units)[answers.unit] > 1
    compared = np.bincount(answers.annotator, others, answers.annotators).astype(np.int64)
    return Competence(knows, number, compared)


def _truth(gains: Numbers, of_cell: Places, unsaid: Numbers) -> Numbers:
    """How likely each label that was said is the true one of its unit."""
    units = len(unsaid)
    largest = np.zeros(units)
    np.maximum.at(largest, of_cell, gains)
    shares = np.exp(gains - largest[of_cell])
    whole = sums_at(of_cell, shares, units) + unsaid * np.exp(-largest)
    truth: Numbers = shares / whole[of_cell]
    return truth


def _width(answers: Answers, choices: Numbers) -> Numbers:
    """How many labels each annotator could have given, over the kinds of unit they answered."""
    kinds, kind = np.unique(choices[answers.unit], return_inverse=True)
    met = np.unique(answers.annotator * len(kinds) + kind)
    sums = np.bincount(met // len(kinds), kinds[met % len(kinds)], answers.annotators)
    return sums.astype(np.float64)
