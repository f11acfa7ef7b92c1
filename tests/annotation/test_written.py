"""What people write in their answers becomes data, in the same transaction."""

import io
import json

import pytest
from django.db import transaction
from django.urls import reverse

from annotation.ask import NoQuestion, ask
from annotation.ask_blank import ask_blank
from annotation.assign import next_assignment
from annotation.correct import correct
from annotation.create_queue import create_queue
from annotation.export_feedback import export_feedback
from annotation.intake import import_file
from annotation.models import Annotator, Assignment, Authorship, Exemption, Output, Prompt
from annotation.models.authorship import withdrawn
from annotation.submit import BadAnswer, submit
from tests import make
from tests.together import with_a_transaction_open


@pytest.fixture
def queue(project):
    return create_queue(project, name="Write", type="demonstration", overlap=2, actor=None)


@pytest.fixture
def prompt(project):
    return make.prompt(project)


def answer(project, person, given, *, key="one", **beside):
    return submit(next_assignment(project, person), given, key=key, **beside)


class TestDemonstration:
    def test_becomes_an_output_of_the_prompt_written_by_a_human(
        self, project, queue, prompt, alice
    ):
        ask(queue, prompt, [])
        given = answer(project, alice, {"text": "  Because of **scattering**.\n"})
        output = Output.objects.get()
        assert (output.prompt, output.text) == (prompt, "Because of **scattering**.")
        assert (output.source, output.params, output.ref) == ("human", {}, "")
        authorship = Authorship.objects.get()
        assert authorship.annotation == given
        assert authorship.annotator.user == alice
        assert (authorship.output, authorship.is_new) == (output, True)

    def test_sent_twice_is_written_once(self, project, queue, prompt, alice):
        ask(queue, prompt, [])
        slot = next_assignment(project, alice)
        for _ in range(2):
            submit(slot, {"text": "Blue."}, key="one")
        assert (Output.objects.count(), Authorship.objects.count()) == (1, 1)

    def test_the_same_words_by_two_people_are_one_output_of_both(
        self, project, queue, prompt, alice, bob
    ):
        ask(queue, prompt, [])
        answer(project, alice, {"text": "Blue."}, key="1")
        answer(project, bob, {"text": "Blue. "}, key="2")
        assert Output.objects.count() == 1
        assert [one.is_new for one in Authorship.objects.order_by("pk")] == [True, False]

    def test_what_came_in_a_file_is_not_added_again(self, project, queue, prompt, alice):
        there = make.output(prompt, "Blue.", source="human")
        ask(queue, prompt, [])
        answer(project, alice, {"text": "Blue."})
        assert Authorship.objects.get().output == there
        assert not Authorship.objects.get().is_new

    def test_nothing_is_written_where_the_answer_is_refused(self, project, queue, prompt, alice):
        ask(queue, prompt, [])
        with pytest.raises(BadAnswer, match="Write the answer"):
            answer(project, alice, {"text": " \n"})
        assert not Output.objects.exists()

    def test_is_undone_with_the_answer(self, project, queue, prompt, alice):
        ask(queue, prompt, [])
        slot = next_assignment(project, alice)

        def write_and_fail():
            with transaction.atomic():
                submit(slot, {"text": "Blue."}, key="one")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            write_and_fail()
        assert not Output.objects.exists()

    def test_a_correction_adds_an_output_and_the_earlier_one_counts_no_more(
        self, project, queue, prompt, alice
    ):
        ask(queue, prompt, [])
        first = answer(project, alice, {"text": "Green."}, key="1")
        second = correct(first, {"text": "Blue."}, key="2")
        correct(second, {"text": "Blue!"}, key="3")
        assert list(Output.objects.order_by("pk").values_list("text", flat=True)) == [
            "Green.",
            "Blue.",
            "Blue!",
        ]
        assert Output.objects.exclude(withdrawn("output")).get().text == "Blue!"

    def test_what_somebody_else_wrote_too_still_counts_after_a_correction(
        self, project, queue, prompt, alice, bob
    ):
        ask(queue, prompt, [])
        first = answer(project, alice, {"text": "Blue."}, key="1")
        answer(project, bob, {"text": "Blue."}, key="2")
        correct(first, {"text": "Blue!"}, key="3")
        assert Output.objects.exclude(withdrawn("output")).count() == 2

    def test_what_came_in_a_file_still_counts_after_a_correction(
        self, project, queue, prompt, alice
    ):
        make.output(prompt, "Blue.", source="human")
        ask(queue, prompt, [])
        first = answer(project, alice, {"text": "Blue."}, key="1")
        correct(first, {"text": "Blue!"}, key="2")
        assert Output.objects.exclude(withdrawn("output")).count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_who_write_the_same_at_once_write_one_output(project, alice, bob):
    queue = create_queue(project, name="Write", type="demonstration", overlap=2, actor=None)
    ask(queue, make.prompt(project), [])
    slots = [next_assignment(project, person) for person in (alice, bob)]
    with_a_transaction_open(
        lambda: submit(slots[0], {"text": "Blue."}, key="1"),
        lambda: submit(slots[1], {"text": "Blue."}, key="2"),
    )
    assert (Output.objects.count(), Authorship.objects.count()) == (1, 2)


