"""How many questions lie ahead: a number that is said is right, or says that there are more."""

import re

import pytest

from annotation.assign import come_to_desk
from annotation.models import Annotator
from annotation.submit import submit
from annotation.waiting import waiting_for
from tests import make

FIRST = {"tiers": [["a"], ["b"]]}


def said_ahead(client):
    """What stands beside the number of today's answers."""
    page = client.get("/p/demo/desk/").content.decode()
    return re.search(r"(\d+\+?) ahead", page).group(1)


def tasks(project, number, *, answers=1, **fields):
    queue = make.queue(project, **fields)
    return [make.task(project, queue=queue, answers=answers) for _ in range(number)]


@pytest.mark.parametrize(
    ("number", "answers", "said"),
    [(1, 1, "0"), (3, 1, "2"), (30, 1, "12+"), (3, 3, "2"), (30, 3, "4+"), (10, 20, "1+")],
)
def test_the_desk_says_how_many_lie_ahead(project, alice, client, number, answers, said):
    tasks(project, number, answers=answers)
    client.force_login(alice)
    assert said_ahead(client) == said


def test_the_card_of_the_project_says_that_there_is_more(project, alice):
    tasks(project, 30, answers=3)
    found = waiting_for(project, alice)
    assert (found.questions, found.is_more) == (5, True)


def test_an_exam_says_how_much_of_it_is_left(project, alice, client):
    queue = make.queue(project, "Exam", exam_skill="expertise:law", exam_size=3)
    for _ in range(5):
        make.task(project, queue=queue, answers=0, gold=FIRST)
    client.force_login(alice)
    seen = []
    for turn in range(3):
        seen.append(said_ahead(client))
        assert said_ahead(client) == seen[-1]
        submit(come_to_desk(project, alice).assignment, FIRST, key=f"k{turn}")
    assert seen == ["2", "1", "0"]
    assert Annotator.objects.get(user=alice).notice


@pytest.mark.parametrize("share", [0, 0.5, 1])
def test_a_training_says_how_much_of_it_is_left(project, alice, client, share):
    """Each question is a check, and waits for many people."""
    queue = make.queue(project, is_training=True, gold_share=share)
    for _ in range(14):
        make.task(project, queue=queue, answers=20, gold=FIRST)
    client.force_login(alice)
    seen = []
    for turn in range(14):
        seen.append(said_ahead(client))
        assert said_ahead(client) == seen[-1]
        submit(come_to_desk(project, alice).assignment, FIRST, key=f"k{turn}")
    assert come_to_desk(project, alice).assignment is None
    assert seen == [str(left) for left in range(13, -1, -1)]


def test_a_training_counts_checks_that_take_the_place_of_others(project, alice, client):
    queue = make.queue(project, is_training=True, gold_share=1)
    for _ in range(14):
        make.task(project, queue=queue, answers=0, gold=FIRST)
    make.task(project, queue=queue)
    client.force_login(alice)
    assert said_ahead(client) == "14"
    turns = 0
    while slot := come_to_desk(project, alice).assignment:
        submit(slot, FIRST, key=f"k{turns}")
        turns += 1
    assert turns == 15


def test_a_large_training_says_that_there_is_more(project, alice, client, monkeypatch):
    monkeypatch.setattr("annotation.mix_in._MOST_TRAINING", 20)
    queue = make.queue(project, is_training=True, gold_share=1)
    for _ in range(21):
        make.task(project, queue=queue, gold=FIRST)
    client.force_login(alice)
    assert said_ahead(client) == "12+"
