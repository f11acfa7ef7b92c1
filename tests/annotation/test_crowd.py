"""Models of annotators, against crowd-kit, against what is published, and in a made-up crowd."""

import random

import numpy as np
import pandas as pd
import pytest
from crowdkit.aggregation import DawidSkene, NoisyBradleyTerry
from scipy.stats import spearmanr

from annotation.aggregators import AGGREGATORS
from annotation.aggregators.base import Outcome, Question, Vote
from annotation.aggregators.crowd import noisy_comparisons
from annotation.aggregators.crowd.answers import Answers
from annotation.aggregators.crowd.confusion import fit as fit_confusion
from annotation.aggregators.noisy_bradley_terry import fit as fit_noisy
from annotation.aggregators.units import OUTCOMES, units_of
from tests.real_votes import questions_in

SETS = ("llmfao", "ukpconvarg1")
pytestmark = pytest.mark.filterwarnings("ignore:The (inplace|copy) keyword")  # crowd-kit's


@pytest.fixture(scope="module", params=SETS)
def real(request, shared):
    """The questions of a public set of comparisons."""
    return list(questions_in(shared / request.param / "feedback.jsonl.gz"))


def as_table(questions):
    """The votes as crowd-kit takes labels."""
    rows = [
        (question.task, who, OUTCOMES[label])
        for question in questions
        for unit in units_of(question)
        for who, label in unit.votes
    ]
    return pd.DataFrame(rows, columns=["task", "worker", "label"])


def as_comparisons(questions):
    """The votes as crowd-kit takes comparisons; it knows no ties."""
    rows = []
    for question in questions:
        for vote in question.votes:
            if len(vote.tiers) == 2:
                left, right = (question.outputs[place] for place in vote.shown)
                rows.append((vote.annotator, left, right, question.outputs[vote.tiers[0][0]]))
    return pd.DataFrame(rows, columns=["worker", "left", "right", "label"])


def without_ties(questions):
    for question in questions:
        decided = tuple(vote for vote in question.votes if len(vote.tiers) == 2)
        yield Question(question.task, question.outputs, decided)


def test_dawid_skene_gives_the_labels_of_crowd_kit(real):
    theirs = DawidSkene().fit_predict(as_table(real))
    merged = AGGREGATORS["dawid_skene"].merge(real)
    ours = {one.question.task: one.verdicts[0].outcome for one in merged}
    same = sum(ours[task] == label for task, label in theirs.items())
    assert same >= 0.99 * len(theirs)


def test_dawid_skene_is_as_sure_as_crowd_kit(real):
    theirs = DawidSkene().fit_predict_proba(as_table(real)).max(axis=1)
    ours = {
        one.question.task: one.verdicts[0].agreement
        for one in AGGREGATORS["dawid_skene"].merge(real)
    }
    apart = [abs(ours[task] - share) for task, share in theirs.items()]
    assert max(apart) < 0.01


def test_noisy_bradley_terry_ranks_as_crowd_kit_does(shared):
    questions = list(without_ties(questions_in(shared / "ukpconvarg1" / "feedback.jsonl.gz")))
    questions = questions[:2500]  # all of it takes crowd-kit a minute: benchmarks/aggregators.py
    theirs = NoisyBradleyTerry().fit_predict(as_comparisons(questions))
    ours = fit_noisy(questions).scores
    assert spearmanr([ours[name] for name in theirs.index], theirs.values).statistic >= 0.99


def test_noisy_bradley_terry_is_likelier_than_crowd_kit_by_its_own_measure(real):
    """Its gradient leaves out all but the last vote of each annotator, so that skills and sides
    stay near where they start at random, and two seeds agree on the scores to 0.98 only."""
    questions = list(without_ties(real))[: 1514 if len(real) < 2000 else 600]
    table = as_comparisons(questions)
    reference = NoisyBradleyTerry()
    theirs = reference.fit_predict(table)
    found = fit_noisy(questions)
    items, workers = list(theirs.index), list(reference.skills_.index)
    data = np.array(
        [
            [items.index(row[name]) + 1 for name in ("left", "right", "label")]
            for _, row in table.iterrows()
        ]
    )
    who = np.array([workers.index(worker) for worker in table.worker])

    def likelihood(score, left, skill):
        logit = lambda share: np.log(share) - np.log1p(-share)  # noqa: E731
        place = np.concatenate([[0.0], score, logit(left), logit(skill)])
        return -reference._compute_log_likelihood(place, data, who, len(items), len(workers), 0.0)

    kept = np.clip(theirs.values, 1e-12, 1 - 1e-12)
    assert likelihood(
        np.array([found.scores[item] for item in items]),
        np.array([found.left[worker] for worker in workers]),
        np.array([found.skills[worker] for worker in workers]),
    ) > likelihood(
        np.log(kept) - np.log1p(-kept), reference.biases_.values, reference.skills_.values
    )


def test_the_slope_of_noisy_comparisons_is_that_of_its_loss():
    dice = np.random.default_rng(1)
    seen = noisy_comparisons.Comparisons(
        winner=dice.integers(0, 5, 60),
        loser=dice.integers(0, 5, 60),
        annotator=dice.integers(0, 4, 60),
        side=dice.integers(-1, 2, 60).astype(float),
        weight=dice.choice([0.5, 1.0], 60),
        items=5,
        annotators=4,
    )
    place = dice.normal(size=5 + 4 + 4 + 1)
    _, slope = noisy_comparisons._loss(seen, place)
    for number in range(place.size):
        step = np.zeros_like(place)
        step[number] = 1e-5
        above, below = (noisy_comparisons._loss(seen, place + sign * step)[0] for sign in (1, -1))
        assert slope[number] == pytest.approx((above - below) / 2e-5, abs=1e-4)


