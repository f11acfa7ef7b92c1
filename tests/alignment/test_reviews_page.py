"""The pages of reviews: how one stands, and the decision."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from alignment.models import Promotion, Review
from annotation.create_queue import create_queue

HTMX = {"HTTP_HX_REQUEST": "true"}
NUMBERS = {
    "prompts": 10,
    "identical": 0,
    "answered": 10,
    "answers": 10,
    "answers_wanted": 10,
    "annotators": 2,
    "wins": 7,
    "ties": 1,
    "losses": 2,
    "win_rate": 0.75,
    "interval": [0.5, 0.9],
    "history": [],
}


@pytest.fixture
def review(project, checkpoint, erin):
    old, new = checkpoint("old"), checkpoint("new")
    Promotion.objects.create(project=project, checkpoint=old, reason="first", decided_by=erin)
    queue = create_queue(project, name="Review 1", type="pairwise", actor=erin)
    return Review.objects.create(
        project=project, candidate=new, baseline=old, prompts=[], state="open", queue=queue
    )


def finished(review):
    Review.objects.filter(pk=review.pk).update(state="finished", verdict=NUMBERS)
    review.refresh_from_db()
    return review


@pytest.fixture
def signed_in(client, erin):
    client.force_login(erin)
    return client


def at(name, *args):
    return reverse(name, args=["demo", *args])


def test_the_page_is_live_while_answers_come_in(signed_in, review):
    content = signed_in.get(at("review", review.pk)).content.decode()
    assert "every 3s" in content
    finished(review)
    assert "every 3s" not in signed_in.get(at("review", review.pk)).content.decode()
    assert signed_in.get(at("review", review.pk), **HTMX)["HX-Refresh"] == "true"


def test_an_engineer_promotes(signed_in, review, project, erin):
    finished(review)
    assert signed_in.post(at("review_promote", review.pk), {"reason": ""}).status_code == 422
    answer = signed_in.post(at("review_promote", review.pk), {"reason": "It won."})
    assert answer.status_code == 302
    assert Promotion.objects.in_force(project).checkpoint == review.candidate
    content = signed_in.get(at("review", review.pk)).content.decode()
    assert "It won." in content
    assert at("review_promote", review.pk) not in content


def test_an_engineer_rejects(signed_in, review, project):
    finished(review)
    answer = signed_in.post(at("review_reject", review.pk), {"reason": "Too curt."})
    assert answer.status_code == 302
    review.refresh_from_db()
    assert review.decision == Review.Decision.REJECTED
    assert Promotion.objects.in_force(project).checkpoint == review.baseline


def test_nothing_is_decided_before_the_end(signed_in, review):
    for name in ("review_promote", "review_reject"):
        assert signed_in.post(at(name, review.pk), {"reason": "Now."}).status_code == 409
    assert Promotion.objects.count() == 1


def test_a_reviewer_sees_and_decides_nothing(client, rita, review):
    client.force_login(rita)
    content = client.get(at("review", finished(review).pk)).content.decode()
    assert "new against old" in content
    assert at("review_promote", review.pk) not in content


def test_a_stranger_finds_nothing(client, mallory, review):
    client.force_login(mallory)
    assert client.get(at("review", review.pk)).status_code == 404


def test_the_list_costs_the_same_with_more_reviews(signed_in, review, checkpoint):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert signed_in.get(at("reviews")).status_code == 200
        return len(seen)

    queries()
    few = queries()
    for number in range(8):
        Review.objects.create(
            project=review.project,
            candidate=checkpoint(f"c{number}"),
            baseline=review.baseline,
            prompts=[],
            state="finished",
            verdict=NUMBERS,
        )
    assert queries() == few
    content = signed_in.get(at("reviews")).content.decode()
    assert "75.0" in content


def test_the_list_of_none_says_how_one_begins(signed_in, project):
    assert "No reviews yet" in signed_in.get(at("reviews")).content.decode()
