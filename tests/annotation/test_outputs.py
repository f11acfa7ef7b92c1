"""The list of outputs, and what it never tells."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.assign import next_assignment
from annotation.create_queue import create_queue
from annotation.models import Queue
from tests import make

OUTPUTS = "/p/demo/outputs/"


@pytest.fixture
def reviewer(client, rita):
    client.force_login(rita)
    return client


def texts(page):
    return [row["text"] for row in page.context["outputs"]]


def test_finds_outputs_by_what_they_say_and_where_they_come_from(reviewer, project):
    one = make.prompt(project, "Why is the sky blue?", language="en", split="train")
    two = make.prompt(project, "Warum?", language="de", split="eval")
    make.output(one, "Because of scattering.", source="big model")
    make.output(two, "Wegen der Streuung.", source="human")
    make.output(two, "", source="big model")
    page = reviewer.get(OUTPUTS)
    assert texts(page) == ["", "Wegen der Streuung.", "Because of scattering."]
    assert page.context["sources"] == ["big model", "human"]
    assert "Nothing: the model said nothing." in page.content.decode()
    assert texts(reviewer.get(OUTPUTS, {"q": "STREUUNG"})) == ["Wegen der Streuung."]
    assert texts(reviewer.get(OUTPUTS, {"source": "human"})) == ["Wegen der Streuung."]
    assert texts(reviewer.get(OUTPUTS, {"language": "en"})) == ["Because of scattering."]
    assert texts(reviewer.get(OUTPUTS, {"split": "eval"})) == ["", "Wegen der Streuung."]
    assert "Nothing fits" in reviewer.get(OUTPUTS, {"q": "nobody said this"}).content.decode()


def test_what_is_under_review_is_not_there_before_it_is_over(reviewer, project):
    queue = create_queue(project, name="Review", type="pairwise", reserved_for="review", actor=None)
    make.task(project, queue=queue, outputs=("old answer", "new answer"))
    waiting = make.prompt(project, "Next?", split="review")
    make.output(waiting, "made to be reviewed", source="checkpoint:9")
    assert texts(reviewer.get(OUTPUTS)) == []
    assert reviewer.get(OUTPUTS).context["sources"] == []
    assert texts(reviewer.get(OUTPUTS, {"source": "checkpoint:9"})) == []
    Queue.objects.update(state="closed")
    assert sorted(texts(reviewer.get(OUTPUTS))) == ["new answer", "old answer"]


def test_nobody_reads_here_what_they_are_being_asked_about(reviewer, project, rita):
    make.task(project, outputs=("this", "that"))
    assert len(texts(reviewer.get(OUTPUTS))) == 2
    assert next_assignment(project, rita)
    assert texts(reviewer.get(OUTPUTS)) == []


def test_goes_on_by_key_and_costs_the_same_with_more_outputs(reviewer, project):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert reviewer.get(OUTPUTS, {"q": "answer"}).status_code == 200
        return len(seen)

    prompt = make.prompt(project)
    make.output(prompt, "answer 0")
    queries()
    few = queries()
    for number in range(1, 60):
        make.output(prompt, f"answer {number}", source=f"model {number}")
    assert queries() == few
    first = reviewer.get(OUTPUTS, {"q": "answer"})
    assert len(texts(first)) == 50
    assert len(texts(reviewer.get(first.context["next_url"]))) == 10
