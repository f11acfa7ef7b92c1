import copy
import json

import pytest

from annotation.feedback_keys import BadLine
from annotation.feedback_line import asks, problem_with_answers, read_line
from annotation.task_types import TASK_TYPES

PAIR = {
    "id": "1",
    "prompt": [{"role": "user", "content": "Why?"}],
    "outputs": [{"id": "a", "text": "So."}, {"id": "b", "text": ""}],
    "annotations": [{"annotator": "w1", "answer": {"tiers": [["a"], ["b"]]}}],
}


def changed(**values):
    return {**copy.deepcopy(PAIR), **values}


def annotated(**values):
    line = copy.deepcopy(PAIR)
    line["annotations"][0].update(values)
    return line


def with_output(**values):
    line = copy.deepcopy(PAIR)
    line["outputs"][0].update(values)
    return line


SAID = {"by": "w2", "text": "Why?", "at": "2026-01-02T03:04:05Z"}


def sent_back(**values):
    return changed(comments=[{**SAID, "with": "w1", "sent_back": values}])


def sentence_about(record):
    with pytest.raises(BadLine) as refusal:
        read_line(record)
    sentence = str(refusal.value)
    assert sentence.endswith((".", "later.", "known."))
    return sentence


def test_only_the_prompt_is_required():
    line = read_line({"prompt": PAIR["prompt"]})
    assert (line.task_type, line.outputs, line.annotations, line.gold) == ("", [], [], None)
    assert not asks(line)


def test_null_says_the_same_as_leaving_out():
    names = ["id", "language", "source", "tags", "task_type", "outputs", "annotations", "gold"]
    nothing = dict.fromkeys([*names, "meta"])
    assert read_line({"prompt": PAIR["prompt"], **nothing}) == read_line({"prompt": PAIR["prompt"]})


def test_two_outputs_ask_for_the_better_one_and_more_for_an_order():
    three = [*PAIR["outputs"], {"id": "c", "text": "!"}]
    assert read_line(changed(annotations=[])).task_type == "pairwise"
    assert read_line(changed(annotations=[], outputs=three)).task_type == "ranking"
    assert read_line(changed(task_type="ranking")).task_type == "ranking"


def test_outputs_without_ids_are_called_by_their_place():
    line = read_line(changed(outputs=[{"text": "x"}, {"text": "y"}], annotations=[]))
    assert line.refs == ["1", "2"]


