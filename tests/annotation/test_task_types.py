"""Every task type keeps the contract; then what is particular to each."""

from dataclasses import is_dataclass

import pytest

from annotation.task_types import TASK_TYPES
from truing.options import build, fields_of

REFS = ["a", "b"]


@pytest.mark.parametrize("name", TASK_TYPES)
def test_its_example_is_a_good_answer(name):
    task_type = TASK_TYPES[name]
    options = build(task_type.Options, {})
    assert task_type.problem_with(task_type.example_answer, REFS, options) == ""


@pytest.mark.parametrize("name", TASK_TYPES)
def test_what_the_form_says_reads_as_the_answer(name):
    task_type = TASK_TYPES[name]
    for shown in (["a", "b"], ["b", "a"]):
        form = task_type.form_of(task_type.example_answer, shown)
        assert task_type.read(form, shown) == task_type.example_answer


@pytest.mark.parametrize("name", TASK_TYPES)
def test_no_answer_is_a_problem(name):
    task_type = TASK_TYPES[name]
    options = build(task_type.Options, {})
    assert task_type.read({}, REFS) == {}
    assert task_type.problem_with({}, REFS, options).endswith(".")
    assert task_type.problem_with({"nonsense": 1}, REFS, options).endswith(".")


@pytest.mark.parametrize("name", TASK_TYPES)
def test_it_says_what_it_is(name):
    task_type = TASK_TYPES[name]
    assert task_type.label
    assert task_type.in_words(task_type.example_answer, REFS)
    assert 0 <= task_type.min_outputs <= task_type.max_outputs
    assert is_dataclass(task_type.Options)
    assert all(item.help.endswith(".") for item in fields_of(task_type.Options))


# --- pairwise

pairwise = TASK_TYPES["pairwise"]


def problem(answer, name="pairwise", refs=REFS, **options):
    task_type = TASK_TYPES[name]
    return task_type.problem_with(answer, refs, build(task_type.Options, options))


@pytest.mark.parametrize(
    ("choice", "answer", "words"),
    [
        ("0", {"tiers": [["b"], ["a"]]}, "1 is better"),
        ("1:3", {"tiers": [["a"], ["b"]], "strength": 3}, "2 is much better"),
        ("tie", {"tiers": [["b", "a"]]}, "a tie"),
        ("both_bad", {"tiers": [["b", "a"]], "all_bad": True}, "both bad"),
    ],
)
def test_a_choice_is_a_position_as_shown(choice, answer, words):
    shown = ["b", "a"]
    assert pairwise.read({"choice": choice}, shown) == answer
    assert pairwise.form_of(answer, shown) == {"choice": choice}
    assert pairwise.in_words(answer, shown) == words
    assert problem(answer) == ""


@pytest.mark.parametrize("choice", ["", "2", "-1", "a", "0:9", "tie:1", "²"])
def test_an_odd_choice_never_fails(choice):
    assert isinstance(pairwise.read({"choice": choice}, REFS), dict)


def test_a_queue_may_refuse_ties_and_both_bad():
    assert "tie is not an answer" in problem({"tiers": [["a", "b"]]}, tie=False)
    both_bad = {"tiers": [["a", "b"]], "all_bad": True}
    assert "Both bad" in problem(both_bad, both_bad=False)
    assert problem(both_bad, tie=False) == ""


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ([], "must be an object"),
        ({"tiers": [["a"]]}, "Choose the better one"),
        ({"tiers": [["a"], ["c"]]}, "no output “c”"),
        ({"tiers": [["a"], ["a"]]}, "two places"),
        ({"tiers": [["a"], [], ["b"]]}, "none of them empty"),
        ({"tiers": "ab"}, "list of lists"),
        ({"tiers": [[1], [2]]}, "list of lists"),
        ({"tiers": [["a"], ["b"]], "strength": "much"}, "Strength must be a number"),
        ({"tiers": [["a"], ["b"]], "strength": True}, "Strength must be a number"),
        ({"tiers": [["a"], ["b"]], "strength": float("nan")}, "Strength must be a number"),
        ({"tiers": [["a"], ["b"]], "strength": 11}, "Strength must be a number"),
        ({"tiers": [["a"], ["b"]], "all_bad": True}, "Only equal outputs"),
        ({"tiers": [["a", "b"]], "all_bad": "yes"}, "true or false"),
        ({"tiers": [["a"], ["b"]], "colour": 1}, "cannot have “colour”"),
        ({"tiers": [["a"], ["b"]], "ratings": 5}, "“ratings” must be"),
    ],
)
def test_what_is_no_answer_is_said_in_a_sentence(answer, says):
    sentence = problem(answer)
    assert says in sentence
    assert sentence.endswith(".")


# --- ranking


def test_places_make_tiers_and_gaps_close():
    ranking = TASK_TYPES["ranking"]
    form = {"place_0": "3", "place_1": "1", "place_2": "3"}
    answer = ranking.read(form, ["x", "y", "z"])
    assert answer == {"tiers": [["y"], ["x", "z"]]}
    assert ranking.in_words(answer, ["x", "y", "z"]) == "2 > 1 = 3"
    assert problem(answer, "ranking", refs=["x", "y", "z"]) == ""


def test_some_places_are_a_draft_and_no_answer():
    ranking = TASK_TYPES["ranking"]
    answer = ranking.read({"place_2": "1", "place_0": "", "place_1": "9"}, ["x", "y", "z"])
    assert answer == {"tiers": [["z"]]}
    assert ranking.form_of(answer, ["x", "y", "z"]) == {"place_2": "1"}
    assert problem(answer, "ranking", refs=["x", "y", "z"]) == "Give every output a place."


def test_a_queue_may_refuse_shared_places():
    assert "cannot share" in problem({"tiers": [["a", "b"]]}, "ranking", tie=False)
