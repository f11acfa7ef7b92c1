"""Every task type keeps the contract; then what is particular to each."""

import json
from dataclasses import is_dataclass

import pytest
from django.contrib.staticfiles import finders
from django.template.loader import select_template

from annotation.feedback_line import asks, problem_with_answers, read_line
from annotation.task_types import TASK_TYPES
from truing.options import BadOption, build, fields_of

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
    for finding in task_type.findings(task_type.example_answer, refs, options):
        assert finding.ref in ["", *refs]
        assert finding.name
    # Of half an answer, as a correction of an old one or a draft may be, they fail as little.
    for half in ({}, {"tiers": []}, {"ratings": {}}, {"labels": {}}, {"spans": []}, {"text": ""}):
        assert isinstance(task_type.comparison(half, options), dict)
        assert isinstance(task_type.scores(half, refs, options), dict)
        assert isinstance(task_type.findings(half, refs, options), list)


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
    assert task_type.about.endswith(".")
    assert task_type.yields
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


def test_all_bad_needs_no_order_and_takes_one():
    ranking = TASK_TYPES["ranking"]
    shown = ["x", "y", "z"]
    assert ranking.read({"all_bad": "on"}, shown) == {"tiers": [shown], "all_bad": True}
    half = ranking.read({"all_bad": "on", "place_1": "1"}, shown)
    assert half == {"tiers": [["y"], ["x", "z"]], "all_bad": True}
    assert problem(half, "ranking", refs=shown, tie=False) == ""
    assert "not an answer" in problem(half, "ranking", refs=shown, all_bad=False)
    assert ranking.in_words(half, shown) == "all bad: 2 > 1 = 3"
    assert ranking.read(ranking.form_of(half, shown), shown) == half


@pytest.mark.parametrize("name", ["pairwise", "ranking"])
def test_a_queue_may_want_to_know_why_all_are_bad(name):
    task_type = TASK_TYPES[name]
    bad, good = {"tiers": [REFS], "all_bad": True}, {"tiers": [REFS]}
    strict = build(task_type.Options, {"say_why_bad": True})
    assert task_type.reason_wanted(bad, strict).endswith(".")
    assert task_type.reason_wanted(good, strict) == ""
    assert task_type.reason_wanted(bad, build(task_type.Options, {})) == ""


# --- scales, as a curator writes them


@pytest.mark.parametrize(
    ("type", "option", "lines", "says"),
    [
        ("rating", "aspects", ["Helpful"], "“Helpful” needs its levels"),
        ("rating", "aspects", ["Helpful: 1"], "must have 2 to 11 levels"),
        ("rating", "aspects", ["Helpful: 12"], "must have 2 to 11 levels"),
        ("rating", "aspects", ["Helpful: " + "9" * 400], "must have 2 to 11 levels"),
        ("rating", "aspects", ["Helpful: bad,, good"], "has no name"),
        ("rating", "aspects", ["Helpful: bad, bad"], "“bad” stands there twice"),
        ("rating", "aspects", ["Helpful: 5", "Helpful: 7"], "“Helpful” stands there twice"),
        ("rating", "aspects", [": 5"], "a name has 1 to 60 characters"),
        ("rating", "aspects", [], "must have at least 1"),
        ("rating", "flags", ["a" * 61], "a name has 1 to 60 characters"),
        ("rate_then_rank", "aspects", ["Overall: much"], "must have 2 to 11 levels"),
        ("moderation", "labels", [], "must have at least 1"),
        ("moderation", "severities", list("abcdef"), "may have at most 5"),
        ("classify", "questions", ["Topic: code"], "must have 2 to 40 levels"),
        ("classify", "questions", ["T" * 60 + ": " + "c" * 60 + ", d"], "too long for a tag"),
        ("spans", "labels", list("abcdefghij"), "may have at most 9"),
        ("critique", "categories", ["Wrong", "Wrong"], "stands there twice"),
    ],
)
def test_options_that_cannot_be_asked_are_refused(type, option, lines, says):
    with pytest.raises(BadOption) as refusal:
        build(TASK_TYPES[type].Options, {option: lines})
    assert says in str(refusal.value)
    assert str(refusal.value).endswith(".")


