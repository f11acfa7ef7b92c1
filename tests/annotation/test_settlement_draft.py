"""What a reviewer has typed to settle a question is there when they come back."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from annotation.adjudicate import (
    leave_as_it_is,
    let_go,
    send_back,
    settle,
    settlement_of,
    take_dispute,
)
from annotation.assign import next_assignment
from annotation.draft import save_settlement_draft, settlement_drafted
from annotation.models import Dispute, SettlementDraft
from annotation.submit import submit
from tests import make
from tests.together import Other

A, B = {"tiers": [["a"], ["b"]]}, {"tiers": [["b"], ["a"]]}
HALF = {"answer": A, "reason": "Because", "note": "Look again", "seconds": 4}


@pytest.fixture
def task(project):
    task = make.task(project, answers=0)
    make.vote(task, "a", "b", by="w0")
    make.vote(task, "b", "a", by="w1")
    return task


def settled(task, person, answer=A, replaces=None, key="settled"):
    return settle(task, answer, reason="So.", key=key, replaces=replaces, actor=person)


def lapse():
    Dispute.objects.update(held_until=timezone.now() - timedelta(seconds=1))


def test_is_one_reviewers(task, rita, owen):
    take_dispute(task, rita)
    save_settlement_draft(task, rita, HALF, key="k")
    save_settlement_draft(task, rita, {**HALF, "reason": "Because of"}, key="k")
    assert settlement_drafted(task, rita)["reason"] == "Because of"
    assert settlement_drafted(task, owen) == {}


@pytest.mark.parametrize("decided", ["settled", "left"])
def test_does_not_outlive_the_decision(task, rita, decided):
    take_dispute(task, rita)
    save_settlement_draft(task, rita, HALF, key="settled")
    if decided == "settled":
        settled(task, rita)
    else:
        leave_as_it_is(task, actor=rita)
    # Sent before the decision, and late.
    assert save_settlement_draft(task, rita, HALF, key="settled") is None
    assert not SettlementDraft.objects.exists()


def test_outlives_what_another_settled_meanwhile(task, rita, owen, client):
    take_dispute(task, rita)
    save_settlement_draft(task, rita, HALF, key="k")
    lapse()
    settled(task, owen, B)
    assert settlement_drafted(task, rita) == HALF
    client.force_login(rita)
    address = reverse("dispute", args=["demo", task.pk])
    page = client.get(address).content.decode()
    assert "Nothing of it is settled yet." in page
    assert "Because</textarea>" in page
    page = client.get(address, {"as_given": ""}).content.decode()
    assert "Nothing of it is settled yet." not in page
    assert "So.</textarea>" in page


def test_the_page_keeps_it_and_the_question_with_it(task, rita, owen, client):
    client.force_login(rita)
    page, address = (reverse(name, args=["demo", task.pk]) for name in ("dispute", "dispute_draft"))
    assert f'data-draft-url="{address}"' in client.get(page).content.decode()
    form = {"choice": "0", "reason": "Kinder\x00", "note": "Read on", "seconds": "2.5", "key": "k"}
    assert client.post(address, form).status_code == 204
    shown = client.get(page).content.decode()
    assert "Kinder</textarea>" in shown
    assert "Read on</textarea>" in shown
    assert 'name="seconds" value="2.50"' in shown
    # The hold ran out, and nobody else has taken it.
    lapse()
    assert client.post(address, {**form, "reason": "Kindest"}).status_code == 204
    assert settlement_drafted(task, rita)["reason"] == "Kindest"
    assert Dispute.objects.get().is_held
    client.force_login(owen)
    # Another has it before them; what is typed is kept all the same.
    assert client.post(address, form).status_code == 410
    assert settlement_drafted(task, owen)["reason"] == "Kinder"
    assert Dispute.objects.get().held_by.user == rita
    assert f'data-draft-url="{address}"' not in client.get(page).content.decode()


@pytest.mark.parametrize("decided", ["left", "sent back", "let go"])
def test_sent_late_it_holds_nothing(project, rita, owen, alice, client, decided):
    task = make.task(project)
    given = submit(next_assignment(project, alice), A, key="alice")
    make.vote(task, "b", "a", by="w1")
    take_dispute(task, rita)
    if decided == "left":
        leave_as_it_is(task, actor=rita)
    elif decided == "sent back":
        send_back(task, [given.pk], text="Look again.", actor=rita)
    else:
        let_go(task, rita)
    client.force_login(rita)
    form = {"choice": "0", "reason": "Kinder", "key": "k"}
    assert client.post(reverse("dispute_draft", args=["demo", task.pk]), form).status_code == 204
    assert not SettlementDraft.objects.exists()
    assert not Dispute.objects.get().is_held
    assert take_dispute(task, owen)[1]


def test_sent_by_the_outbox_it_is_settled_once(task, rita, client):
    client.force_login(rita)
    client.get(reverse("dispute", args=["demo", task.pk]))
    address = reverse("dispute_settle", args=["demo", task.pk])
    form = {"choice": "0", "reason": "So.", "key": "k", "replaces": ""}
    for _ in range(2):
        answer = client.post(address, form, headers={"HX-Request": "true"})
        # No redirect: that would say that the person is signed out, and the answer waits on.
        assert answer.status_code == 200
        assert "HX-Redirect" not in answer.headers
        assert reverse("dispute_next", args=["demo"]) in answer.content.decode()
    assert settlement_of(task).reason == "So."
    assert task.assignments.filter(purpose="adjudication").count() == 1


@pytest.mark.django_db(transaction=True)
def test_none_is_written_behind_the_answer(task, rita):
    take_dispute(task, rita)
    with transaction.atomic():
        settled(task, rita)
        late = Other(lambda: save_settlement_draft(task, rita, HALF, key="settled"))
        late.waits()
    assert late.result() is None
    assert not SettlementDraft.objects.exists()
