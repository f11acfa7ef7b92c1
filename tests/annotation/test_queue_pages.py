"""A queue's pages, and the same for programs."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape

from annotation.create_queue import create_queue
from annotation.edit_queue import edit_queue
from annotation.models import Queue, Task
from annotation.task_types import TASK_TYPES
from tests import make


@pytest.fixture
def queue(project):
    return create_queue(project, name="Q", type="pairwise", overlap=2, actor=None)


class TestPages:
    @pytest.fixture
    def curator(self, client, clara):
        client.force_login(clara)
        return client

    def address(self, name, *arguments):
        return reverse(name, args=["demo", *arguments])

    def test_lists_queues_and_counts_when_htmx_asks(self, curator, project, queue):
        make.task(project, queue=queue, answers=2)
        page = curator.get(self.address("queues")).content.decode()
        assert "Q</a>" in page
        assert "counting…" in page
        counted = curator.get(self.address("queues"), headers={"HX-Request": "true"})
        assert "0 / 2" in counted.content.decode()
        assert "<html" not in counted.content.decode()

    def test_a_queue_says_how_far_its_questions_are(self, curator, project, queue):
        make.task(project, queue=queue, answers=2)
        done = make.task(project, queue=queue, answers=0, prompt_text="Is it done?")
        make.vote(done, "a", "b", by="one")
        make.vote(done, "a", "b", by="two")
        address = self.address("queue", queue.pk)
        page = curator.get(address, headers={"HX-Request": "true"}).content.decode()
        assert 'aria-label="0 answers: 1, 2 answers: 1"' in page
        response = curator.get(address, {"now": "yes"})
        parts = [(part["answers"], part["tasks"]) for part in response.context["spread"]]
        assert parts == [(0, 1), (2, 1)]

    def test_a_queue_says_what_it_hands_out_otherwise_than_usual(self, curator, queue):
        page = curator.get(self.address("queue", queue.pk))
        assert page.context["handed_out"] == []
        edit_queue(queue, handling={"order": "random", "daily_cap": 9}, actor=None)
        page = curator.get(self.address("queue", queue.pk))
        assert page.context["handed_out"] == [("Order", "at random"), ("Daily cap", "9")]

    def test_a_queues_page_costs_the_same_with_more_questions(self, curator, project, queue):
        def queries():
            with CaptureQueriesContext(connection) as seen:
                assert curator.get(self.address("queue", queue.pk), {"now": 1}).status_code == 200
            return len(seen)

        make.task(project, queue=queue)
        queries()
        few = queries()
        for _ in range(30):
            make.task(project, queue=queue)
        assert queries() == few

    def test_every_way_of_asking_is_there_to_choose_from(self, curator):
        page = curator.get(self.address("new_queue")).content.decode()
        for name, one in TASK_TYPES.items():
            assert f"?type={name}" in page
            assert escape(one.about) in page
        form = curator.get(self.address("new_queue") + "?type=rating").content.decode()
        assert 'name="option.aspects"' in form
        assert "Another way of asking" in form

    def test_makes_a_queue(self, curator, project):
        response = curator.post(
            self.address("new_queue"),
            {
                "type": "ranking",
                "name": "Rank",
                "overlap": 3,
                "option.tie": "on",
                "guideline": "Hi.",
            },
        )
        queue = Queue.objects.get()
        assert response.url == self.address("queue", queue.pk)
        assert (queue.type, queue.overlap) == ("ranking", 3)
        assert queue.options == {"tie": True, "all_bad": False, "say_why_bad": False}
        page = curator.get(response.url).content.decode()
        assert "Version 1, in force" in page

    def test_a_refusal_stands_on_the_form_that_was_sent(self, curator, queue):
        response = curator.post(
            self.address("new_queue"), {"type": "pairwise", "name": "Q", "overlap": 1}
        )
        assert response.status_code == 422
        assert "There is already a queue with this name" in response.content.decode()

    def test_edits_pauses_and_closes(self, curator, queue):
        form = curator.get(self.address("queue_edit", queue.pk)).content.decode()
        assert 'value="Q"' in form
        curator.post(
            self.address("queue_edit", queue.pk), {"name": "Q2", "overlap": 4, "guideline": "x"}
        )
        for state in ("paused", "closed"):
            curator.post(self.address("queue_state", queue.pk), {"state": state})
            queue.refresh_from_db()
            assert queue.state == state
        assert (queue.name, queue.overlap) == ("Q2", 4)
        assert not any(queue.options.values())

    def test_adds_questions(self, curator, project, queue):
        for number in range(2):
            prompt = make.prompt(project, f"Question {number}?")
            make.output(prompt, "one")
            make.output(prompt, "two")
        response = curator.post(
            self.address("queue_fill", queue.pk), {"outputs_each": 2, "limit": 10}, follow=True
        )
        assert "2 questions were added." in response.content.decode()
        prompt = make.prompt(project, "One more?")
        make.output(prompt, "one")
        make.output(prompt, "two")
        response = curator.post(
            self.address("queue_fill", queue.pk), {"outputs_each": 2, "limit": 10}, follow=True
        )
        assert "1 question was added." in response.content.decode()
        response = curator.post(
            self.address("queue_fill", queue.pk), {"outputs_each": 7, "limit": 10}, follow=True
        )
        assert "Outputs each:" in response.content.decode()

    def test_shows_a_review_without_a_way_to_change_it(self, curator, project):
        review = create_queue(project, name="R", type="pairwise", reserved_for="review", actor=None)
        page = curator.get(self.address("queue", review.pk)).content.decode()
        assert self.address("queue_state", review.pk) not in page
        assert curator.get(self.address("queue_edit", review.pk)).status_code == 409
        assert Queue.objects.get(pk=review.pk).state == "open"

    def test_its_queries_do_not_grow(self, curator, project, queue):
        counts = []
        for _ in range(2):
            for _ in range(10):
                task = make.task(project, queue=queue)
                make.queue(project, name=f"Queue {task.pk}")
            with CaptureQueriesContext(connection) as queries:
                curator.get(self.address("queues") + "?now")
                curator.get(self.address("queue", queue.pk) + "?now")
            counts.append(len(queries))
        assert counts[0] == counts[1]

    def test_goes_from_page_to_page_by_key(self, curator, project):
        for place in range(60):
            make.queue(project, name=f"Queue {place:02}")
        first = curator.get(self.address("queues"))
        names = [row["name"] for row in first.context["queues"]]
        second = curator.get(first.context["next_url"])
        names += [row["name"] for row in second.context["queues"]]
        assert names == [f"Queue {place:02}" for place in reversed(range(60))]
        assert second.context["next_url"] == ""
        assert second.context["first_url"]


class TestApi:
    @pytest.fixture
    def curator(self, client, clara):
        client.force_login(clara)
        return client

    def test_makes_asks_and_changes(self, curator, project):
        made = curator.post(
            "/api/projects/demo/queues/",
            {"name": "Q", "type": "pairwise", "guideline": "Be fair."},
            content_type="application/json",
        )
        assert made.status_code == 201, made.json()
        address = f"/api/projects/demo/queues/{made.json()['id']}/"
        prompt = make.prompt(project)
        outputs = [make.output(prompt, "one").pk, make.output(prompt, "two").pk]
        body = {"prompt": prompt.pk, "outputs": outputs, "ref": "mine"}
        asked = curator.post(f"{address}tasks/", body, content_type="application/json")
        assert [one["output"] for one in asked.json()["outputs"]] == outputs
        again = curator.post(f"{address}tasks/", body, content_type="application/json")
        assert again.status_code == 409
        changed = curator.patch(
            address, {"overlap": 3, "state": "paused"}, content_type="application/json"
        )
        assert changed.json()["progress"] == {"tasks": 1, "answered": 0, "wanted": 3}
        assert (changed.json()["state"], changed.json()["guideline"]) == ("paused", "Be fair.")
        assert len(curator.get(f"{address}tasks/").json()["results"]) == 1

    def test_asks_about_nothing_of_another_project(self, curator, project, queue):
        stranger = make.prompt(make.project("other"))
        body = {"prompt": stranger.pk, "outputs": [make.output(stranger).pk] * 2}
        address = f"/api/projects/demo/queues/{queue.pk}/tasks/"
        assert curator.post(address, body, content_type="application/json").status_code == 422
        assert not Task.objects.exists()
