"""What is sent back comes to its author with the reason; a correction is validated anew."""

import pytest
from django.urls import reverse

from annotation.ask import ask
from annotation.ask_blank import ask_blank
from annotation.assign import next_assignment
from annotation.correct import correct
from annotation.create_queue import create_queue
from annotation.models import Annotator, Assignment, Output, Prompt
from annotation.sent_back import reasons_for, sent_back_to
from annotation.submit import BadAnswer, submit
from tests import make


@pytest.fixture
def writing(project):
    return create_queue(project, name="Write", type="demonstration", actor=None)


@pytest.fixture
def gate(project):
    return create_queue(project, name="Validate", type="validate", actor=None)


@pytest.fixture
def written(project, writing, alice):
    prompt = make.prompt(project)
    ask(writing, prompt, [])
    return submit(next_assignment(project, alice), {"text": "Green."}, key="written")


@pytest.fixture
def returned(written, gate, bob):
    ask(gate, Prompt.objects.get(), [Output.objects.get()])
    return says(gate, bob, "return", "It is *blue*.")


def says(gate, person, verdict, reason=""):
    slot = next_assignment(gate.project, person, queue=gate)
    number = Assignment.objects.filter(state="answered").count()
    return submit(slot, {"verdict": verdict}, key=f"verdict-{number}", reason=reason)


def authors(person):
    return Annotator.objects.get(user=person)


def test_its_author_finds_it_with_the_reason(written, returned, alice):
    [found] = sent_back_to(authors(alice))
    assert (found.annotation, found.reasons) == (written, ["It is *blue*."])
    assert reasons_for(written.pk) == ["It is *blue*."]


def test_nobody_else_does(returned, bob):
    assert sent_back_to(authors(bob)) == []


def test_needs_a_reason(written, gate, bob):
    ask(gate, Prompt.objects.get(), [Output.objects.get()])
    with pytest.raises(BadAnswer, match="Say what should be different"):
        says(gate, bob, "return", " ")


def test_what_was_rejected_or_accepted_does_not_wait(written, gate, alice, bob):
    ask(gate, Prompt.objects.get(), [Output.objects.get()])
    says(gate, bob, "reject", "No.")
    assert sent_back_to(authors(alice)) == []


def test_a_correction_is_validated_anew_and_waits_no_more(
    project, written, returned, gate, alice, bob
):
    correct(written, {"text": "Blue."}, key="second")
    assert sent_back_to(authors(alice)) == []
    # The author is not asked; whoever sent it back may be.
    assert next_assignment(project, alice, queue=gate) is None
    slot = next_assignment(project, bob, queue=gate)
    assert slot.task.task_outputs.get().output.text == "Blue."


def test_nobody_validates_what_was_corrected_meanwhile(project, written, gate, bob):
    ask(gate, Prompt.objects.get(), [Output.objects.get()])
    correct(written, {"text": "Blue."}, key="second")
    assert [slot.task.task_outputs.get().output.text for slot in Assignment.objects.free()] == [
        "Blue."
    ]


def test_a_correction_without_a_change_is_not_asked_about_again(project, written, returned, gate):
    correct(written, {"text": "Green. "}, key="second")
    assert gate.tasks.count() == 1


def test_a_prompt_is_sent_back_as_well(project, gate, alice, bob):
    queue = create_queue(project, name="New", type="prompt_writing", actor=None)
    ask_blank(queue, 1, actor=None)
    given = submit(
        next_assignment(project, alice),
        {"messages": [{"role": "user", "content": "Wy?"}]},
        key="prompt",
    )
    ask(gate, Prompt.objects.get(), [])
    says(gate, bob, "return", "A letter is missing.")
    assert [one.annotation for one in sent_back_to(authors(alice))] == [given]
    correct(given, {"messages": [{"role": "user", "content": "Why?"}]}, key="second")
    assert next_assignment(project, bob, queue=gate).task.prompt.text == "Why?"
    assert next_assignment(project, alice, queue=gate) is None


class TestPages:
    def test_the_desk_says_how_many_and_the_last_answers_show_why(self, client, returned, alice):
        client.force_login(alice)
        page = client.get(reverse("desk", args=["demo"])).content.decode()
        assert "1 sent back to you" in page
        rows = client.get(reverse("last_answers", args=["demo"])).content.decode()
        assert "Sent back" in rows
        assert "It is *blue*." in rows

    def test_the_correction_shows_the_reason(self, client, written, returned, alice):
        client.force_login(alice)
        address = reverse("correct_answer", args=["demo", written.pk])
        assert "It is <em>blue</em>." in client.get(address).content.decode()

    def test_whoever_sent_it_back_sees_nothing_of_it(self, client, returned, bob):
        client.force_login(bob)
        assert "sent back to you" not in client.get(reverse("desk", args=["demo"])).content.decode()
