"""Reviewers settle by keyboard; everybody can use the pages of adjudication and conversations."""

import re

import pytest

from annotation.adjudicate import send_back, settlement_of
from annotation.assign import next_assignment
from annotation.comment import comment
from annotation.models import Annotation, Annotator, Assignment, Dispute, Guideline
from annotation.submit import submit
from annotation.task_types import TASK_TYPES
from tests import make
from tests.browser.at_the_desk import until
from tests.browser.every_type import task_of

A, B = {"tiers": [["a"], ["b"]]}, {"tiers": [["b"], ["a"]]}
LONG = "Light of short waves is scattered *more* than light of long ones, " * 6


@pytest.fixture
def differing(project, alice, bob, rita):
    """Alice and Bob answered, each otherwise; something was said about it."""
    queue = make.queue(project, overlap=2)
    Guideline.objects.create(queue=queue, number=1, text="Be **kind**.")
    task = make.task(
        project, queue=queue, answers=2, outputs=(LONG, "Because."), prompt_text="Why is it blue?"
    )
    given = []
    for person, answer in ((alice, A), (bob, B)):
        slot = next_assignment(project, person)
        given.append(submit(slot, answer, key=person.name, reason=f"So says {person.name}."))
    Guideline.objects.create(queue=queue, number=2, text="Be **fair**.")
    make.vote(task, "a", "b", by="w1")
    comment(task, "Is it the guideline?", actor=rita)
    me = Annotator.objects.get(user=alice)
    comment(task, "Why the first?", annotator=me, actor=rita)
    return task, *given


def test_settles_by_keyboard_and_goes_on(project, differing, rita, open_page):
    task, *_ = differing
    other = make.task(project, queue=task.queue, answers=0, prompt_text="Another?")
    make.vote(other, "a", "b", by="x")
    make.vote(other, "b", "a", by="y")
    page = open_page(rita)
    page.goto("/p/demo/adjudicate/")
    page.get_by_role("link", name="Begin with the worst").press("Enter")
    page.wait_for_url(re.compile(rf"/adjudicate/{other.pk}/"))
    page.keyboard.press("1")
    page.keyboard.press("r")
    page.keyboard.type("The first says why.")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(rf"/adjudicate/{task.pk}/"))
    given = settlement_of(other)
    assert given.reason == "The first says why."
    assert given.answer["tiers"][0] == [given.shown[0]]
    assert given.seconds is not None
    # Without a reason it does not go out.
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    page.wait_for_timeout(200)
    assert settlement_of(task) is None
    page.keyboard.press("Escape")
    page.get_by_text("Draft saved").wait_for()
    page.keyboard.press("?")
    page.locator("#keys[open]").wait_for()


def test_what_was_begun_outlives_the_tab(project, differing, rita, open_page):
    task, *_ = differing
    page = open_page(rita)
    page.goto(f"/p/demo/adjudicate/{task.pk}/")
    page.keyboard.press("2")
    page.keyboard.press("r")
    page.keyboard.type("The second is")
    page.get_by_text("Draft saved").wait_for()
    page.keyboard.type(" kinder")
    page.close(run_before_unload=True)
    other = page.context.new_page()
    other.goto(f"/p/demo/adjudicate/{task.pk}/")
    other.get_by_text("What you began is here again.").wait_for()
    assert other.get_by_label("Why?").input_value() == "The second is kinder"
    assert other.locator("form[data-answer] input[type=radio]:checked").count()
    # Without a network it waits in the browser.
    other.context.set_offline(True)
    other.get_by_label("What they should look at again").fill("Read on.")
    other.get_by_text("Draft kept here").wait_for()
    other.close()
    other = page.context.new_page()
    other.context.set_offline(False)
    other.goto(f"/p/demo/adjudicate/{task.pk}/")
    other.get_by_text("What you began is here again.").wait_for()
    again = other.get_by_label("What they should look at again")
    until(other, lambda: again.input_value() == "Read on.")


