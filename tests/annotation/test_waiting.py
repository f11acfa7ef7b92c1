"""The card of a project says what waits for whoever annotates in it."""

import pytest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from annotation.assign import next_assignment
from annotation.models import Annotator, Assignment
from annotation.waiting import Waiting, waiting_for
from tests import make


def seen(client, person):
    client.force_login(person)
    return client.get(reverse("waiting", args=["demo"])).content.decode()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "Look at the desk for questions"),
        (1, "1 question waits for you"),
        (3, "3 questions wait for you"),
        (20, "12 questions or more wait for you"),
    ],
)
def test_counts_the_questions_and_takes_none(project, alice, client, number, words):
    for _ in range(number):
        make.task(project)
    assert words in seen(client, alice)
    assert not Assignment.objects.exclude(state="free").exists()


@pytest.mark.parametrize(
    ("questions", "language", "words"),
    [
        (1, "en", "1 question or more waits for you"),
        (1, "de", "1 Frage oder mehr wartet auf Sie"),
        (2, "en", "2 questions or more wait for you"),
        (2, "de", "2 Fragen oder mehr warten auf Sie"),
    ],
)
def test_says_one_or_more_as_one_says_it(questions, language, words):
    one = Waiting(questions, is_more=True, sent_back=0, comments=0, is_paused=False)
    with translation.override(language):
        assert words in render_to_string("annotation/waiting.html", {"waiting": one})


def test_what_one_has_in_hand_counts_once(project, alice):
    make.task(project)
    make.task(project)
    next_assignment(project, alice)
    assert waiting_for(project, alice).questions == 2


def test_says_what_was_sent_back_and_written(project, alice, client):
    Annotator.objects.create(project=project, user=alice, sent_back=2, unread=1)
    page = seen(client, alice)
    assert "2 sent back to you" in page
    assert "1 new comment" in page


def test_who_is_paused_is_not_called_to_work(project, alice, client):
    make.task(project)
    Annotator.objects.create(project=project, user=alice, paused_at="2026-01-02T03:04Z")
    assert "You are paused here." in seen(client, alice)


def test_home_asks_for_it_where_one_annotates(project, alice, rita, client):
    address = reverse("waiting", args=["demo"])
    for person, is_there in ((alice, True), (rita, False)):
        client.force_login(person)
        page = client.get(reverse("home")).content.decode()
        assert (address in page) == is_there
        assert ("2 members" in page) != is_there
