"""What is sensitive is veiled at the desk, and what people choose about it."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.ask import ask
from annotation.assign import next_assignment
from annotation.create_queue import create_queue
from annotation.freeze import freeze
from annotation.models import Annotator, Grant, Prompt, TaskOutput
from annotation.opt_in import opt_in
from annotation.submit import submit
from annotation.veil import sensitive_prompts
from tests import make

A = {"tiers": [["a"], ["b"]]}


@pytest.fixture
def queue(project):
    handling = {"sensitive": "drugs", "harmful": "violence"}
    return create_queue(project, name="Q", type="pairwise", handling=handling, actor=None)


def asked(queue, *tags):
    prompt = make.prompt(queue.project, f"About {tags}?", tags=list(tags))
    return ask(queue, prompt, [make.output(prompt, one) for one in ("one", "two")])


def get(client, person, address="desk/", **values):
    client.force_login(person)
    return client.get(f"/p/demo/{address}", values).content.decode()


def test_a_sensitive_question_is_veiled(queue, alice, client):
    asked(queue, "drugs")
    page = get(client, alice)
    assert "data-veiled" in page
    assert "sensitive content: drugs" in page
    assert page.count('class="veiled" inert') == 2, "the prompt, and what is asked of it"
    assert "data-uncover" in page


def test_without_a_script_it_is_uncovered_by_asking_again(queue, alice, client):
    asked(queue, "drugs")
    page = get(client, alice, shown=1)
    assert "data-veiled" not in page
    assert " inert" not in page
    assert "Veil it again" in page


def test_other_questions_have_no_veil(queue, alice, client):
    asked(queue, "weather")
    page = get(client, alice)
    assert "data-veiled" not in page
    assert "veil" not in page


def test_a_correction_is_veiled_too_and_the_list_says_only_what_it_is_about(queue, alice, client):
    asked(queue, "drugs")
    given = submit(next_assignment(queue.project, alice), A, key="k")
    assert "data-veiled" in get(client, alice, f"desk/last/{given.pk}/")
    page = get(client, alice, "desk/last/")
    assert "Sensitive content: drugs" in page
    assert "About" not in page


def test_people_choose_for_themselves(queue, alice, client):
    asked(queue, "violence")
    page = get(client, alice)
    assert "My work" in page
    page = get(client, alice, "my-work/")
    assert "I agree to see this" in page
    address = "/p/demo/my-work/care/"
    assert client.post(address, {"category": "violence", "wanted": "yes"}).status_code == 302
    assert Grant.objects.standing().get().skill == "consent:violence"
    assert "data-veiled" in get(client, alice)
    page = get(client, alice, "my-work/")
    assert "Today you were given 1 question" in page
    client.post(address, {"category": "violence", "wanted": "no"})
    assert not Grant.objects.standing().exists()
    assert "data-veiled" not in get(client, alice)


def test_what_is_no_category_here_cannot_be_chosen(queue, alice, client):
    client.force_login(alice)
    said = client.post("/p/demo/my-work/care/", {"category": "x", "wanted": "yes"})
    assert said.status_code == 404


def test_enough_is_enough_and_is_said_kindly(project, alice, client):
    queue = create_queue(
        project,
        name="Q",
        type="pairwise",
        handling={"sensitive": "drugs", "sensitive_cap": 1},
        actor=None,
    )
    asked(queue, "drugs")
    submit(next_assignment(project, alice), A, key="k")
    asked(queue, "drugs", "more")
    assert "be good to yourself" in get(client, alice)


def test_nobody_sees_what_others_have_chosen(queue, alice, clara, client):
    opt_in(Annotator.objects.member(queue.project, alice), "violence")
    assert "consent:" not in get(client, clara, "skills/")


def test_programs_choose_and_are_told(queue, alice, client):
    asked(queue, "drugs")
    client.force_login(alice)
    found = client.get("/api/projects/demo/care/").json()
    assert found == {"choices": [{"category": "violence", "is_chosen": False}]}
    body = {"category": "violence", "wanted": True}
    found = client.post("/api/projects/demo/care/", body, content_type="application/json")
    assert found.json()["choices"][0]["is_chosen"]
    question = client.post("/api/projects/demo/next/", {}, content_type="application/json")
    assert question.json()["question"]["categories"] == ["drugs"]


def test_the_form_says_what_is_sensitive(project, clara, client):
    client.force_login(clara)
    values = {
        "type": "pairwise",
        "name": "Careful",
        "overlap": 1,
        "handling.harmful": "Violence",
        "handling.sensitive_cap": "20",
    }
    assert client.post("/p/demo/new-queue/?type=pairwise", values).status_code == 302
    queue = project.queues.get(name="Careful")
    assert (queue.harmful, queue.sensitive_cap) == (["violence"], 20)
    page = get(client, clara, f"queues/{queue.pk}/edit/")
    assert 'value="violence"' in page


# --- curators and reviewers


@pytest.fixture
def heavy(queue, rita):
    """A question about drugs that Rita answered; what she reads of it says so."""
    task = asked(queue, "drugs")
    make.vote(task, "a", "b", reason="It is kinder.")
    return task


VEILED = 'class="veiled" inert'
SAID = "Sensitive content: drugs"


def test_a_prompt_is_veiled_for_reviewers_until_they_uncover_it(heavy, queue, rita, client):
    page = get(client, rita, f"prompts/{heavy.prompt_id}/")
    assert page.count(VEILED) == 1
    assert SAID in page
    assert page.index(VEILED) < page.index("About (") < page.index("</main>")
    uncovered = get(client, rita, f"prompts/{heavy.prompt_id}/", shown=1)
    assert VEILED not in uncovered
    assert "Veil it again" in uncovered
    other = asked(queue, "weather")
    assert "veil" not in get(client, rita, f"prompts/{other.prompt_id}/")


@pytest.mark.parametrize("address", ["prompts/", "outputs/", "answers/", "queues/{}/"])
def test_lists_name_it_by_its_category_alone(heavy, queue, clara, client, address):
    make.vote(asked(queue, "weather"), "a", "b")
    page = get(client, clara, address.format(queue.pk))
    assert "Sensitive content" in page
    assert "drugs" in page
    assert "About (&#x27;drugs" not in page
    assert "About (&#x27;weather" in page


@pytest.mark.parametrize("address", ["prompts/", "outputs/"])
def test_more_that_is_sensitive_is_asked_for_no_more_often(queue, clara, client, address):
    get(client, clara, address)
    counts = []
    for _ in range(2):
        for _ in range(5):
            asked(queue, "drugs")
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/p/demo/{address}")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_turn_of_a_chat_is_as_sensitive_as_the_chat(queue):
    task = asked(queue, "drugs")
    turn = make.prompt(queue.project, "And then?")
    TaskOutput.objects.create(task=task, output=make.output(turn, "So."), position=2, ref="c")
    assert sensitive_prompts([turn.pk]) == {turn.pk: ["drugs"]}


def test_a_known_answer_is_set_after_the_question_was_uncovered(heavy, queue, clara, client):
    page = get(client, clara, f"tasks/{heavy.pk}/known/")
    assert "desk-work veiled" in page
    assert "data-wants-uncovered disabled" in page
    assert " inert" not in get(client, clara, f"tasks/{heavy.pk}/known/", shown=1)


def test_rows_of_a_dataset_are_uncovered_one_by_one(heavy, queue, clara, client):
    for task in (asked(queue, "drugs"), asked(queue, "weather")):
        make.vote(task, "a", "b")
    Prompt.objects.update(split="train")
    version = freeze(queue.project, name="heavy", kind="preference", actor=None)
    address = f"datasets/heavy/{version.number}/"
    assert get(client, clara, address).count(VEILED) == 2
    first = re.search(r'name="shown" value="(\d)"', get(client, clara, address))[1]
    shown = get(client, clara, address, shown=first, split="train", start=0)
    assert shown.count(VEILED) == 1
    votes = get(client, clara, f"{address}rows/train/{first}/votes/")
    assert votes.count(VEILED) == 1
