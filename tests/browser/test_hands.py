"""Hands that stay on the keyboard: where a key goes, and what it is for."""

from tests import make
from tests.browser.at_the_desk import press, wait_for_question
from tests.browser.every_type import task_of
from tests.browser.test_chat import answered, chats, models, say  # noqa: F401
from tests.browser.test_in_sight import is_seen
from tests.model_server import echoes


def test_who_has_judged_a_turn_writes_on_at_once(
    open_page,
    project,
    alice,
    chats,  # noqa: F811
    models,  # noqa: F811
):
    models(good=echoes)
    chats()
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    say(page, "Hello")
    answered(page, 1)
    press(page, "1", "Enter")
    page.get_by_label("Your next message").wait_for()
    page.locator("textarea#message:focus").wait_for()
    # None of these letters is a key: “n” would ask all again, “e” end the chat.
    page.keyboard.type("And then, mechanic?")
    assert page.locator("#message").input_value() == "And then, mechanic?"
    assert page.locator("dialog[open]").count() == 0


LONG = "A sentence that says little, and takes a line of its own.\n\n" * 40
RANKS = ("one", "two", "three")


def test_a_long_prompt_is_read_without_a_mouse(project, alice, open_page):
    task = make.task(project, type="ranking", outputs=RANKS, prompt_text=LONG)
    make.task(project, queue=task.queue, outputs=RANKS, prompt_text="Short?")
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    prompt = page.locator(".desk-prompt")
    page.get_by_role("button", name="Show all of it").wait_for()
    folded = prompt.bounding_box()["height"]
    assert folded < 500
    # All of it, and folded again; there, arrows scroll and choose no output.
    press(page, "c")
    page.get_by_role("button", name="Show less").wait_for()
    assert prompt.bounding_box()["height"] > 2 * folded
    press(page, "c")
    page.get_by_role("button", name="Show all of it").wait_for()
    assert prompt.bounding_box()["height"] == folded
    before = prompt.evaluate("one => one.scrollTop")
    press(page, "ArrowDown", "ArrowDown", "PageDown")
    page.wait_for_function(
        "before => document.querySelector('.desk-prompt').scrollTop > before", arg=before
    )
    assert page.locator(".chip-chosen").count() == 0
    # The keys of the question stay where they are.
    press(page, "1", "2", "Escape", "3", "Enter")
    wait_for_question(page, 1)
    # A short one needs no button, and its key does no harm.
    assert not page.locator("[data-whole]").is_visible()
    press(page, "c", "1", "2", "3", "Enter")
    wait_for_question(page, 2)


def test_who_unfolds_a_prompt_with_the_mouse_submits_by_enter(project, alice, open_page):
    make.task(project, prompt_text=LONG)
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.get_by_role("button", name="Show all of it").click()
    press(page, "1", "Enter")
    wait_for_question(page, 1)


def test_enter_goes_on_where_a_queue_is_done(project, alice, open_page):
    done = make.queue(project, "Done")
    make.task(project, prompt_text="Another?")
    page = open_page(alice)
    page.goto(f"/p/demo/desk/?queue={done.pk}")
    page.get_by_text("Nothing left for you in this queue").wait_for()
    press(page, "Enter")
    page.get_by_text("Another?").wait_for()


def test_the_labels_of_stretches_stay_in_sight_on_a_telephone(project, alice, open_page):
    task_of(project, "spans", texts=(LONG * 3,))
    page = open_page(alice, width=390, height=780, has_touch=True, is_mobile=True)
    page.goto("/p/demo/desk/")
    page.locator(".span-label").first.wait_for()
    for down in (0, 900):
        page.evaluate("down => scrollTo(0, down)", down)
        assert is_seen(page, ".span-label")
        assert is_seen(page, ".desk-actions [type=submit]")
    # What the keys choose is not under them.
    page.evaluate("scrollTo(0, 0)")
    for _ in range(12):
        press(page, "ArrowDown")
    chosen, panel = page.evaluate(
        """() => [getSelection().getRangeAt(0), document.querySelector("[data-spans]")]
            .map((one) => one.getBoundingClientRect())
            .map(({ top, bottom }) => [top, bottom])"""
    )
    assert 60 < chosen[0] < chosen[1] < panel[0]
    # Words are chosen where they stand, and marked.
    page.evaluate("scrollTo(0, 0)")
    page.locator("[data-text]").tap(position={"x": 20, "y": 40})
    page.evaluate(
        """() => {
            const text = document.querySelector("[data-text]");
            const words = document.createTreeWalker(text, NodeFilter.SHOW_TEXT).nextNode();
            getSelection().setBaseAndExtent(words, 2, words, 10);
        }"""
    )
    page.get_by_text("“sentence”").first.wait_for()
    page.locator(".span-label").first.tap()
    page.locator("[data-marks] li").wait_for()
    assert is_seen(page, ".span-label")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
