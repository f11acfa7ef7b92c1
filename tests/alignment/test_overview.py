"""The overview: what waits for whom, and a cost that does not grow."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from alignment.models import Promotion, Review
from annotation.create_queue import create_queue
from annotation.find_disputes import find_disputes
from annotation.flag import flag
from annotation.freeze import freeze
from annotation.grant import grant
from annotation.models import Annotator
from annotation.pause import pause
from tests import make


@pytest.fixture
def address(project):
    return reverse("project", args=["demo"])


def test_who_annotates_goes_straight_to_the_desk(client, alice, address):
    client.force_login(alice)
    answer = client.get(address)
    assert answer.status_code == 302
    assert answer["Location"] == reverse("desk", args=["demo"])


@pytest.mark.parametrize("who", ["rita", "clara", "erin", "owen"])
def test_each_role_sees_links_that_it_may_follow(client, who, address, request, project):
    make.task(project)
    client.force_login(request.getfixturevalue(who))
    content = client.get(address).content.decode()
    for name in ("prompts", "answers", "datasets", "runs", "checkpoints", "reviews"):
        link = reverse(name, args=["demo"])
        if f'href="{link}"' in content:
            assert client.get(link).status_code == 200


def test_says_how_many_questions_wait(client, rita, project, address):
    for _ in range(3):
        make.task(project)
    client.force_login(rita)
    content = client.get(address).content.decode()
    assert ">3</span> questions at the desk" in content


def test_counts_questions_not_answers_and_only_those_that_they_may_be_given(
    client, rita, project, address
):
    make.task(project, answers=3)
    make.task(project, queue=make.queue(project, "Medicine", skills=["expertise:medicine"]))
    make.task(project, queue=make.queue(project, "Exam", exam_skill="expertise:medicine"))
    client.force_login(rita)
    assert client.get(address).context["questions"] == 1
    me = Annotator.objects.member(project, rita)
    grant(me, "expertise:medicine", actor=None)
    assert client.get(address).context["questions"] == 2
    pause(me, because="A rest.", actor=None)
    assert client.get(address).context["questions"] == 0


def test_says_what_there_is_to_decide(client, rita, clara, alice, project, address):
    task = make.task(project)
    make.vote(task, "a", "b", by="w1")
    make.vote(task, "b", "a", by="w2")
    find_disputes(project)
    person = Annotator.objects.member(project, alice)
    flag(make.task(project), person, reason="It is empty.")
    pause(person, because="A rest.", actor=None)
    client.force_login(rita)
    content = client.get(address).content.decode()
    assert "1 question on which people disagree" in content
    assert "1 person who is paused" in content
    assert "somebody says nobody can answer" not in content
    client.force_login(clara)
    assert "1 question that somebody says nobody can answer" in client.get(address).content.decode()


def test_says_what_is_in_force_and_what_waits_for_a_decision(
    client, erin, project, checkpoint, address
):
    old, new = checkpoint("the old one"), checkpoint("the new one")
    Promotion.objects.create(project=project, checkpoint=old, reason="Kind.", decided_by=erin)
    Review.objects.create(
        project=project, candidate=new, baseline=old, prompts=[], state="finished"
    )
    client.force_login(erin)
    content = client.get(address).content.decode()
    assert "Kind." in content
    assert "the new one against the old one" in content
    assert "promote or reject it" in content


def test_costs_the_same_with_more_of_everything(client, erin, project, address):
    client.force_login(erin)

    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert client.get(address).status_code == 200
        return len(seen)

    make.task(project)
    queries()
    few = queries()
    for _ in range(12):
        make.task(project)
    assert queries() == few


def test_counts_no_further_than_it_must(client, erin, project, address, monkeypatch):
    monkeypatch.setattr("alignment.views.overview.MOST", 2)
    for _ in range(4):
        make.task(project)
    client.force_login(erin)
    assert "2+" in client.get(address).content.decode()


def test_news_lead_to_what_they_are_about_and_a_review_is_told_once(
    client, clara, rita, project, address
):
    queue = create_queue(project, name="Open", type="pairwise", actor=clara)
    create_queue(project, name="Review", type="pairwise", reserved_for="review", actor=clara)
    make.vote(make.task(project), "a", "b")
    freeze(project, name="first", kind="preference", actor=clara)
    client.force_login(clara)
    page = client.get(address)
    told = {item["event"].label: item["url"] for item in page.context["news"]}
    assert told == {
        "Open": reverse("queue", args=["demo", queue.pk]),
        "demo/first@1": reverse("version", args=["demo", "first", 1]),
    }
    client.force_login(rita)
    assert {item["url"] for item in client.get(address).context["news"]} == {""}
