"""The desk under real hands: keyboard, mouse, reload, two tabs, a telephone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotation.assign import next_assignment
from annotation.models import Annotation, Assignment, Draft, Guideline
from tests import make
from tests.browser.at_the_desk import wait_for_question

PASSWORD = "a wheel runs true"


def order_of(annotation):
    """The answer as numbers shown: "2 > 1 = 3"."""
    return annotation.assignment.queue.task_type.in_words(annotation.answer, annotation.shown)


@pytest.fixture
def three_way(project):
    queue = make.queue(project, "Rank answers", type="ranking")
    Guideline.objects.create(queue=queue, number=1, text="Prefer the **right** answer.")
    texts = ("The first text.", "The second text.", "The third text.")
    return [make.task(project, queue=queue, outputs=texts) for _ in range(6)]


def test_an_annotator_ranks_skips_corrects_and_reloads(project, alice, three_way, open_page):
    alice.set_password(PASSWORD)
    alice.save()
    page = open_page()
    page.goto("/sign-in/?next=/p/demo/desk/")
    page.get_by_label("E-mail address").fill(alice.email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")

    # Three questions by the keyboard alone.
    wait_for_question(page, 0)
    for key in "3", "1", "2", "Enter":
        page.keyboard.press(key)
    wait_for_question(page, 1)
    for key in "2", "=", "3", "1", "Enter":
        page.keyboard.press(key)
    wait_for_question(page, 2)
    for key in "1", "2", "Enter", "Shift+ArrowUp", "Shift+ArrowUp", "Enter":
        page.keyboard.press(key)
    wait_for_question(page, 3)
    given = list(Annotation.objects.order_by("pk"))
    assert [order_of(annotation) for annotation in given] == ["3 > 1 > 2", "2 = 3 > 1", "1 > 3 > 2"]

    # One is skipped, with a reason.
    skipped = Assignment.objects.get(state=Assignment.State.HELD)
    page.keyboard.press("s")
    page.keyboard.press("Tab")
    page.keyboard.type("Too hard")
    page.keyboard.press("Enter")
    page.locator("dialog[open]").wait_for(state="detached")
    skipped.refresh_from_db()
    assert skipped.state == Assignment.State.SKIPPED
    assert skipped.skip_reason == "Too hard"

    # The last answer is corrected.
    page.keyboard.press("z")
    page.locator("#last-answers-rows a:focus").wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Correct your answer").wait_for()
    for key in "Backspace", "Backspace", "Backspace", "2", "3", "1", "Enter":
        page.keyboard.press(key)
    page.get_by_text("Your correction is saved.").wait_for()
    correction = Annotation.objects.get(supersedes=given[2])
    assert order_of(correction) == "2 > 3 > 1"

    # Half an answer is there after a reload.
    for key in "3", "r":
        page.keyboard.press(key)
    page.keyboard.type("Third is kind")
    page.get_by_text("Draft saved").wait_for()
    page.reload()
    assert page.locator("#reason").input_value() == "Third is kind"
    assert page.get_by_label("Place of output 3").input_value() == "1"
    for key in "1", "2", "Enter":
        page.keyboard.press(key)
    wait_for_question(page, 4)
    last = Annotation.objects.latest("pk")
    assert order_of(last) == "3 > 1 > 2"
    assert last.reason == "Third is kind"
    assert last.seconds > 0
    assert not Draft.objects.filter(task=last.assignment.task).exists()


def test_a_pair_is_judged_by_the_keyboard(project, alice, open_page):
    for _ in range(5):
        make.task(project)
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    for number, keys in enumerate(["1", "22", "t", "b", ["ArrowRight", "ArrowRight"]]):
        wait_for_question(page, number)
        for key in keys:
            page.keyboard.press(key)
        page.keyboard.press("Enter")
    wait_for_question(page, 5)
    page.get_by_text("Nothing left for you").wait_for()
    said = [order_of(annotation) for annotation in Annotation.objects.order_by("pk")]
    assert said == [
        "1 is slightly better",
        "2 is clearly better",
        "a tie",
        "both bad",
        "2 is clearly better",
    ]


def test_outputs_are_ranked_by_drag_and_drop(project, alice, three_way, open_page):
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    for number, place in ((2, 1), (3, 2), (1, 2)):
        page.locator(f".chip[data-position='{number - 1}']").drag_to(
            page.locator(f".board-slot[data-place='{place}']")
        )
        page.wait_for_timeout(50)
    page.get_by_role("button", name="Submit").click()
    wait_for_question(page, 1)
    assert order_of(Annotation.objects.get()) == "2 > 1 = 3"


def test_what_is_no_answer_is_said_and_nothing_is_lost(project, alice, three_way, open_page):
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.keyboard.press("2")
    page.locator("#reason").fill("So far")
    page.get_by_role("button", name="Submit").click()
    page.get_by_role("alert").get_by_text("Give every output a place.").wait_for()
    assert page.get_by_label("Place of output 2").input_value() == "1"
    assert page.locator("#reason").input_value() == "So far"
    assert not Annotation.objects.exists()


def test_a_question_that_went_to_somebody_else_is_explained(project, alice, bob, open_page):
    make.task(project)
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.keyboard.press("1")
    page.get_by_text("Draft saved").wait_for()
    Assignment.objects.update(held_until=timezone.now() - timedelta(minutes=1))
    assert next_assignment(project, bob)
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text("What you wrote is kept.").wait_for()
    assert not Annotation.objects.exists()
    assert Draft.objects.get(annotator__user=alice).content["answer"]["tiers"]


def test_the_second_tab_is_told_that_the_first_has_answered(project, alice, open_page):
    make.task(project)
    first = open_page(alice)
    first.goto("/p/demo/desk/")
    second = open_page(alice)
    second.goto("/p/demo/desk/")
    first.keyboard.press("1")
    first.keyboard.press("Enter")
    wait_for_question(first, 1)
    second.keyboard.press("2")
    second.keyboard.press("Enter")
    second.get_by_role("alert").get_by_text("You have already answered this question.").wait_for()
    assert order_of(Annotation.objects.get()) == "1 is slightly better"


def test_what_a_model_wrote_does_not_run(project, alice, open_page):
    attack = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>"
    make.task(project, outputs=(attack, "```python\nfor x in y: pass\n```"))
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    assert page.evaluate("window.hacked") is None
    assert page.get_by_text("<script>window.hacked = 1</script>").count() == 1
    assert page.locator(".hl .k").first.inner_text() == "for"


def test_the_desk_fits_a_telephone(project, alice, three_way, open_page):
    make.task(project, queue=make.queue(project, "Pairs"), outputs=("word " * 80, "x" * 300))
    page = open_page(alice, width=380, height=760, has_touch=True, is_mobile=True)
    for address in ("/p/demo/desk/", f"/p/demo/desk/?queue={make.queue(project, 'Pairs').pk}"):
        page.goto(address)
        page.get_by_role("button", name="Submit").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 380


def test_a_theme_is_chosen_and_kept(project, alice, three_way, open_page):
    page = open_page(alice, color_scheme="dark")
    page.goto("/p/demo/desk/")
    page_colour = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(page_colour)
    page.get_by_role("button", name="Theme").click()
    light = page.evaluate(page_colour)
    assert light != dark
    page.reload()
    assert page.evaluate(page_colour) == light


def test_the_guideline_opens_by_a_key_and_stays_open(project, alice, three_way, open_page):
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    guideline = page.get_by_label("Guideline", exact=True).filter(has_text="version 1")
    assert not guideline.is_visible()
    page.keyboard.press("g")
    assert guideline.is_visible()
    for key in "1", "2", "3", "Enter":
        page.keyboard.press(key)
    wait_for_question(page, 1)
    assert guideline.is_visible()


def test_a_correction_that_was_begun_survives_a_reload(project, alice, open_page):
    for _ in range(2):
        make.task(project)
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    wait_for_question(page, 1)
    page.keyboard.press("u")
    page.get_by_role("heading", name="Correct your answer").wait_for()
    page.keyboard.press("2")
    page.keyboard.press("r")
    page.keyboard.type("On second thoughts")
    page.get_by_text("Draft saved").wait_for()

    page.goto("/p/demo/desk/")
    wait_for_question(page, 1)
    assert page.locator("#reason").input_value() == ""  # the next question is another
    page.keyboard.press("u")
    page.get_by_role("heading", name="Correct your answer").wait_for()
    assert page.locator("#reason").input_value() == "On second thoughts"
    assert page.get_by_label("2 is slightly better").first.is_checked()
    page.keyboard.press("Enter")
    wait_for_question(page, 1)
    assert Annotation.objects.latest("pk").reason == "On second thoughts"


def test_enter_submits_after_a_button_was_pressed_with_the_mouse(project, alice, open_page):
    make.task(project)
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.get_by_role("button", name="2 is better").click()
    page.keyboard.press("Enter")
    wait_for_question(page, 1)
    assert order_of(Annotation.objects.get()) == "2 is slightly better"


def test_enter_submits_after_a_number_was_clicked(project, alice, three_way, open_page):
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    for name in ("Output 3", "Output 1", "Output 2"):
        page.get_by_role("button", name=name).click()
    page.keyboard.press("Enter")
    wait_for_question(page, 1)
    assert order_of(Annotation.objects.get()) == "3 > 1 > 2"


def test_another_queue_is_chosen_by_a_key(project, alice, open_page):
    for name in ("One", "Two"):
        make.task(project, queue=make.queue(project, name))
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.keyboard.press("q")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/?queue=*")
    assert page.locator("summary", has_text="Two").count() == 1


def test_who_has_answered_all_hears_that_nothing_is_left(project, alice, open_page):
    make.task(project)
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.keyboard.press("r")
    page.keyboard.type("Kinder")
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    wait_for_question(page, 1)
    page.get_by_text("Nothing left for you").wait_for()
    assert page.evaluate("document.activeElement.textContent") == "Desk"
