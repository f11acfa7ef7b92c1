"""Every task type keeps the contract; then what is particular to each."""

import json
from dataclasses import is_dataclass

import pytest
from django.contrib.staticfiles import finders
from django.template.loader import select_template

from annotation.feedback_line import asks, problem_with_answers, read_line
from annotation.task_types import TASK_TYPES
from truing.options import build, fields_of

REFS = ["a", "b"]
TEXTS = {"a": "It is four, as anyone can see.", "b": "Five."}


def refs_of(task_type):
    """Those that its example answer is about."""
    return REFS[: task_type.max_outputs]


@pytest.mark.parametrize("name", TASK_TYPES)
def test_its_example_is_a_good_answer(name):
    task_type = TASK_TYPES[name]
    options = build(task_type.Options, {})
    example = task_type.example_answer
    assert task_type.problem_with(example, refs_of(task_type), options) == ""
    texts = {ref: TEXTS[ref] for ref in refs_of(task_type)}
    assert task_type.problem_with_texts(example, texts, options) == ""


@pytest.mark.parametrize("name", TASK_TYPES)
def test_what_the_form_says_reads_as_the_answer(name):
    task_type = TASK_TYPES[name]
    for shown in (refs_of(task_type), refs_of(task_type)[::-1]):
        form = task_type.form_of(task_type.example_answer, shown)
        assert task_type.read(form, shown) == task_type.example_answer


@pytest.mark.parametrize("name", TASK_TYPES)
def test_no_answer_is_a_problem(name):
    task_type = TASK_TYPES[name]
    options = build(task_type.Options, {})
    refs = refs_of(task_type)
    assert task_type.read({}, refs) == {}
    assert task_type.problem_with({}, refs, options).endswith(".")
    assert task_type.problem_with({"nonsense": 1}, refs, options).endswith(".")
    assert task_type.problem_with([], refs, options).endswith(".")


@pytest.mark.parametrize("name", TASK_TYPES)
def test_what_it_says_for_merging_is_well_formed(name):
    task_type = TASK_TYPES[name]
    options = build(task_type.Options, {})
    refs = refs_of(task_type)
    comparison = task_type.comparison(task_type.example_answer, options)
    placed = [ref for tier in comparison.get("tiers", []) for ref in tier]
    assert sorted(placed) in ([], refs)
    scores = task_type.scores(task_type.example_answer, refs, options)
    assert all(ref in refs and 0 <= score <= 1 for ref, score in scores.items())
    for finding in task_type.findings(task_type.example_answer, options):
        assert finding.ref in ["", *refs]
        assert finding.name
    # Of half an answer, as a correction of an old one or a draft may be, they fail as little.
    for half in ({}, {"tiers": []}, {"ratings": {}}, {"labels": {}}, {"spans": []}, {"text": ""}):
        assert isinstance(task_type.comparison(half, options), dict)
        assert isinstance(task_type.scores(half, refs, options), dict)
        assert isinstance(task_type.findings(half, options), list)


@pytest.mark.parametrize("name", TASK_TYPES)
def test_its_page_is_made_for_any_answer(name):
    task_type = TASK_TYPES[name]
    options = build(task_type.Options, {})
    refs = refs_of(task_type)
    for form in ({}, task_type.form_of(task_type.example_answer, refs)):
        task_type.page(options, refs, form)


@pytest.mark.parametrize("name", TASK_TYPES)
def test_it_goes_out_and_comes_in_again_as_a_line(name):
    """Form: tests/annotation/test_export_feedback.py does it with tables."""
    task_type = TASK_TYPES[name]
    outputs = [{"id": ref, "text": TEXTS[ref]} for ref in refs_of(task_type)]
    record = {
        "id": "one",
        "prompt": [{"role": "user", "content": "What is two and two?"}],
        "task_type": name,
        "outputs": outputs,
        "annotations": [{"annotator": "w1", "answer": task_type.example_answer}],
    }
    line = read_line(json.loads(json.dumps(record)))
    assert asks(line)
    assert problem_with_answers(line, build(task_type.Options, {})) == ""
    assert line.annotations[0].answers[0].answer == task_type.example_answer


@pytest.mark.parametrize("name", TASK_TYPES)
def test_its_keys_and_its_script_are_there(name):
    templates = [f"annotation/task_types/{one}.html#keys" for one in (name, "_any")]
    assert select_template(templates)
    if TASK_TYPES[name].script:
        assert finders.find(TASK_TYPES[name].script)


@pytest.mark.parametrize("name", TASK_TYPES)
def test_it_says_what_it_is(name):
    task_type = TASK_TYPES[name]
    assert task_type.label
    assert task_type.in_words(task_type.example_answer, refs_of(task_type))
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
    assert "not asked" in problem({"tiers": [["a"], ["b"]], "strength": 2}, strength=False)


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
        ({"tiers": [["a"], ["b"]], "strength": 10**400}, "Strength must be a number"),
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