@pytest.mark.parametrize(
    ("name", "answer", "says"),
    [
        ("rating", {"ratings": {"a": {"Overall": 3}}}, "“Overall” is missing for output 2"),
        ("rating", {"ratings": {"a": {"Overall": 8}, "b": {"Overall": 1}}}, "from 1 to 7"),
        ("rating", {"ratings": {"a": {"Overall": True}}}, "must be a whole number"),
        ("rating", {"ratings": {"a": {"Kind": 3}}}, "none of this queue's aspects"),
        ("rating", {"ratings": {"c": {"Overall": 3}}}, "no output “c”"),
        ("rating", {"ratings": [3]}, "an object with objects"),
        ("rating", {"ratings": {}, "strength": 1}, "cannot have “strength”"),
        ("moderation", {"labels": {"Spam": 1}}, "none of this queue's labels"),
        ("moderation", {"labels": {"Violence": 4}}, "from 1 to 3"),
        ("moderation", {"labels": ["Violence"]}, "must be an object"),
        ("classify", {"labels": {"Topic": ["code"]}}, "“Difficulty” is missing"),
        ("classify", {"labels": {"Topic": ["code", "maths"]}}, "one answer only"),
        ("classify", {"labels": {"Topic": ["cooking"]}}, "none of this queue's Topic"),
        ("classify", {"labels": {"Tone": ["kind"]}}, "none of this queue's questions"),
        ("classify", {"labels": {"Topic": "code"}}, "must be a list of names"),
        ("critique", {"labels": ["Wrong"]}, "Say in words"),
        ("critique", {"text": "It is."}, "Choose what kind"),
        ("critique", {"labels": ["Ugly"], "text": "It is."}, "none of this queue's categories"),
        ("critique", {"text": ""}, "or that nothing is"),
        ("critique", {"labels": ["Wrong"], "text": "a" * 20_001}, "at most 20,000"),
        ("spans", {"spans": [{"output": "a"}]}, "must be whole numbers"),
        ("spans", {"spans": [{"output": "c", "start": 0, "end": 1}]}, "no output “c”"),
        ("spans", {"spans": [{"output": "a", "start": 2, "end": 2}]}, "begin before it ends"),
        ("spans", {"spans": [{"output": "a", "start": 0, "end": 1, "label": "Nice"}]}, "labels"),
        ("spans", {"spans": [{"output": "a", "colour": "red"}]}, "cannot have “colour”"),
        ("spans", {"spans": "all"}, "a list of objects"),
    ],
)
def test_what_is_no_judgment_is_said_in_a_sentence(name, answer, says):
    sentence = problem(answer, name, refs=refs_of(TASK_TYPES[name]))
    assert says in sentence
    assert sentence.endswith(".")


def test_a_rating_needs_every_aspect_of_every_output():
    options = {"aspects": ["Right: 5", "Kind: rude, plain, kind"], "flags": ["Odd"]}
    answer = {"ratings": {"a": {"Right": 5, "Kind": 3}, "b": {"Right": 1}}}
    assert "“Kind” is missing for output 2" in problem(answer, "rating", **options)
    answer["ratings"]["b"]["Kind"] = 2
    answer["flags"] = {"b": ["Odd"]}
    assert problem(answer, "rating", **options) == ""
    words = TASK_TYPES["rating"].in_words(answer, ["b", "a"])
    assert words == "1: Right 1 Kind 2 (Odd), 2: Right 5 Kind 3"


