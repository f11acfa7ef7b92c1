import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.assign import next_assignment
from annotation.create_queue import create_queue
from annotation.models import Output, Prompt, Queue
from annotation.submit import submit
from annotation.views import listing
from tests import make

PROMPTS = "/p/demo/prompts/"


@pytest.fixture
def reviewer(client, rita):
    client.force_login(rita)
    return client


def found(client, **filters):
    return sorted(row["text"] for row in client.get(PROMPTS, filters).context["prompts"])


def test_finds_by_what_is_said_in_prompts_and_outputs(reviewer, project):
    make.output(make.prompt(project, "Why is the SKY blue?"), "It scatters.")
    make.output(make.prompt(project, "Why not?"), "Nobody knows 100%.")
    assert found(reviewer, q="sky") == ["Why is the SKY blue?"]
    assert found(reviewer, q="nobody") == ["Why not?"]
    assert found(reviewer, q="100%") == ["Why not?"]
    assert found(reviewer, q="%") == ["Why not?"]
    assert found(reviewer, q="green") == []


def test_narrows_by_all_that_is_asked(reviewer, project, alice):
    make.prompt(project, "one", tags=["x", "y"], language="en", source="book")
    make.prompt(project, "two", tags=["x"], language="de")
    make.output(make.prompt(project, "three", split="review"), source="human")
    make.task(project, prompt_text="four")
    submit(next_assignment(project, alice), {"tiers": [["a"], ["b"]]}, key="1")
    assert found(reviewer, tag="x") == ["one", "two"]
    assert found(reviewer, tag="x", language="de") == ["two"]
    assert found(reviewer, source="book") == ["one"]
    assert found(reviewer, source="human") == ["three"]
    assert found(reviewer, answered="yes") == ["four"]
    assert found(reviewer, answered="no") == ["one", "three", "two"]
    assert "three" in found(reviewer, split="review")


def test_shows_only_this_project(reviewer, project):
    stranger = make.prompt(make.project("other"), "secret")
    assert found(reviewer) == []
    assert reviewer.get(f"{PROMPTS}{stranger.pk}/").status_code == 404


def test_one_prompt_shows_its_outputs_and_answers(reviewer, project, alice):
    task = make.task(project, prompt_text="Why?", outputs=("It **does**.", ""))
    submit(next_assignment(project, alice), {"tiers": [["b"], ["a"]]}, key="1", reason="Shorter.")
    page = reviewer.get(f"{PROMPTS}{task.prompt.pk}/").content.decode()
    assert "It <strong>does</strong>." in page
    assert "The output is empty." in page
    assert "model 0" in page
    assert "2 is better" in page
    assert "Shorter." in page
    assert "alice@" not in page


def test_what_is_imported_does_no_harm(reviewer, project):
    prompt = make.prompt(project, "<script>alert(1)</script>", tags=["<img src=x>"])
    make.output(prompt, "<img src=x onerror=alert(1)>", source="<b>evil</b>")
    for address in (PROMPTS, f"{PROMPTS}{prompt.pk}/"):
        page = reviewer.get(address).content.decode()
        for harmful in ("<script>alert", "<img src=x", "<b>evil"):
            assert harmful not in page


class TestReview:
    """While a review runs, nobody is told who wrote what."""

    @pytest.fixture
    def task(self, project):
        queue = create_queue(project, name="R", type="pairwise", reserved_for="review", actor=None)
        task = make.task(project, queue=queue)
        Output.objects.filter(prompt=task.prompt).update(source="checkpoint:17")
        return task

    def sources(self, client, task):
        page = client.get(f"{PROMPTS}{task.prompt.pk}/")
        shown = "checkpoint:17" in page.content.decode()
        api = client.get(f"/api/projects/demo/prompts/{task.prompt.pk}/").json()
        assert shown == ("checkpoint:17" in str(api))
        assert shown == bool(found(client, source="checkpoint:17"))
        return shown

    def test_hides_sources_until_it_is_over(self, reviewer, task):
        assert not self.sources(reviewer, task)
        Queue.objects.filter(pk=task.queue.pk).update(state="closed")
        assert self.sources(reviewer, task)

    def test_hides_them_before_its_queue_is_open(self, reviewer, project):
        prompt = make.prompt(project, "A question", split="review")
        make.output(prompt, "An answer", source="checkpoint:17")
        assert "checkpoint:17" not in reviewer.get(f"{PROMPTS}{prompt.pk}/").content.decode()

    def test_their_order_tells_nothing(self, reviewer, project, task):
        texts = [f"output {number}" for number in range(8)]
        for text in texts:
            output = make.output(task.prompt, text, source="checkpoint:18")
            task.task_outputs.create(output=output, position=output.pk, ref=text)
        page = reviewer.get(f"{PROMPTS}{task.prompt.pk}/")
        shown = [row["text"] for row in page.context["outputs"] if row["text"] in texts]
        assert sorted(shown) == texts
        assert shown != texts


def test_its_queries_do_not_grow(reviewer, project, alice):
    counts = []
    for _ in range(2):
        for _ in range(10):
            make.task(project, prompt_text=f"Question {Prompt.objects.count()}")
            make.task(project, prompt_text="The same")
            submit(
                next_assignment(project, alice),
                {"tiers": [["a"], ["b"]]},
                key=str(_) + "a" * len(counts),
            )
        one = Prompt.objects.get(text="The same")
        with CaptureQueriesContext(connection) as queries:
            reviewer.get(PROMPTS, {"q": "e", "tag": ""})
            reviewer.get(f"{PROMPTS}{one.pk}/")
            reviewer.get("/api/projects/demo/prompts/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_goes_on_by_key_with_its_filters(reviewer, project):
    for number in range(60):
        make.prompt(project, f"Question {number}", tags=["x"])
    make.prompt(project, "Not this one")
    first = reviewer.get(PROMPTS, {"tag": "x"})
    assert len(first.context["prompts"]) == 50
    second = reviewer.get(first.context["next_url"])
    assert len(second.context["prompts"]) == 10
    assert "tag=x" in second.context["first_url"]


def test_a_search_that_takes_too_long_is_ended_with_a_sentence(reviewer, project, monkeypatch):
    monkeypatch.setattr(listing, "PATIENCE_SECONDS", 0.001)
    for number in range(300):
        make.output(make.prompt(project, f"Question {number}"), "word " * 20_000)
    response = reviewer.get(PROMPTS, {"q": "not there"})
    assert response.status_code == 503
    assert "takes too long" in response.content.decode()


def test_all_of_it_can_be_downloaded_by_curators(client, project, clara, rita):
    task = make.task(project)
    client.force_login(clara)
    assert "/p/demo/feedback/" in client.get(PROMPTS).content.decode()
    for address in ("/p/demo/feedback/", "/api/projects/demo/feedback/"):
        lines = b"".join(client.get(address).streaming_content).decode().splitlines()
        assert len(lines) == 1
        assert task.ref in lines[0]
    client.force_login(rita)
    assert "/p/demo/feedback/" not in client.get(PROMPTS).content.decode()
