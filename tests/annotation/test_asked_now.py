"""Nobody sees a prompt's other answers before they have given theirs."""

import pytest
from django.urls import reverse

from annotation.ask import ask
from annotation.assign import next_assignment
from annotation.create_queue import create_queue
from annotation.models import Output
from annotation.submit import submit
from tests import make

SECRET = "What Bob wrote."


@pytest.fixture
def prompt(project):
    return make.prompt(project)


@pytest.fixture
def queue(project, prompt, bob):
    """One that wants two answers, of which Bob has given one."""
    queue = create_queue(project, name="Write", type="demonstration", overlap=2, actor=None)
    ask(queue, prompt, [])
    submit(next_assignment(project, bob), {"text": SECRET}, key="bob", reason=SECRET)
    return queue


def address(name, *arguments):
    return reverse(name, args=["demo", *arguments])


def pages_of(client, prompt):
    """What a reviewer may open, as it looks while they are asked."""
    return {
        name: client.get(url).content.decode()
        for name, url in {
            "prompt": address("prompt", prompt.pk),
            "answers": address("answers"),
            "api prompt": address("api_prompt", prompt.pk),
            "api answers": address("api_annotations"),
        }.items()
    }


def test_an_annotator_sees_them_nowhere(client, project, prompt, queue, alice):
    client.force_login(alice)
    slot = next_assignment(project, alice)
    shown = [client.get(address("desk")), client.get(address("last_answers"))]
    shown.append(client.post(address("api_next"), {}, content_type="application/json"))
    assert all(response.status_code == 200 for response in shown)
    assert all(SECRET not in response.content.decode() for response in shown)
    for name in ("prompt", "api_prompt"):
        assert client.get(address(name, prompt.pk)).status_code == 403
    for name in ("answers", "api_annotations", "prompts"):
        assert client.get(address(name)).status_code == 403
    # And when hers is in, it is hers that she sees.
    submit(slot, {"text": "What Alice wrote."}, key="alice")
    assert SECRET not in client.get(address("last_answers")).content.decode()


def test_a_reviewer_who_is_asked_sees_them_when_theirs_is_given(
    client, project, prompt, queue, rita
):
    client.force_login(rita)
    before = pages_of(client, prompt)
    assert [name for name, page in before.items() if SECRET not in page] == []
    slot = next_assignment(project, rita)
    asked = pages_of(client, prompt)
    assert [name for name, page in asked.items() if SECRET in page] == []
    assert "You have a question about this prompt in hand" in asked["prompt"]
    submit(slot, {"text": "What Rita wrote."}, key="rita")
    after = pages_of(client, prompt)
    assert [name for name, page in after.items() if SECRET not in page] == []
    assert Output.objects.count() == 2
