"""Asking again what was answered under an old guideline; adjudication for programs."""

import pytest

from annotation.adjudicate import settle
from annotation.assign import next_assignment
from annotation.models import Assignment, Guideline
from annotation.submit import submit
from tests import make
from tests.annotation.disputes import A, B, disputed
from tests.annotation.pages import get, post
from truing.models import Event


@pytest.fixture
def old(project, clara, alice):
    """One question answered under guideline 1, one under 2, and 3 is in force."""
    queue = make.queue(project)
    for number in (1, 2):
        Guideline.objects.create(queue=queue, number=number, text=f"Version {number}.")
        make.task(project, queue=queue)
        submit(next_assignment(project, alice), A, key=f"under-{number}")
    Guideline.objects.create(queue=queue, number=3, text="Version 3.")
    return queue


def test_says_how_many_before_it_is_done(old, clara, client):
    page = get(client, clara, "guideline_ask_again", old.pk, 2)
    assert (page.context["found"].tasks, page.context["found"].answers) == (1, 1)
    both = get(client, clara, "guideline_ask_again", old.pk, 2, or_earlier="1")
    assert both.context["found"].tasks == 2
    assert not Assignment.objects.free().exists()
    post(client, clara, "guideline_ask_again", old.pk, 2, why="Be fair.")
    [slot] = Assignment.objects.free()
    assert (slot.round, slot.task.assignments.first().guideline.number) == (2, 2)
    # They are being asked again already.
    assert get(client, clara, "guideline_ask_again", old.pk, 2).context["found"].tasks == 0
    assert Event.objects.get(verb="queue.ask_again").details["why"] == "Be fair."


def test_what_was_answered_again_is_not_asked_a_third_time(project, old, clara, alice, client):
    post(client, clara, "guideline_ask_again", old.pk, 1)
    submit(next_assignment(project, alice), B, key="anew")
    assert get(client, clara, "guideline_ask_again", old.pk, 1).context["found"].tasks == 0


def test_what_a_reviewer_settled_under_the_new_one_stays(project, old, rita, clara, client):
    task = old.tasks.order_by("pk").first()
    settle(task, A, reason="So.", key="s", replaces=None, actor=rita)
    assert get(client, clara, "guideline_ask_again", old.pk, 1).context["found"].tasks == 0


def test_the_version_in_force_is_not_asked_again(old, clara, client):
    assert post(client, clara, "guideline_ask_again", old.pk, 3).status_code == 422
    assert post(client, clara, "guideline_ask_again", old.pk, 9).status_code == 422
    assert not Assignment.objects.free().exists()


@pytest.fixture
def api(client):
    from truing.make_token import make_token

    def call(person, method, path, body=None):
        _, secret = make_token(person, name="test")
        return client.generic(
            method,
            f"/api/projects/demo/{path}",
            data=__import__("json").dumps(body) if body is not None else "",
            content_type="application/json",
            headers={"Authorization": f"Bearer {secret}"},
        )

    return call


def test_programs_settle_and_talk(project, rita, alice, api, differing):
    task, of_alice, _ = differing
    [found] = api(rita, "GET", "disputes/?state=open").json()["results"]
    assert (found["task"], found["answers"]) == (task.pk, 2)
    shown = api(rita, "GET", f"tasks/{task.pk}/dispute/").json()
    assert shown["settled"] is None
    assert len(shown["answers"]) == 2
    body = {"annotations": [of_alice.pk], "text": "Look again."}
    assert api(rita, "POST", f"tasks/{task.pk}/send-back/", body).status_code == 200
    [said] = api(alice, "GET", f"tasks/{task.pk}/comments/").json()["results"]
    assert said["text"] == "Look again."
    reply = api(alice, "POST", f"tasks/{task.pk}/comments/", {"text": "I did."})
    assert reply.json()["by_annotator"] is True
    api(rita, "POST", f"tasks/{task.pk}/comments/", {"text": "Among us."})
    assert len(api(alice, "GET", f"tasks/{task.pk}/comments/").json()["results"]) == 2
    body = {"answer": A, "reason": "So.", "key": "one"}
    given = api(rita, "POST", f"tasks/{task.pk}/settle/", body)
    assert (given.status_code, given.json()["purpose"]) == (201, "adjudication")
    assert api(rita, "POST", f"tasks/{task.pk}/settle/", {**body, "key": "2"}).status_code == 409
    reopen = f"tasks/{task.pk}/reopen/"
    assert api(rita, "POST", reopen, {"reason": "Too fast."}).status_code == 422
    seen = {"reason": "Too fast.", "replaces": given.json()["id"]}
    assert api(rita, "POST", reopen, {**seen, "replaces": 1}).status_code == 409
    reopened = api(rita, "POST", reopen, seen)
    assert reopened.json()["state"] == "open"


def test_programs_ask_again(old, clara, api):
    body = {"guideline": 2, "dry_run": True}
    wanted = {"tasks": 1, "slots": 1, "answers": 1}
    assert api(clara, "POST", f"queues/{old.pk}/ask-again/", body).json() == wanted
    assert not Assignment.objects.free().exists()
    assert api(clara, "POST", f"queues/{old.pk}/ask-again/", {"guideline": 2}).json() == wanted
    assert Assignment.objects.free().count() == 1


def test_commands_ask_again_and_list(project, old, rita, capsys):
    import json

    from django.core.management import call_command

    values = {"project": "demo", "queue": old.name, "guideline": 1, "or_earlier": False}
    call_command("ask_again", **values, dry_run=True, json=True)
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["tasks"] == 1
    call_command("ask_again", **values, json=True)
    assert Assignment.objects.free().count() == 1
    disputed(project)
    call_command("disputes", project="demo", json=True)
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said["states"]["open"] == 1