def made_up_crowd(seed, people=12, questions=400, items=25):
    """Comparisons of things whose worth is known, by people of whom every third takes the left."""
    dice = random.Random(seed)
    worth = [dice.gauss(0, 1.5) for _ in range(items)]
    for number in range(questions):
        one, other = dice.sample(range(items), 2)
        votes = []
        for person in dice.sample(range(people), 4):
            shown = (0, 1) if dice.random() < 0.5 else (1, 0)
            better = dice.random() < 1 / (1 + np.exp(worth[other] - worth[one]))
            first = shown[0] == 0 if person % 3 == 0 else better
            votes.append(Vote(number, person, ((0,), (1,)) if first else ((1,), (0,)), shown=shown))
        yield Question(number, (f"{one}", f"{other}"), tuple(votes)), worth


@pytest.mark.parametrize("seed", range(3))
def test_noisy_bradley_terry_finds_who_always_takes_the_left(seed):
    made = list(made_up_crowd(seed))
    worth = made[0][1]
    found = fit_noisy([question for question, _ in made])
    careless = [person for person in found.skills if person % 3 == 0]
    careful = [person for person in found.skills if person % 3]
    assert max(found.skills[one] for one in careless) < min(found.skills[one] for one in careful)
    assert min(found.left[one] for one in careless) > 0.85
    scores = [found.scores[str(item)] for item in range(len(worth))]
    assert spearmanr(scores, worth).statistic > 0.9


def test_who_does_not_know_the_sides_may_guess_either():
    """Votes without the order shown count, and say nothing of anybody's side."""
    made = [question for question, _ in made_up_crowd(0)]
    blind = [
        Question(
            one.task,
            one.outputs,
            tuple(Vote(vote.annotation, vote.annotator, vote.tiers) for vote in one.votes),
        )
        for one in made
    ]
    assert set(fit_noisy(blind).left.values()) == {0.5}


def shuffled(questions, seed=7):
    """The same votes in another order, by annotators with other keys."""
    dice = random.Random(seed)
    people = sorted({vote.annotator for question in questions for vote in question.votes})
    keys = dict(zip(people, dice.sample(range(10**6), len(people)), strict=True))
    for question in dice.sample(questions, len(questions)):
        votes = [
            Vote(0, keys[vote.annotator], vote.tiers, shown=vote.shown) for vote in question.votes
        ]
        yield Question(question.task, question.outputs, tuple(dice.sample(votes, len(votes))))


@pytest.mark.parametrize("name", ["dawid_skene", "noisy_bradley_terry"])
def test_gives_exactly_the_same_whatever_the_order_and_the_keys(name, shared):
    questions = list(questions_in(shared / "llmfao" / "feedback.jsonl.gz"))
    ours = {one.question.task: one.verdicts for one in AGGREGATORS[name].merge(questions)}
    again = list(shuffled(questions))
    assert {one.question.task: one.verdicts for one in AGGREGATORS[name].merge(again)} == ours


def test_the_best_of_several_is_one_label():
    """By pairs, 2 votes for a, 2 for b and 1 for c would leave nothing but doubts."""
    trusted = [
        Question(
            number,
            ("x", "y", "z"),
            tuple(
                Vote(0, who, ((best,), tuple(place for place in range(3) if place != best)))
                for who, best in enumerate((number % 3, number % 3, (number + who_errs) % 3))
            ),
        )
        for number, who_errs in enumerate([1, 2, 0, 1, 2, 1] * 5)
    ]
    doubtful = Question(
        99,
        ("x", "y", "z"),
        (Vote(0, 0, ((1,), (0, 2))), Vote(0, 2, ((0,), (1, 2)))),
    )
    *_, merged = AGGREGATORS["dawid_skene"].merge([*trusted, doubtful])
    assert [verdict.outcome for verdict in merged.verdicts] == [
        Outcome.SECOND,
        Outcome.TIE,
        Outcome.FIRST,
    ]


def test_dawid_skene_says_none_where_two_answers_are_as_likely():
    question = Question(1, ("x", "y"), (Vote(0, 1, ((0,), (1,))), Vote(0, 2, ((1,), (0,)))))
    [merged] = AGGREGATORS["dawid_skene"].merge([question])
    assert merged.verdicts[0].outcome == Outcome.NONE
    assert merged.verdicts[0].agreement == pytest.approx(0.5)


def test_dawid_skene_takes_any_number_of_labels():
    """Two who are always right outvote three who swap labels, once they have been seen enough."""
    dice = random.Random(3)
    truth = [dice.randrange(6) for _ in range(300)]
    rows = [
        (unit, who, label if who < 4 else (label + dice.randrange(1, 6)) % 6)
        for unit, label in enumerate(truth)
        for who in range(7)
    ]
    unit, who, label = (np.array(column) for column in zip(*rows, strict=True))
    found = fit_confusion(Answers(unit, who, label, 300, 7, 6))
    assert found.shape == (300, 6)
    assert found.sum(axis=1) == pytest.approx(1)
    assert (found.argmax(axis=1) == truth).all()
