"""Aggregators are plain Python: they are tested without a database."""

import random

import pytest

from annotation.aggregators import AGGREGATORS
from annotation.aggregators.base import Outcome, Question, Vote, outcome_of, read_vote
from annotation.aggregators.bradley_terry import fit

MAJORITY = AGGREGATORS["majority"]
BRADLEY_TERRY = AGGREGATORS["bradley_terry"]


def question(*answers, outputs=("x", "y"), task=1):
    """A question with an answer for each voter: "a>b", "a=b", "bad"."""
    refs = "abcdefghi"[: len(outputs)]
    votes = [
        Vote(number, number, (tuple(range(len(refs))),), all_bad=True)
        if answer == "bad"
        else read_vote(
            {"tiers": [tier.split("=") for tier in answer.split(">")]},
            refs,
            annotation=number,
            annotator=number,
        )
        for number, answer in enumerate(answers)
    ]
    return Question(task, tuple(outputs), tuple(votes))


def verdict(aggregator, *answers, **more):
    [merged] = aggregator.merge([question(*answers, **more)])
    [verdict] = merged.verdicts
    return verdict


@pytest.mark.parametrize("aggregator", AGGREGATORS.values(), ids=AGGREGATORS)
class TestEveryAggregator:
    def test_says_what_it_is(self, aggregator):
        assert aggregator.label

    def test_follows_a_clear_vote(self, aggregator):
        assert verdict(aggregator, "a>b", "a>b", "b>a").outcome == Outcome.FIRST
        assert verdict(aggregator, "b>a", "b>a", "a>b").outcome == Outcome.SECOND

    def test_is_surer_of_a_clearer_vote(self, aggregator):
        clear = verdict(aggregator, "a>b", "a>b", "a>b", "a>b")
        close = verdict(aggregator, "a>b", "a>b", "a>b", "b>a")
        assert 1 >= clear.agreement > close.agreement > 0.5

    def test_says_nothing_of_a_question_without_votes(self, aggregator):
        assert verdict(aggregator).outcome == Outcome.NONE

    def test_calls_bad_what_everybody_calls_bad(self, aggregator):
        assert verdict(aggregator, "bad", "bad", "a>b").outcome == Outcome.BAD

    def test_calls_a_tie_what_everybody_calls_a_tie(self, aggregator):
        assert verdict(aggregator, "a=b", "a=b").outcome == Outcome.TIE

    def test_gives_a_verdict_for_each_two_of_a_ranking(self, aggregator):
        [merged] = aggregator.merge([question("b>a=c", outputs=("x", "y", "z"))])
        assert [(v.first, v.second, v.outcome) for v in merged.verdicts] == [
            (0, 1, Outcome.SECOND),
            (0, 2, Outcome.TIE),
            (1, 2, Outcome.FIRST),
        ]

    def test_keeps_questions_in_their_order(self, aggregator):
        asked = [question("a>b", task=number) for number in (3, 1, 2)]
        assert [merged.question for merged in aggregator.merge(asked)] == asked


def test_majority_counts_a_tie_as_an_answer():
    assert verdict(MAJORITY, "a=b", "a=b", "a>b").outcome == Outcome.TIE


def test_majority_is_none_where_two_answers_lead():
    assert verdict(MAJORITY, "a>b", "b>a").outcome == Outcome.NONE
    assert verdict(MAJORITY, "a>b", "a>b", "a=b", "a=b", "b>a").outcome == Outcome.NONE


def test_majority_needs_no_absolute_majority():
    found = verdict(MAJORITY, "a>b", "a>b", "a=b", "b>a", "bad")
    assert (found.outcome, found.agreement) == (Outcome.FIRST, 0.4)


def test_majority_merges_rankings_by_their_pairs():
    orders = ("a>b>c", "a>c>b", "b>a>c")
    [merged] = MAJORITY.merge([question(*orders, outputs=("x", "y", "z"))])
    assert [verdict.outcome for verdict in merged.verdicts] == [Outcome.FIRST] * 3
    assert [verdict.agreement for verdict in merged.verdicts] == [2 / 3, 1, 2 / 3]