def test_what_has_too_few_outputs_asks_nothing_yet():
    line = read_line(
        {"prompt": PAIR["prompt"], "task_type": "pairwise", "outputs": [{"text": "x"}]}
    )
    assert line.task_type == "pairwise"
    assert not asks(line)


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({}, "needs a “prompt”"),
        (changed(prompt="Why?"), "list of messages"),
        (changed(prompt=[]), "no user turn"),
        (changed(prompt=[{"role": "system", "content": "x"}]), "no user turn"),
        (changed(prompt=[{"role": "robot", "content": "x"}]), "role of a message"),
        (changed(prompt=[{"role": "user"}]), "content of a message"),
        (changed(prompt=[{"role": "user", "content": "x", "name": "y"}]), "cannot have “name”"),
        (changed(promt=[]), "A line cannot have “promt”"),
        (with_output(model="x"), "An output cannot have “model”"),
        (annotated(worker="x"), "An annotation cannot have “worker”"),
        (with_output(text=None), "Output 1 needs a “text”"),
        (with_output(id="b"), "Two outputs have the id “b”"),
        (with_output(source="x" * 201), "at most 200 characters"),
        (with_output(params=[]), "must be an object"),
        (changed(id=7), "“id” must be a text"),
        (changed(id="x" * 201), "at most 200 characters"),
        (changed(tags="x"), "“tags” must be a list"),
        (changed(tags=[""]), "1 to 100 characters"),
        (changed(language="x" * 36), "at most 35 characters"),
        (changed(meta=[]), "“meta” must be an object"),
        (changed(gold="a"), "“gold” must be an object"),
        (changed(task_type="guessing"), "There is no task type “guessing”"),
        (changed(task_type="pairwise", outputs=[{"id": "a", "text": ""}]), "at least 2 outputs"),
        (changed(outputs=[{"text": "x"}] * 10, annotations=[]), "at most 9 outputs"),
        (changed(annotations=PAIR["annotations"] * 2), "Annotator “w1” answers twice"),
        (annotated(annotator=""), "needs an “annotator”"),
        (annotated(annotator="x\x00"), "NUL"),
        (annotated(answer=None), "needs an “answer”"),
        (annotated(skipped=True), "has no answer"),
        (annotated(skipped="yes"), "true or false"),
        (annotated(for_nobody={}), "Only what was skipped"),
        (annotated(skipped=True, answer=None, for_nobody={"why": "x"}), "cannot have “why”"),
        (annotated(skipped=True, answer=None, for_nobody={"decision": "no"}), "“decision” must be"),
        (changed(comments=[{"by": "w1", "text": "So."}]), "who wrote it (“by”)"),
        (changed(comments=[{**SAID, "mood": "x"}]), "A comment cannot have “mood”"),
        (changed(comments=[SAID, SAID]), "comment by “w2” stands there twice"),
        (changed(comments=[{**SAID, "text": "x" * 10_001}]), "at most 10000 characters"),
        (sent_back(state="open"), "one of corrected, kept, over"),
        (sent_back(state="kept", answer=2), "answer of “w1” was sent back that is not there"),
        (sent_back(state="kept", round=2), "answer of “w1” was sent back that is not there"),
        (annotated(shown=["a", "z"]), "“shown” names an output “z”"),
        (annotated(shown=["a", "a"]), "“shown” names the output “a” twice"),
        (annotated(seconds=-1), "not below 0"),
        (annotated(seconds=True), "not below 0"),
        (annotated(at="yesterday"), "is not a time"),
        (annotated(at="2026-01-02T03:04:05"), "needs a time zone"),
        (annotated(at="0001-01-01T00:00:00+14:00"), "is not a time"),
        (annotated(round=0), "whole number from 1"),
        (annotated(guideline=1.5), "whole number from 1"),
        (annotated(purpose="fun"), "must be one of gold, repeat, adjudication"),
        (annotated(earlier=[{"at": "2026-01-02T03:04:05Z"}]), "needs an “answer”"),
        (annotated(earlier=[{"annotator": "x"}]), "An earlier answer cannot have “annotator”"),
        (changed(meta={"a": "\ud800"}), "half of a character"),
        (changed(meta={"a\x00": 1}), "NUL"),
        (changed(meta={"a": 10**400}), "too large"),
        (changed(meta={"a": float("inf")}), "too large"),
    ],
)
def test_says_what_is_wrong(record, words):
    assert words in sentence_about(record)


def test_refuses_what_is_nested_too_deep():
    deep = []
    for _ in range(5000):
        deep = [deep]
    assert "nested deeper" in sentence_about(changed(meta={"a": deep}))
    flat = changed(meta={"a": [[] for _ in range(500)]})
    assert read_line(flat).meta == flat["meta"]


def test_a_backslash_before_u0000_is_no_nul():
    line = read_line(json.loads(json.dumps(changed(meta={"code": "\\u0000"}))))
    assert line.meta == {"code": "\\u0000"}


def test_answers_are_checked_as_the_task_type_says():
    options = TASK_TYPES["pairwise"].Options()
    assert problem_with_answers(read_line(PAIR), options) == ""
    unknown = read_line(annotated(answer={"tiers": [["a"], ["z"]]}))
    assert problem_with_answers(unknown, options).startswith("Annotator “w1”: ")
    assert "“z”" in problem_with_answers(unknown, options)
    gold = read_line(changed(gold={"tiers": [["a"]]}))
    assert problem_with_answers(gold, options).startswith("Gold: ")
    earlier = read_line(annotated(earlier=[{"answer": {"tiers": "a"}}]))
    assert problem_with_answers(earlier, options) != ""
    strict = TASK_TYPES["pairwise"].Options(tie=False)
    assert problem_with_answers(read_line(annotated(answer={"tiers": [["a", "b"]]})), strict)
