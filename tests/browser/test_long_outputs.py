"""Outputs of 100,000 characters: shown, scrolled, compared, marked and corrected, to their end."""

import random

from annotation.models import Annotation
from benchmarks.long_texts import changed, markdown
from tests import make
from tests.browser.at_the_desk import wait_for_question

LONG = markdown(random.Random(1), 100_000)
PARTS = 20  # of a long text, at least


def test_two_are_shown_scrolled_and_compared(project, alice, open_page):
    end = "And so it ends, at last."
    other = changed(random.Random(2), LONG)
    make.task(project, outputs=(f"{LONG}\n\n{end}", f"{other}\n\n{end} Or not."))
    make.task(project)
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    wait_for_question(page, 0)
    assert page.locator(".reading-part").count() > 2 * PARTS
    page.keyboard.press("End")
    page.get_by_text(end).first.scroll_into_view_if_needed()
    assert page.evaluate("scrollY") > 5000
    page.keyboard.press("d")
    page.locator("#diff[open]").wait_for()
    assert page.locator("#diff .diff-part").count() > 3
    # What stands there is both texts, as they are read.
    assert page.evaluate(
        """() => {
            const texts = [...document.querySelectorAll(".outputs .reading")]
                .map(window.truing.diff.textOf);
            document.querySelectorAll("#diff .diff-more").forEach((one) => one.click());
            const place = document.querySelector("#diff [data-diff]");
            const without = (gone) => {
                const copy = place.cloneNode(true);
                copy.querySelectorAll(gone).forEach((one) => one.remove());
                return copy.textContent.replaceAll("↵", "");
            };
            return without("ins") === texts[0] && without("del") === texts[1];
        }"""
    )
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    wait_for_question(page, 1)
    assert Annotation.objects.count() == 1


def test_the_end_of_one_is_marked(project, alice, open_page):
    text = f"{LONG}\n\nAnd so it ends, at last."
    make.task(project, type="spans", outputs=(text,))
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.locator(".span-text").wait_for()
    assert page.locator(".span-part").count() > PARTS
    assert page.evaluate("document.querySelector('[data-text]').textContent") == text
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("1")
    page.locator(".span-text mark").wait_for()
    # What is chosen can be seen.
    assert page.locator(".span-text mark").bounding_box()["y"] < 900
    marked = page.locator(".span-text mark").all_text_contents()
    page.keyboard.press("Enter")
    page.get_by_text("Nothing left for you").wait_for()
    [span] = Annotation.objects.get().answer["spans"]
    assert span["end"] == len(text) - 1
    assert text[span["start"] : span["end"]] == "".join(marked)


def test_a_mark_goes_over_the_parts_of_a_text(project, alice, open_page):
    make.task(project, type="spans", outputs=(LONG,))
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.locator(".span-part").first.wait_for()
    end = page.locator(".span-part").first.evaluate("(one) => one.textContent.length")
    page.evaluate(
        """([end]) => {
            const [one, other] = document.querySelectorAll(".span-part");
            getSelection().setBaseAndExtent(one.firstChild, end - 20, other.firstChild, 20);
            one.dispatchEvent(new PointerEvent("pointerup", { bubbles: true }));
        }""",
        [end],
    )
    page.wait_for_function("document.querySelector('[data-chosen]').textContent.startsWith('“')")
    page.keyboard.press("1")
    assert page.locator(".span-part mark").count() == 2
    page.keyboard.press("Backspace")
    assert page.locator(".span-part mark").count() == 0
    assert page.evaluate("document.querySelector('[data-text]').textContent") == LONG


def test_one_is_corrected(project, alice, open_page):
    text = LONG[:-100]  # no more than 100,000 characters with what is added
    make.task(project, type="edit", outputs=(text,))
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.locator("#text").wait_for()
    page.keyboard.press("w")
    page.keyboard.type(" And more.")
    page.locator("[data-changes] ins", has_text="And more.").wait_for()
    page.keyboard.press("Control+Enter")
    page.get_by_text("Nothing left for you").wait_for()
    assert Annotation.objects.get().answer["text"] == f"{text} And more."
