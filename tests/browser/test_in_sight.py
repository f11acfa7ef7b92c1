"""What is asked stays in sight: under long texts, beside them, on a telephone, and enlarged."""

import pytest

from annotation.models import Guideline, Queue
from tests import make
from tests.browser.at_the_desk import wait_for_question
from tests.browser.every_type import task_of
from tests.browser.test_keyboard import ARABIC

LONG = "A sentence that says little, and takes a line of its own.\n\n" * 60
TURNS = [
    {"role": "user", "content": LONG},
    {"role": "assistant", "content": LONG},
    {"role": "user", "content": "And what of this, the last thing that was asked?"},
]
SIZES = pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 780)])


def is_seen(page, part):
    """Is all of it inside the window, with nothing over it?"""
    return page.locator(part).first.evaluate(
        """(one) => {
            const { left, right, top, bottom } = one.getBoundingClientRect();
            if (top < 0 || bottom > innerHeight || left < 0 || right > innerWidth) return false;
            const at = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
            return one === at || one.contains(at);
        }"""
    )


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@SIZES
def test_a_conversation_opens_at_what_was_asked_last(project, alice, open_page, width, height):
    task = make.task(project, outputs=(LONG, "Short."))
    task.prompt.messages = TURNS
    task.prompt.save()
    page = open_page(alice, width=width, height=height)
    page.goto("/p/demo/desk/")
    page.get_by_text("And what of this").wait_for()
    assert is_seen(page, ".desk-prompt .turn:last-child")


@SIZES
@pytest.mark.parametrize("name", ["pairwise", "validate"])
def test_what_is_chosen_stays_in_sight(project, alice, open_page, width, height, name):
    task_of(project, name, texts=(LONG, LONG))
    page = open_page(alice, width=width, height=height)
    page.goto("/p/demo/desk/")
    page.locator(".scale-step").first.wait_for()
    for _ in range(2):
        assert is_seen(page, ".scale-step")
        assert is_seen(page, ".desk-actions [type=submit]")
        assert fits(page)
        page.evaluate("scrollTo(0, 900)")


@pytest.mark.parametrize("name", ["moderation", "critique", "spans", "rating"])
def test_one_long_output_has_its_questions_beside_it(project, alice, open_page, name):
    task_of(project, name, texts=(LONG,))
    queue = Queue.objects.get(project=project, type=name)
    Guideline.objects.create(queue=queue, number=1, text="Be **kind**.")
    asked = ".span-label" if name == "spans" else ".row-choice"
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.locator(asked).first.wait_for()
    page.evaluate("scrollTo(0, 900)")
    assert is_seen(page, asked)
    # The guideline takes the room: then they stand below.
    page.keyboard.press("g")
    page.locator("#guideline:visible").wait_for()
    assert fits(page)
    for width in (1000, 640, 390):
        page.set_viewport_size({"width": width, "height": 800})
        assert fits(page)


def test_a_low_window_leaves_room_for_the_text(project, alice, open_page):
    """As it is where a page is enlarged to twice its size."""
    task_of(project, "pairwise", texts=(LONG, LONG))
    page = open_page(alice, width=640, height=400)
    page.goto("/p/demo/desk/")
    page.locator(".scale-step").first.wait_for()
    assert not is_seen(page, ".scale-step")
    assert is_seen(page, ".desk-actions [type=submit]")
    page.keyboard.press("r")
    assert is_seen(page, "#reason")


def test_a_refusal_goes_when_another_question_comes(project, alice, open_page):
    make.task(project)
    make.task(project)
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    wait_for_question(page, 0)
    for key in "1", "Enter":
        page.keyboard.press(key)
    wait_for_question(page, 1)
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    page.keyboard.press("u")
    page.get_by_role("heading", name="Correct your answer").wait_for()
    assert not page.get_by_role("alert").count()


def test_differences_show_how_code_is_indented(project, alice, open_page):
    code = "```python\nif a:\n    b()\n{}c()\n```"
    make.task(project, outputs=(code.format(""), code.format("    ")))
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    wait_for_question(page, 0)
    page.keyboard.press("d")
    page.locator("#diff[open]").wait_for()
    assert "\n    b()" in page.locator("[data-diff]").text_content()
    assert page.locator("[data-diff] :is(ins, del)").count()


def test_a_turn_from_the_right_stands_at_the_right(project, alice, open_page):
    task = make.task(project)
    task.prompt.messages = [{"role": "user", "content": ARABIC}]
    task.prompt.save()
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.locator(".desk-prompt .reading").wait_for()
    gap = page.evaluate(
        """() => {
            const right = (part) => document.querySelector(part).getBoundingClientRect().right;
            return right(".desk-prompt .turn") - right(".desk-prompt .reading");
        }"""
    )
    assert gap < 40


def test_differences_show_code_in_its_own_letters(project, alice, open_page):
    code = "It is `short`:\n\n```python\nif a:\n    {}()\n```\n\nAnd so {}."
    make.task(project, outputs=(code.format("b", "on"), code.format("c", "it goes")))
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.locator("[data-today='0']").wait_for()
    page.keyboard.press("d")
    page.locator("#diff[open]").wait_for()
    pieces = page.locator("[data-diff] code").all_text_contents()
    assert pieces[:2] == ["short", "if a:\n    "]
    assert sorted(pieces[2:]) == ["()", "b", "c"]  # sides are drawn
    assert page.locator("[data-diff] ins", has_text="it goes").locator("code").count() == 0
    letters = page.locator("[data-diff] code").first.evaluate(
        "(one) => getComputedStyle(one).fontFamily"
    )
    assert "mono" in letters


def test_an_edit_shows_changes_of_code_in_its_own_letters(project, alice, open_page):
    make.task(project, type="edit", outputs=("So:\n\n```python\na = 1\n```\n\nDone.",))
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.locator("#text").fill("So:\n\n```python\na = 2\n```\n\nDone at last.")
    page.locator("[data-changes] ins", has_text="at last").wait_for()
    assert page.locator("[data-changes] code").all_text_contents() == ["a = ", "1", "2", "\n"]


@pytest.mark.parametrize("name", ["ranking", "demonstration"])
def test_the_desk_fits_a_telephone_in_german(project, alice, open_page, name):
    alice.language = "de"
    alice.save()
    task_of(project, name, texts=("One.", "Two.", "Three."))
    task_of(project, "pairwise")
    queue = Queue.objects.get(project=project, type=name)
    page = open_page(alice, width=380, height=800)
    page.goto(f"/p/demo/desk/?queue={queue.pk}")
    page.locator(".desk-actions").wait_for()
    tops = page.locator(".desk-bar .desk-tool").evaluate_all(
        "(tools) => tools.map((one) => one.getBoundingClientRect().top)"
    )
    assert len(set(tops)) == 1
    submit = page.locator(".desk-actions [type=submit]").bounding_box()
    assert submit["x"] + submit["width"] <= 380 - 8
    assert fits(page)