def test_settled_without_a_network_it_goes_out_once_when_it_is_back(
    project, differing, rita, open_page
):
    task, *_ = differing
    page = open_page(rita)
    page.goto(f"/p/demo/adjudicate/{task.pk}/")
    page.keyboard.press("2")
    page.get_by_label("Why?").fill("It is kinder.")
    page.context.set_offline(True)
    page.keyboard.press("Control+Enter")
    page.get_by_text("Your answer waits here").wait_for()
    assert settlement_of(task) is None
    page.context.set_offline(False)
    page.get_by_text("Settled by rita").wait_for()
    assert settlement_of(task).reason == "It is kinder."
    assert page.get_by_text("What you began is here again.").count() == 0
    assert not page.evaluate(
        "Object.keys(localStorage).some((name) => name.startsWith('truing.outbox'))"
    )


def test_sends_back_and_the_annotator_answers(project, differing, rita, alice, open_page):
    task, *_ = differing
    page = open_page(rita)
    page.goto(f"/p/demo/adjudicate/{task.pk}/")
    page.get_by_role("checkbox", name="Send back to alice").check()
    page.get_by_label("What they should look at again").fill("Read the second to its end.")
    page.get_by_role("button", name="Send back").click()
    page.get_by_text("Sent back. It comes here again").wait_for()
    theirs = open_page(alice)
    theirs.goto("/p/demo/desk/")
    theirs.get_by_text("1 sent back to you").wait_for()
    theirs.get_by_role("link", name="2 new comments").click()
    theirs.get_by_role("link", name="Why is it blue?").click()
    theirs.get_by_text("Read the second to its end.").wait_for()
    theirs.get_by_role("button", name="I stand by my answer").click()
    theirs.get_by_text("Your answer stays").wait_for()
    assert Dispute.objects.get().state == "open"


@pytest.mark.parametrize("name", [name for name, one in TASK_TYPES.items() if one.can_be_settled])
def test_the_desk_of_every_type(project, rita, open_page, axe, name):
    task = task_of(project, name)
    for who in ("w1", "w2"):
        person = make.annotator(project, who)
        slot = Assignment.objects.create(
            task=task, queue=task.queue, annotator=person, state="answered", purpose="import"
        )
        Annotation.objects.create(
            assignment=slot, answer=TASK_TYPES[name].example_answer, key=who, reason="So."
        )
    page = open_page(rita)
    page.goto(f"/p/demo/adjudicate/{task.pk}/")
    page.locator("form[data-answer]").wait_for()
    assert axe(page, looks=[("light", 1280), ("dark", 380)]) == ""


def test_reviewers_pages(project, differing, rita, clara, open_page, axe):
    task, of_alice, _ = differing
    send_back(task, [of_alice.pk], text="Look again.", actor=rita)
    page = open_page(rita)
    for address in (
        "/p/demo/adjudicate/",
        "/p/demo/adjudicate/?state=waiting",
        "/p/demo/adjudicate/?state=settled",
        "/p/demo/adjudicate/threads/",
        f"/p/demo/adjudicate/guideline/{task.queue_id}/?from=1",
        f"/p/demo/adjudicate/{task.pk}/",
    ):
        page.goto(address)
        page.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")
        assert axe(page) == "", address
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
    curators = open_page(clara)
    curators.goto(f"/p/demo/queues/{task.queue_id}/guideline/1/ask-again/")
    assert axe(curators) == ""


def test_annotators_pages(project, differing, rita, alice, open_page, axe):
    task, of_alice, _ = differing
    send_back(task, [of_alice.pk], text="Look *again*.", actor=rita)
    page = open_page(alice)
    for address in (
        "/p/demo/desk/",
        "/p/demo/my-work/",
        f"/p/demo/desk/last/{of_alice.pk}/",
        f"/p/demo/my-work/{task.pk}/",
    ):
        page.goto(address)
        assert axe(page) == "", address