def test_equal_ratings_are_a_tie_and_one_output_is_no_order():
    rating = TASK_TYPES["rating"]
    options = build(rating.Options, {})
    levels = {"a": {"Overall": 5}, "b": {"Overall": 7}, "c": {"Overall": 5}}
    assert rating.comparison({"ratings": levels}, options) == {"tiers": [["b"], ["a", "c"]]}
    assert rating.comparison({"ratings": {"a": {"Overall": 5}}}, options) == {}
    # What was rated before the queue's aspects changed says no order, or that of the next one.
    assert rating.comparison({"ratings": {"a": {"Old": 5}, "b": {"Old": 1}}}, options) == {}


def test_the_order_that_follows_the_ratings_is_the_one_that_counts():
    both = TASK_TYPES["rate_then_rank"]
    answer = {"ratings": {"a": {"Overall": 7}, "b": {"Overall": 1}}, "tiers": [["b"], ["a"]]}
    options = build(both.Options, {})
    assert both.comparison(answer, options) == {"tiers": [["b"], ["a"]]}
    assert both.scores(answer, REFS, options) == {"a": 1.0, "b": 0.0}
    assert problem({**answer, "tiers": [["a"]]}, "rate_then_rank") == "Give every output a place."
    assert "cannot share" in problem({**answer, "tiers": [REFS]}, "rate_then_rank", tie=False)


def test_several_classes_at_once_where_the_queue_allows_them():
    questions = ["Topic (several): code, maths", "Difficulty: easy, hard"]
    classify = TASK_TYPES["classify"]
    answer = {"labels": {"Topic": ["code", "maths"], "Difficulty": ["hard"]}}
    assert problem(answer, "classify", refs=[], questions=questions) == ""
    assert classify.read(classify.form_of(answer, []), []) == answer
    assert problem({"labels": {"Difficulty": ["hard"]}}, "classify", [], questions=questions) == ""
    rows = classify.page(
        build(classify.Options, {"questions": questions}), [], classify.form_of(answer, [])
    )
    assert [[choice.checked for choice in row.choices] for row in rows] == [
        [True, True],
        [False, True],
    ]


@pytest.mark.parametrize(
    "posted",
    ["", "[]", "{", "{}", "7", "[1]", "[[0,1,2]]", '[[0,1,2,"Wrong",NaN]]', '[[9,1,2,"Wrong",1]]',
     '[[0,-1,2,"Wrong",1]]', '[[0,1,1e999,"Wrong",1]]', '[[0,1,2,"a\\u0000b",1]]', "[" * 5000],
)  # fmt: skip
def test_odd_marks_never_fail_and_are_left_out(posted):
    assert TASK_TYPES["spans"].read({"spans": posted}, REFS) == {}


@pytest.mark.parametrize(
    "form",
    [{"rating.0.": "1"}, {"rating.9.Overall": "1"}, {"rating.².Overall": "1"}, {"rating.0": "1"},
     {"rating.0.a\x00b": "1"}, {"rating.0.Overall": "٣"}, {"flag.0.Odd": ""}, {"label.": "on"},
     {"class.": "x"}, {"label.a\x00": "1"}, {"class.a": "b\x00"}],
)  # fmt: skip
@pytest.mark.parametrize("name", ["rating", "rate_then_rank", "critique", "moderation", "classify"])
def test_an_odd_form_never_fails(name, form):
    assert TASK_TYPES[name].read(form, refs_of(TASK_TYPES[name])) == {}


def test_severity_lowers_the_score_and_harmless_is_one():
    moderation = TASK_TYPES["moderation"]
    options = build(moderation.Options, {})
    scores = [
        moderation.scores({"labels": labels}, ["a"], options)["a"]
        for labels in ({}, {"Violence": 1}, {"Violence": 2, "Self-harm": 1}, {"Violence": 3})
    ]
    assert scores == [1.0, pytest.approx(1 / 3), pytest.approx(1 / 6), 0.0]
    plain = build(moderation.Options, {"severities": []})
    assert moderation.scores({"labels": {"Violence": 1}}, ["a"], plain) == {"a": 0.0}
    assert moderation.problem_with({"labels": {"Violence": 1}}, [], plain) == ""
