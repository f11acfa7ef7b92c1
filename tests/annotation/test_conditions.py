"""What rules look for, and how evidence is weighed: plain values, no tables."""

from dataclasses import is_dataclass
from math import exp, log

import pytest
from django.utils.translation import override

from annotation import evidence
from annotation.conditions import CONDITIONS, Figures
from annotation.evidence import Level
from annotation.likeness import likeness, preferences
from truing.options import fields_of
from truing.translated import translated

SURE = Level(accuracy=0.85, gold=0.85, log_seconds=log(30), spread=0.6)


@pytest.mark.parametrize("condition", CONDITIONS.values(), ids=CONDITIONS)
def test_a_condition_is_not_met_by_who_has_done_nothing(condition):
    assert condition.label
    assert is_dataclass(condition.Options)
    assert all(item.help for item in fields_of(condition.Options))
    assert condition.met_by(Figures(), condition.built({})) == ""


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("careless", Figures(answers=30, gold=3, gold_right=1, suspicion=4)),
        ("one_side", Figures(answers=20, lefts=20, leaning_left=9.5)),
        ("one_side", Figures(answers=20, rights=20, leaning_right=9.5)),
        ("too_fast", Figures(answers=20, timed=20, log_seconds=20.0, haste=12)),
        ("gold_failed", Figures(gold=5, gold_right=2)),
        ("check_failed", Figures(checks=2, checks_failed=2)),
        ("skipped_in_row", Figures(skips_in_row=10)),
        ("agreement_below", Figures(compared=30, agreed=10)),
        ("inconsistent", Figures(repeats=5, consistent=2)),
    ],
)
def test_a_condition_says_in_a_sentence_why_it_is_met(name, figures):
    condition = CONDITIONS[name]
    sentence = condition.met_by(figures, condition.built({}))
    assert sentence.endswith(".")
    assert not sentence[0].islower()


def test_carelessness_is_said_with_all_that_speaks_of_it():
    condition = CONDITIONS["careless"]
    failed = {"checks": 2, "checks_failed": 1}
    for figures, told in (
        ({}, "Of 9 answers most look like guesses."),
        (failed, "Of 9 answers: 1 of 2 attention checks were failed."),
        (
            {**failed, "gold": 3, "gold_right": 1, "compared": 7, "agreed": 2},
            "Of 9 answers: 1 of 2 attention checks were failed, 1 of 3 known answers were right, "
            "and 2 of 7 others agreed.",
        ),
        (
            {"gold": 3, "gold_right": 1, "compared": 7, "agreed": 2},
            "Of 9 answers: 1 of 3 known answers were right, and 2 of 7 others agreed.",
        ),
    ):
        found = Figures(answers=9, suspicion=4, **figures)
        assert condition.met_by(found, condition.built({})) == told
        with override("de"):
            assert translated(told).startswith("Von 9 Antworten")
            assert "others" not in translated(told)


def test_too_fast_may_be_so_many_seconds():
    condition = CONDITIONS["too_fast"]
    slow = Figures(timed=10, log_seconds=10 * log(4))
    assert not condition.met_by(slow, condition.built({"seconds": 3}))
    told = condition.met_by(slow, condition.built({"seconds": 5}))
    assert told == "An answer usually takes them 4.0 seconds, not 5."


def test_twenty_times_the_same_side_is_too_much_and_ten_is_not():
    limit = log(1 / 0.0001)
    assert 10 * evidence.of_side(True) < limit
    assert 20 * evidence.of_side(True) >= limit
    assert 19 * evidence.of_side(True) + evidence.of_side(False) < limit


def test_guessing_at_known_answers_speaks_against_and_knowing_them_for():
    assert evidence.of_gold(2, 2, SURE) > 0 > evidence.of_gold(4, 0, SURE)
    assert evidence.of_checks(0, 1) > 3


def test_two_who_disagree_are_not_two_strikes():
    apart = [evidence.weighed([(0, 0.85)]), evidence.weighed([(0, 0.85)])]
    together = [evidence.weighed([(0, 0.85), (0, 0.85)])]
    assert evidence.of_others(apart, SURE) > evidence.of_others(together, SURE) > 0


def test_who_is_not_trusted_says_nothing_about_others():
    nobody = [evidence.weighed([(0, 0.5)])]
    assert evidence.of_others(nobody, SURE) == pytest.approx(0)
    assert evidence.accuracy_of(5, SURE) < 0.52
    assert evidence.accuracy_of(-5, SURE) > 0.84


def test_where_people_agree_by_chance_nothing_follows():
    unsure = Level(accuracy=0.5)
    assert unsure.expected == 0.5
    assert evidence.of_others([evidence.weighed([(0, 0.8)])] * 50, unsure) == pytest.approx(0)


def test_the_pace_is_judged_only_when_the_queues_is_known():
    assert evidence.of_pace(0.5, Level()) == 0
    assert evidence.of_pace(2, SURE) > 0 > evidence.of_pace(15, SURE)
    assert SURE.fewest_seconds == pytest.approx(30 * exp(-1.5))


def test_accuracy_is_found_from_others():
    agree, disagree = evidence.weighed([(1, 0.9)]), evidence.weighed([(0, 0.9)])
    assert evidence.accuracy_seen([]) is None
    assert evidence.accuracy_seen([agree] * 50) > 0.95
    assert evidence.accuracy_seen([agree, disagree] * 50) == pytest.approx(0.5, abs=0.02)


def test_answers_are_alike_as_far_as_they_say_the_same():
    best_a, best_b = {"tiers": [["a"], ["b"]]}, {"tiers": [["b"], ["a"]]}
    tie = {"tiers": [["a", "b"]]}
    assert likeness(best_a, best_a) == 1
    assert likeness(best_a, best_b) == 0
    assert likeness(best_a, tie) == 0.5
    assert likeness({"tiers": [["a"], ["b"], ["c"]]}, {"tiers": [["b"], ["a"], ["c"]]}) == (
        pytest.approx(2 / 3)
    )
    assert likeness({"labels": ["x"]}, {"labels": ["x", "y"]}) == 0.5
    assert likeness({"labels": {"harm": "none"}}, {"labels": {"harm": "much"}}) == 0
    assert likeness({"ratings": {"a": {"help": 5}}}, {"ratings": {"a": {"help": 5}}}) == 1
    assert likeness({"ratings": {"a": {"help": 1}}}, {"ratings": {"a": {"help": 7}}}) == 0
    assert likeness({"text": "one"}, {"text": "another"}) is None
    assert preferences({}) == {}
