import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.assign import next_assignment
from annotation.correct import correct
from annotation.models import Annotation, Annotator
from annotation.submit import submit
from tests import make

ANSWERS = "/p/demo/answers/"


@pytest.fixture
def reviewer(client, rita):
    client.force_login(rita)
    return client


def answer(project, user, tiers=(("a",), ("b",)), **values):
    slot = next_assignment(project, user)
    key = f"key {Annotation.objects.count()}"
    return submit(slot, {"tiers": [list(tier) for tier in tiers]}, key=key, **values)


def rows(client, **filters):
    return client.get(ANSWERS, filters).context["answers"]


def test_shows_who_said_what_and_why(reviewer, project, alice):
    make.task(project, prompt_text="Why?", outputs=("first", "second"))
    answer(project, alice, reason="It is right.", seconds=12.0)
    [row] = rows(reviewer)
    assert row["says"] == "1 is better"
    assert row["who"] == Annotator.objects.get(user=alice).pseudonym
    page = reviewer.get(ANSWERS).content.decode()
    for text in ("Why?", "first", "second", "It is right.", "12 s"):
        assert text in page
    for hidden in ("alice@example.org", "model 0"):
        assert hidden not in page


def test_a_correction_stands_for_what_it_corrects(reviewer, project, alice):
    make.task(project)
    given = answer(project, alice)
    correct(given, {"tiers": [["b"], ["a"]]}, key="later")
    [row] = rows(reviewer)
    assert (row["says"], row["is_correction"]) == ("2 is better", True)


def test_narrows_by_queue_annotator_tag_and_words(reviewer, project, alice, bob):
    first = make.queue(project, name="First")
    task = make.task(project, queue=first, prompt_text="Apples?")
    answer(project, alice, reason="Round.")
    make.task(project, queue=make.queue(project, name="Second"), prompt_text="Pears?")
    answer(project, bob)
    task.prompt.tags = ["fruit"]
    task.prompt.save()
    who = Annotator.objects.get(user=alice).pseudonym
    for filters in (
        {"queue": first.pk},
        {"annotator": who},
        {"tag": "fruit"},
        {"q": "apples"},
        {"q": "round"},
        {"queue": first.pk, "annotator": who, "q": "ONE"},
    ):
        assert [row["who"] for row in rows(reviewer, **filters)] == [who], filters
        api = reviewer.get("/api/projects/demo/annotations/", filters).json()["results"]
        assert [row["annotator"] for row in api] == [who], filters
    assert rows(reviewer, queue="nonsense") == []
    assert rows(reviewer, q="nowhere") == []
    assert len(rows(reviewer)) == 2


def test_shows_only_this_project(reviewer, project, alice):
    other = make.project("other")
    make.task(other)
    answer(other, alice)
    assert rows(reviewer) == []
    assert reviewer.get("/api/projects/demo/annotations/").json()["results"] == []


def test_its_queries_do_not_grow(reviewer, project, alice):
    counts = []
    for _ in range(2):
        for _ in range(10):
            make.task(project)
            answer(project, alice)
        with CaptureQueriesContext(connection) as queries:
            assert rows(reviewer)
            reviewer.get("/api/projects/demo/annotations/")
        counts.append(len(queries))
    assert counts[0] == counts[1]