class TestNobodyJudgesTheirOwn:
    def test_output(self, project, queue, prompt, alice, bob):
        ask(queue, prompt, [])
        answer(project, alice, {"text": "Blue."})
        Assignment.objects.free().delete()
        judging = make.queue(project, "Judge", type="pairwise")
        others = make.output(prompt, "Green.")
        ask(judging, prompt, [Output.objects.get(source="human"), others])
        assert next_assignment(project, alice) is None
        assert next_assignment(project, bob).queue == judging

    def test_output_that_somebody_else_wrote_first(self, project, queue, prompt, alice, bob):
        ask(queue, prompt, [])
        for key, person in enumerate((alice, bob)):
            answer(project, person, {"text": "Blue."}, key=str(key))
        judging = make.queue(project, "Judge", type="pairwise")
        ask(judging, prompt, [Output.objects.get(), make.output(prompt, "Green.")])
        assert next_assignment(project, alice) is None
        assert next_assignment(project, bob) is None

    def test_others_texts_are_theirs(self, project, queue, prompt, alice, bob):
        ask(queue, prompt, [])
        answer(project, alice, {"text": "Blue."})
        assert next_assignment(project, bob).queue == queue


class TestWithoutAPrompt:
    def test_a_question_about_a_prompt_needs_one(self, queue):
        with pytest.raises(NoQuestion, match="needs a prompt"):
            ask(queue, None, [])
        with pytest.raises(NoQuestion, match="is about a prompt"):
            ask_blank(queue, 3, actor=None)


class TestFeedbackLines:
    LINES = [
        {
            "id": "demo-1",
            "prompt": [{"role": "user", "content": "Why is the sky blue?"}],
            "task_type": "demonstration",
            "annotations": [
                {
                    "annotator": "w1",
                    "answer": {"text": "Scattering."},
                    "earlier": [{"answer": {"text": "Paint."}}],
                }
            ],
        },
        {
            "id": "edit-1",
            "prompt": [{"role": "user", "content": "Why is the sky blue?"}],
            "task_type": "edit",
            "outputs": [{"id": "a", "text": "It is green.", "source": "model"}],
            "annotations": [{"annotator": "w1", "answer": {"text": "It is blue."}, "shown": ["a"]}],
        },
        {
            "id": "prompt-1",
            "task_type": "prompt_writing",
            "annotations": [
                {
                    "annotator": "w2",
                    "answer": {
                        "messages": [{"role": "user", "content": "Warum?"}],
                        "labels": {"category": "why"},
                        "language": "de",
                    },
                }
            ],
            "brief": {"category": "why", "language": "de"},
        },
        {
            "id": "gate-1",
            "prompt": [{"role": "user", "content": "Why is the sky blue?"}],
            "task_type": "validate",
            "outputs": [{"id": "a", "text": "Scattering.", "source": "human"}],
            "annotations": [
                {"annotator": "w2", "answer": {"verdict": "reject"}, "reason": "Too short."}
            ],
        },
    ]

    def come_in(self, project):
        lines = b"".join(json.dumps(line).encode() + b"\n" for line in self.LINES)
        return import_file(project, io.BytesIO(lines))

    def test_go_out_as_they_came_in_and_bring_what_was_written(self, project):
        report = self.come_in(project)
        assert (report.tasks, report.refused) == (4, 0)
        assert list(export_feedback(project)) == self.LINES
        counting = Output.objects.filter(source="human").exclude(withdrawn("output"))
        assert {one.text for one in counting} == {"Scattering.", "It is blue."}
        assert Prompt.objects.filter(source="human").get().tags == ["why"]
        again = self.come_in(project)
        assert (again.unchanged, again.refused) == (4, 0)
        assert Authorship.objects.count() == 4

    def test_whoever_wrote_it_in_a_file_is_not_asked_about_it(self, project):
        self.come_in(project)
        author = Annotator.objects.get(pseudonym="w1")
        exempt = Exemption.objects.filter(annotator=author, why="wrote")
        assert "gate-1" in exempt.values_list("task__ref", flat=True)

    @pytest.mark.parametrize(
        ("line", "sentence"),
        [
            ({"task_type": "demonstration"}, "A line needs a “prompt”."),
            ({"task_type": "prompt_writing", "tags": ["x"]}, "without a prompt has no “tags”"),
            ({"task_type": "prompt_writing", "brief": {"size": "x"}}, "no option “size”"),
            (
                {"prompt": [{"role": "user", "content": "Hi"}], "brief": {"text": "x"}},
                "A line with a prompt has no “brief”.",
            ),
        ],
    )
    def test_refuses_in_a_sentence(self, project, line, sentence):
        report = import_file(project, io.BytesIO(json.dumps(line).encode()))
        assert report.refused == 1
        assert sentence in report.problems[0].problem

    def test_another_brief_is_another_line(self, project):
        self.come_in(project)
        line = {**self.LINES[2], "brief": {"category": "why"}}
        report = import_file(project, io.BytesIO(json.dumps(line).encode()))
        assert "with another brief" in report.problems[0].problem


class TestProgram:
    def test_writes_through_the_api(self, client, project, queue, prompt, alice):
        ask(queue, prompt, [])
        client.force_login(alice)
        json_type = {"content_type": "application/json"}
        asked = client.post(reverse("api_next", args=["demo"]), {}, **json_type)
        question = asked.json()["question"]
        assert (question["type"], question["outputs"], question["brief"]) == (
            "demonstration",
            [],
            {},
        )
        body = {"answer": {"text": "Blue."}, "key": "program"}
        address = reverse("api_answer", args=["demo", question["id"]])
        assert client.post(address, body, **json_type).status_code == 201
        assert Output.objects.get().text == "Blue."

    def test_reads_the_brief(self, client, project, alice):
        writing = create_queue(project, name="New", type="prompt_writing", actor=None)
        ask_blank(writing, 1, brief={"language": "de"}, actor=None)
        client.force_login(alice)
        asked = client.post(reverse("api_next", args=["demo"]), {}, content_type="application/json")
        assert asked.json()["question"]["brief"] == {"language": "de"}