def some_votes(seed, outputs=7, questions=40):
    """Votes on pairs, by noisy annotators, of outputs of growing strength."""
    dice = random.Random(seed)
    for number in range(questions):
        one, other = dice.sample(range(outputs), 2)
        answers = [
            "a=b"
            if dice.random() < 0.2
            else "a>b"
            if dice.random() < one / (one + other)
            else "b>a"
            for _ in range(dice.randint(1, 4))
        ]
        yield question(*answers, outputs=(f"o{one}", f"o{other}"), task=number)


def wins_of(questions):
    from annotation.aggregators.bradley_terry import _wins

    return _wins(questions)


@pytest.mark.parametrize("seed", range(5))
def test_bradley_terry_gives_what_evalica_gives(seed):
    """Our prior is one win and one loss against strength 1: play these games in evalica too."""
    import evalica

    questions = list(some_votes(seed))
    games = []
    for asked in questions:
        for vote in asked.votes:
            said = outcome_of(vote.tiers, 0, 1)
            winner = {"first": evalica.Winner.X, "second": evalica.Winner.Y}.get(
                said, evalica.Winner.Draw
            )
            games.append((*asked.outputs, winner))
    for name in {name for asked in questions for name in asked.outputs}:
        games += [(name, "anchor", evalica.Winner.X), (name, "anchor", evalica.Winner.Y)]
    xs, ys, winners = zip(*games, strict=True)
    result = evalica.bradley_terry(xs, ys, winners, tolerance=1e-12, limit=100_000)
    theirs = result.scores / result.scores["anchor"]

    ours = fit(wins_of(questions))

    assert len(ours) > 3
    assert ours == pytest.approx({name: theirs[name] for name in ours}, rel=1e-4)


def test_bradley_terry_uses_votes_on_other_questions():
    """Nobody tells y from z here; elsewhere y beats what beats z."""
    unclear = question("a>b", "b>a", outputs=("y", "z"), task=1)
    others = [
        question("a>b", "a>b", outputs=("y", "m"), task=2),
        question("a>b", "a>b", outputs=("m", "z"), task=3),
    ]
    first = next(BRADLEY_TERRY.merge([unclear, *others]))
    assert first.verdicts[0].outcome == Outcome.FIRST
    alone = next(BRADLEY_TERRY.merge([unclear]))
    assert alone.verdicts[0].outcome == Outcome.TIE


def test_bradley_terry_gives_the_same_numbers_in_any_order():
    questions = list(some_votes(1))
    shuffled = random.Random(2).sample(questions, len(questions))
    assert fit(wins_of(questions)) == fit(wins_of(shuffled))


def test_bradley_terry_stays_finite_for_an_output_that_always_wins():
    [strength, other] = fit({("x", "y"): 1000.0}).values()
    assert 1 < strength < 100_000
    assert 0 < other < 1


def test_an_answer_that_compares_nothing_is_no_vote():
    assert read_vote({"text": "hello"}, ["a", "b"], annotation=1, annotator=1) is None


def test_all_bad_without_tiers_is_a_tie_that_nobody_prefers():
    vote = read_vote({"all_bad": True}, ["a", "b"], annotation=1, annotator=1)
    assert (vote.tiers, vote.all_bad) == (((0, 1),), True)


@pytest.mark.parametrize(
    ("tiers", "said"),
    [
        ([["b"], ["a"]], Outcome.SECOND),
        ([["a"], ["b"]], Outcome.FIRST),
        ([["a", "b"]], Outcome.TIE),
        ([["b", "a"]], Outcome.TIE),
    ],
)
def test_an_answer_is_read_by_the_order_of_the_outputs(tiers, said):
    vote = read_vote({"tiers": tiers}, ["a", "b"], annotation=1, annotator=1)
    assert outcome_of(vote.tiers, 0, 1) == said
