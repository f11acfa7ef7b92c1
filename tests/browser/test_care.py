"""Sensitive content stays veiled until a key or a click, for everybody and every way of asking."""

import os

import pytest

from annotation.models import Assignment, Queue, Task
from annotation.task_types import TASK_TYPES
from tests.browser.every_type import task_of

TEXT = "A text that **hurts**, and goes on for some while so that there is something to veil. " * 4


def shot(page, name):
    """For whoever wants to look: TRUING_SHOTS=FOLDER."""
    if folder := os.environ.get("TRUING_SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.fixture
def sensitive(project):
    def sensitive(name):
        task_of(project, name, texts=(TEXT, f"{TEXT} Or not."))
        queue = Queue.objects.get(project=project, type=name)
        Queue.objects.filter(pk=queue.pk).update(sensitive=["violence"])
        Task.objects.filter(queue=queue).update(categories=["violence"])
        return queue

    return sensitive


@pytest.mark.parametrize("name", TASK_TYPES)
def test_every_way_of_asking_is_veiled(project, alice, open_page, axe, sensitive, name):
    sensitive(name)
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    button = page.get_by_role("button", name="Show it")
    assert button.get_attribute("aria-expanded") == "false"
    assert page.locator(".veiled").count() > 0
    assert page.evaluate("[...document.querySelectorAll('.veiled')].every((one) => one.inert)")
    assert axe(page) == ""
    shot(page, f"veiled-{name}")
    page.keyboard.press("x")
    again = page.get_by_role("button", name="Veil it again")
    again.wait_for()
    assert again.get_attribute("aria-expanded") == "true"
    assert not page.evaluate("[...document.querySelectorAll('.veiled')].some((one) => one.inert)")
    assert axe(page) == ""
    shot(page, f"shown-{name}")
    page.keyboard.press("x")
    button.wait_for()


def test_nobody_answers_what_they_have_not_seen(project, alice, open_page, sensitive):
    sensitive("pairwise")
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+Enter")
    assert page.locator("[name=choice]:checked").count() == 0
    assert page.get_by_role("button", name="Submit").is_disabled()
    assert page.evaluate("document.activeElement.hasAttribute('data-uncover')")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Veil it again").wait_for()
    page.locator("body").click(position={"x": 5, "y": 400})
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    page.get_by_text("Nothing left for you").wait_for()
    assert Assignment.objects.get().state == "answered"


def test_pointing_and_printing_show_nothing(project, alice, open_page, sensitive):
    sensitive("pairwise")
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    look = "getComputedStyle(document.querySelector('.veiled'))"
    page.mouse.move(600, 350)
    assert "blur" in page.evaluate(f"{look}.filter")
    page.emulate_media(media="print")
    assert page.evaluate(f"{look}.visibility") == "hidden"


def test_the_next_question_is_veiled_again(project, alice, open_page, sensitive):
    sensitive("pairwise")
    task_of(project, "pairwise", texts=("more", "of it"))
    Task.objects.update(categories=["violence"])
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.keyboard.press("x")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    page.get_by_text("1 today").wait_for()
    assert page.get_by_role("button", name="Show it").is_visible()


def test_a_page_where_people_choose(project, alice, open_page, axe, sensitive):
    queue = sensitive("pairwise")
    Queue.objects.filter(pk=queue.pk).update(harmful=["violence"])
    page = open_page(alice)
    page.goto("/p/demo/my-work/")
    assert axe(page) == ""
    page.get_by_role("button", name="I agree to see this").click()
    page.get_by_text("you may be given this", exact=True).wait_for()
    assert axe(page) == ""
    shot(page, "my-work")
    page.goto("/p/demo/desk/")
    page.get_by_role("button", name="Show it").wait_for()
    page.set_viewport_size({"width": 390, "height": 800})
    shot(page, "veiled-phone")
    page.emulate_media(color_scheme="dark")
    shot(page, "veiled-dark")
