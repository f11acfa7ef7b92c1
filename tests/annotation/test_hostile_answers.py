"""Answers that nobody gives by accident: each is refused in a sentence, or does no harm."""

import copy
import json
import random

import pytest
from django.urls import reverse

from annotation.assign import next_assignment
from annotation.likeness import likeness
from annotation.task_types import TASK_TYPES
from tests import make
from truing.make_token import make_token
from truing.options import build

REFS = ["a", "b"]
SPAN = {"output": "a", "start": 0, "end": 2, "label": "Wrong"}
THINGS = [
    *(None, True, False, 0, -1, 1, 5, 10**15, 1.5, "", "a", "b", "zz", "x" * 300, "accept"),
    *([], {}, [[]], [{}], {"a": 1}, {"a": {}}, {"a": []}, {"": ""}, ["a"], ["a", "a"], [1]),
    *([["a"], ["b"]], [["a", "b"]], {"a": None}, SPAN, [SPAN, SPAN], [{**SPAN, "label": []}]),
    *([{"role": "user", "content": "Hi."}], [{"role": [], "content": {}}], [{"role": "user"}]),
]
NAMES = [
    *("tiers", "strength", "all_bad", "ratings", "flags", "labels", "spans", "text", "verdict"),
    *("messages", "language", "reason", "output", "start", "end", "label", "severity"),
    *("content", "role", "category", "a", "b", "zz"),
]


def changed(value, chance):
    """The same with something else somewhere in it."""
    if chance.random() < 0.25 or not isinstance(value, dict | list):
        return copy.deepcopy(chance.choice(THINGS))
    made = copy.copy(value)
    places = list(made) if isinstance(made, dict) else list(range(len(made)))
    if places and chance.random() < 0.8:
        place = chance.choice(places)
        made[place] = changed(made[place], chance)
    if isinstance(made, dict) and chance.random() < 0.3:
        made[chance.choice(NAMES)] = copy.deepcopy(chance.choice(THINGS))
    if isinstance(made, list) and chance.random() < 0.3:
        made.append(copy.deepcopy(chance.choice(THINGS)))
    if places and chance.random() < 0.15:
        del made[chance.choice(places)]
    return made


def answers(task_type, number):
    chance = random.Random(1)
    for _ in range(number):
        answer = task_type.example_answer
        for _ in range(chance.randint(1, 3)):
            answer = changed(answer, chance)
        yield answer


@pytest.mark.parametrize("name", TASK_TYPES)
def test_what_is_not_refused_can_be_read_by_everybody(name):
    task_type = TASK_TYPES[name]
    options = build(task_type.Options, {})
    refs = REFS[: task_type.max_outputs]
    texts = dict.fromkeys(refs, "It is four, as anyone can see.")
    good = 0
    for answer in answers(task_type, 3000):
        problem = task_type.problem_with(answer, refs, options)
        if problem or task_type.problem_with_texts(answer, texts, options):
            continue
        good += 1
        task_type.reason_wanted(answer, options)
        assert isinstance(task_type.in_words(answer, refs), str)
        compared = task_type.comparison(answer, options)
        assert sorted(ref for tier in compared.get("tiers", []) for ref in tier) in ([], refs)
        assert all(0 <= one <= 1 for one in task_type.scores(answer, refs, options).values())
        task_type.findings(answer, refs, options)
        task_type.written(answer, options)
        form = task_type.form_of(answer, refs)
        assert all(isinstance(value, str) for value in form.values())
        task_type.page(options, refs, form)
        likeness(answer, task_type.example_answer)
        assert likeness(answer, answer) in (None, 1)
    assert good > 50


def test_nobody_makes_a_question_unanswerable_for_others(project, alice, bob, client):
    """What a program says beside its order is looked at when the next one answers."""
    make.task(project, answers=2)
    for person in (alice, bob):
        client.force_login(person)
        slot = next_assignment(project, person)
        answer = {"tiers": [[0], [1]], "spans": [1, {"output": 0}], "labels": {"x": [{}]}}
        response = client.post(
            reverse("api_answer", args=["demo", slot.pk]),
            json.dumps({"answer": answer, "key": f"k{person.pk}"}),
            content_type="application/json",
        )
        assert response.status_code == 201, response.content


@pytest.mark.parametrize("name", TASK_TYPES)
def test_a_program_is_answered_in_a_sentence_whatever_it_says(name, project, alice, client):
    if TASK_TYPES[name].has_turns:
        return
    task_type = TASK_TYPES[name]
    outputs = ("It is four, as anyone can see.", "Five.")[: task_type.max_outputs]
    _, secret = make_token(alice, name="test")
    make.task(project, type=name, outputs=outputs, answers=1)
    slot = next_assignment(project, alice)
    for number, answer in enumerate(answers(task_type, 40)):
        response = client.post(
            reverse("api_answer", args=["demo", slot.pk]),
            json.dumps({"answer": answer, "key": f"k{number}"}),
            content_type="application/json",
            headers={"Authorization": f"Bearer {secret}"},
        )
        assert response.status_code in (201, 400, 409, 422), answer
        if response.status_code == 201:
            make.task(project, type=name, outputs=outputs, answers=1)
            slot = next_assignment(project, alice)
