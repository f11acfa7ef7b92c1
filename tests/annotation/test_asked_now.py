"""Nobody sees a prompt's other answers before they have given theirs."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.ask import ask
from annotation.assign import next_assignment
from annotation.create_queue import create_queue
from annotation.models import Assignment, Output, Prompt
from annotation.skip import skip
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


def test_letting_a_question_lapse_or_putting_it_off_shows_nothing(
    client, project, prompt, queue, rita, bob
):
    client.force_login(rita)
    slot = next_assignment(project, rita)
    Assignment.objects.filter(pk=slot.pk).update(held_until=timezone.now() - timedelta(hours=1))
    lapsed = pages_of(client, prompt)
    assert [name for name, page in lapsed.items() if SECRET in page] == []
    skip(slot, meaning="later")
    later = pages_of(client, prompt)
    assert [name for name, page in later.items() if SECRET in page] == []
    # Others have given what was wanted: she cannot answer any more.
    Assignment.objects.exclude(state="answered").update(state="skipped")
    over = pages_of(client, prompt)
    assert [name for name, page in over.items() if SECRET not in page] == []


def test_whoever_is_asked_what_it_is_about_does_not_read_it_beside_the_prompt(
    client, project, rita
):
    topics = create_queue(project, name="Topics", type="classify", overlap=2, actor=None)
    prompt = make.prompt(project)
    ask(topics, prompt, [])
    Prompt.objects.update(judged_tags=["Topic:code"])
    client.force_login(rita)
    addresses = [
        address("prompts"),
        address("prompts") + "?tag=Topic:code",
        address("prompt", prompt.pk),
        address("api_prompts"),
        address("api_prompts") + "?tag=Topic:code",
        address("api_prompt", prompt.pk),
    ]

    def tagged():
        return ["Topic:code<" in one or '"Topic:code"' in one for one in bodies()]

    def bodies():
        found = [client.get(one).content.decode() for one in addresses]
        found = [one.replace("<option>Topic:code</option>", "") for one in found]
        return [one.replace('value="Topic:code"', "") for one in found]

    assert tagged() == [True, True, True, True, True, True]
    next_assignment(project, rita)
    assert tagged() == [False, False, False, False, False, False]
    assert "Why is the sky" not in bodies()[1] + bodies()[4]
