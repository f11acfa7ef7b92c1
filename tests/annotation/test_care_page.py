"""What is sensitive is veiled at the desk, and what people choose about it."""

import pytest

from annotation.ask import ask
from annotation.assign import next_assignment
from annotation.create_queue import create_queue
from annotation.models import Annotator, Grant
from annotation.opt_in import opt_in
from annotation.submit import submit
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
