"""The pages of adjudication: who sees what, and what they do."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.adjudicate import settle, settlement_of, take_dispute
from annotation.assign import next_assignment
from annotation.comment import comment
from annotation.find_disputes import find_disputes
from annotation.models import (
    Annotation,
    Annotator,
    Assignment,
    Dispute,
    Guideline,
    Queue,
    Return,
    Task,
)
from annotation.opt_in import opt_in
from annotation.task_types import TASK_TYPES
from tests import make
from tests.annotation.disputes import A
from tests.annotation.pages import get, post, text_of
from truing.models import Event


def disputed(project, text="Why is the sky blue?"):
    task = make.task(project, answers=0, prompt_text=text)
    make.vote(task, "a", "b", by="w1")
    make.vote(task, "b", "a", by="w2")
    return task


# --- the list


def test_the_list_shows_what_is_in_dispute(project, rita, client):
    task = disputed(project)
    make.vote(make.task(project, answers=0), "a", "b", by="w1")
    page = text_of(get(client, rita, "disputes"))
    assert "Why is the sky blue?" in page
    assert reverse("dispute", args=["demo", task.pk]) in page


def test_the_list_costs_the_same_with_more_disputes(project, rita, client):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert get(client, rita, "disputes").status_code == 200
        return len(seen)

    disputed(project)
    queries()
    few = queries()
    for number in range(40):
        disputed(project, f"Question {number}?")
    queries()
    assert queries() <= few
    assert "page=2" in text_of(get(client, rita, "disputes"))
    assert get(client, rita, "disputes", page=2).status_code == 200


def test_filters_by_queue_and_state(project, rita, client):
    task = disputed(project)
    other = make.queue(project, "Another")
    assert "Why is the sky" not in text_of(get(client, rita, "disputes", queue=other.pk))
    settle(task, A, reason="So.", key="s", replaces=None, actor=rita)
    assert "Why is the sky" not in text_of(get(client, rita, "disputes"))
    assert "Why is the sky" in text_of(get(client, rita, "disputes", state="settled"))


def test_next_goes_to_the_worst_that_is_free_and_not_ones_own(project, rita, owen, client):
    Assignment.objects.all().delete()
    first, second = disputed(project), disputed(project, "Another?")
    get(client, rita, "disputes")
    take_dispute(first, owen)
    response = get(client, rita, "dispute_next")
    assert response.headers["Location"] == reverse("dispute", args=["demo", second.pk])
    take_dispute(second, owen)
    assert get(client, rita, "dispute_next").headers["Location"] == reverse(
        "disputes", args=["demo"]
    )


def test_next_goes_on_also_while_one_has_something_else_in_hand(project, rita, client):
    task = disputed(project)
    make.task(project, type="prompt_writing", outputs=())
    Task.objects.filter(queue__type="prompt_writing").update(prompt=None)
    assert next_assignment(project, rita)
    assert find_disputes(project)
    assert get(client, rita, "dispute_next").headers["Location"].endswith(f"/{task.pk}/")


def test_next_passes_over_what_one_may_not_see(project, rita, client):
    """Else it would lead there, be refused, and lead there again."""
    make.task(project, queue=make.queue(project, overlap=3), answers=2, prompt_text="Mine?")
    slot = next_assignment(project, rita)
    Assignment.objects.filter(pk=slot.pk).update(held_until="2020-01-01T00:00Z")
    for number in (1, 2):
        make.vote(slot.task, *("ab", "ba")[number - 1], by=f"w{number}")
    other = disputed(project)
    make.vote(other, "a", "b", by="w3")
    assert find_disputes(project)
    assert get(client, rita, "dispute_next").headers["Location"].endswith(f"/{other.pk}/")


def test_what_is_harmful_is_only_gone_on_to_by_who_chose_it(project, rita, client):
    task = disputed(project, text="How does one hurt somebody?")
    Queue.objects.update(sensitive=["violence"], harmful=["violence"])
    Task.objects.update(categories=["violence"])
    assert find_disputes(project)
    assert get(client, rita, "dispute_next").headers["Location"].endswith("/adjudicate/")
    page = text_of(get(client, rita, "disputes"))
    assert "Sensitive content: violence" in page
    assert "hurt somebody" not in page
    assert "data-veiled" in text_of(get(client, rita, "dispute", task.pk))
    opt_in(Annotator.objects.member(project, rita), "violence")
    assert get(client, rita, "dispute_next").headers["Location"].endswith(f"/{task.pk}/")


# --- the desk of one dispute


def test_shows_everybodys_answer_with_what_stood_before_them(project, rita, client, differing):
    task, of_alice, _ = differing
    old = Guideline.objects.create(queue=task.queue, number=1, text="Be kind.")
    Guideline.objects.create(queue=task.queue, number=2, text="Be fair.")
    Assignment.objects.filter(pk=of_alice.assignment_id).update(guideline=old)
    page = text_of(get(client, rita, "dispute", task.pk))
    for said in ("alice!", "bob!", "under guideline 1: what has changed", "1 of 2"):
        assert said in page, said
    changes = text_of(get(client, rita, "guideline_diff", task.queue_id, **{"from": 1}))
    assert "<del>kind.</del>" in changes
    assert "<ins>fair.</ins>" in changes


@pytest.mark.parametrize("name", [name for name, one in TASK_TYPES.items() if one.can_be_settled])
def test_the_form_is_that_of_the_task_type(project, rita, client, name):
    from tests.browser.every_type import task_of

    task = task_of(project, name)
    given = TASK_TYPES[name].example_answer
    for who in ("w1", "w2"):
        person = make.annotator(project, who)
        slot = Assignment.objects.create(
            task=task, queue=task.queue, annotator=person, state="answered", purpose="import"
        )
        Annotation.objects.create(assignment=slot, answer=given, key=who)
    page = get(client, rita, "dispute", task.pk)
    assert page.status_code == 200
    assert f'data-type="{name}"' in text_of(page)


def test_it_costs_the_same_with_more_people(project, rita, client):
    task = disputed(project)

    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert get(client, rita, "dispute", task.pk).status_code == 200
        return len(seen)

    queries()
    few = queries()
    for number in range(12):
        make.vote(task, "a", "b", by=f"more{number}")
        comment(task, "Hm.", annotator=Annotator.objects.get(name=f"more{number}"), actor=rita)
    queries()
    assert queries() <= few


def test_settles_by_what_the_page_posts_and_goes_on(project, rita, client):
    first, second = disputed(project), disputed(project, "Another?")
    get(client, rita, "disputes")
    page = get(client, rita, "dispute", first.pk)
    key = re.search(r'name="key" value="(\w+)"', page.content.decode()).group(1)
    place = [output.text for output in page.context["question"].outputs].index("two")
    response = post(
        client,
        rita,
        "dispute_settle",
        first.pk,
        choice=str(place),
        key=key,
        reason="The second says more.",
        seconds="3",
        replaces="",
    )
    assert response.headers["Location"] == reverse("dispute", args=["demo", second.pk])
    given = settlement_of(first)
    assert given.answer["tiers"] == [["b"], ["a"]]
    assert given.reason == "The second says more."
    assert "settled it" in text_of(get(client, rita, "dispute", first.pk))


def test_settled_again_it_is_read_in_the_order_of_the_first(project, rita, owen, client):
    task = disputed(project)
    given = settle(task, A, reason="So.", key="s", replaces=None, actor=rita)
    page = get(client, owen, "dispute", task.pk)
    texts = [output.text for output in page.context["question"].outputs]
    post(
        client,
        owen,
        "dispute_settle",
        task.pk,
        choice=str(texts.index("two")),
        key="again",
        reason="No.",
        replaces=str(given.pk),
    )
    assert settlement_of(task).answer["tiers"] == [["b"], ["a"]]


def test_who_comes_second_reads_along(project, rita, owen, client):
    task = disputed(project)
    get(client, rita, "dispute", task.pk)
    page = text_of(get(client, owen, "dispute", task.pk))
    assert "rita has this question before them now" in page
    response = post(
        client, owen, "dispute_settle", task.pk, choice="0", key="k", reason="So.", replaces=""
    )
    assert response.status_code == 409
    assert post(client, owen, "dispute_hold", task.pk).status_code == 410
    assert post(client, rita, "dispute_hold", task.pk).status_code == 204


def test_decides_otherwise(project, rita, client, differing):
    task, of_alice, _ = differing
    get(client, rita, "dispute", task.pk)
    post(
        client,
        rita,
        "dispute_decide",
        task.pk,
        decision="send_back",
        text="Look again.",
        annotation=of_alice.pk,
    )
    assert Return.objects.get().annotation == of_alice
    post(client, rita, "dispute_decide", task.pk, decision="ask")
    assert Assignment.objects.free().count() == 1
    post(client, rita, "dispute_decide", task.pk, decision="leave", text="Taste.")
    assert Dispute.objects.get().state == "left"
    given = settle(task, A, reason="So.", key="s", replaces=None, actor=rita)
    post(
        client,
        rita,
        "dispute_decide",
        task.pk,
        decision="reopen",
        text="Too fast.",
        replaces=given.pk,
    )
    assert settlement_of(task) is None
    verbs = set(Event.objects.values_list("verb", flat=True))
    assert {"task.send_back", "task.ask_another", "task.leave", "task.settle", "task.reopen"} <= (
        verbs
    )


def test_what_one_is_asked_is_not_shown(project, rita, client, differing):
    task, *_ = differing
    Assignment.objects.create(task=task, queue=task.queue)
    next_assignment(project, rita)
    response = get(client, rita, "dispute", task.pk)
    assert response.status_code == 409
    assert "alice!" not in text_of(response)


def test_what_people_wrote_is_talked_about_and_not_settled(project, rita, client):
    task = make.task(project, type="demonstration", outputs=(), answers=0)
    person = make.annotator(project, "author")
    slot = Assignment.objects.create(
        task=task, queue=task.queue, annotator=person, state="answered", purpose="import"
    )
    Annotation.objects.create(assignment=slot, answer={"text": "Blue."}, key="d")
    page = text_of(get(client, rita, "dispute", task.pk))
    assert "there is nothing to settle" in page
    assert reverse("dispute_settle", args=["demo", task.pk]) not in page
