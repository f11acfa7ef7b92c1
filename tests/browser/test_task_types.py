"""Every way of asking, answered by the keyboard alone."""

import pytest

from annotation.create_queue import create_queue
from annotation.models import Annotation, Assignment, Draft
from tests import make
from tests.browser.at_the_desk import press, wait_for_question


def answered(page, number):
    """Wait until the page says that so many were answered today; the newest answer."""
    wait_for_question(page, number)
    return Annotation.objects.latest("pk") if number else None


def by_number(annotation, said):
    """What an answer says of each output, by the number under which it was shown."""
    numbers = {ref: place for place, ref in enumerate(annotation.shown, start=1)}
    return {numbers[ref]: value for ref, value in said.items()}


@pytest.fixture
def desk_of(project, alice, clara, open_page):
    """The desk with questions of one type."""

    def open_it(type, *, outputs=("one", "two"), **options):
        queue = create_queue(project, name="Queue", type=type, options=options, actor=clara)
        for _ in range(2):
            make.task(project, queue=queue, outputs=outputs)
        page = open_page(alice)
        page.goto("/p/demo/desk/")
        answered(page, 0)
        return page

    return open_it


@pytest.mark.parametrize(
    ("type", "outputs"),
    [
        ("pairwise", 2),
        ("ranking", 3),
        ("rating", 2),
        ("rate_then_rank", 2),
        ("critique", 1),
        ("moderation", 1),
        ("moderation", 0),
        ("classify", 0),
        ("spans", 1),
    ],
)
def test_its_keys_are_listed_by_a_key(desk_of, type, outputs):
    page = desk_of(type, outputs=["one", "two", "three"][:outputs])
    press(page, "?")
    keys = page.locator("#keys[open] dt")
    keys.first.wait_for()
    assert keys.count() > 6
    press(page, "Escape")
    page.locator("#keys[open]").wait_for(state="detached")


def test_outputs_are_rated(desk_of):
    page = desk_of("rating", aspects=["Helpful: 7", "Tone: rude, plain, kind"], flags=["Wrong"])
    # Helpful and tone of the first, then a flag, then those of the second.
    press(page, "7", "3", "1", "2")
    press(page, "ArrowUp", "ArrowUp", "ArrowUp", "f", "1", "Enter")
    given = answered(page, 1)
    assert by_number(given, given.answer["ratings"]) == {
        1: {"Helpful": 7, "Tone": 3},
        2: {"Helpful": 1, "Tone": 2},
    }
    assert by_number(given, given.answer["flags"]) == {1: ["Wrong"]}


def test_half_a_rating_is_refused_kept_and_corrected(desk_of):
    page = desk_of("rating", aspects=["Overall: 11"])
    press(page, "0")
    page.get_by_text("Draft saved").wait_for()
    press(page, "Enter")
    page.get_by_role("alert").get_by_text("Rate every output").wait_for()
    page.get_by_text("1 left").wait_for()
    page.reload()
    page.get_by_text("1 left").wait_for()
    press(page, "1", "ArrowRight", "ArrowRight", "Enter")
    given = answered(page, 1)
    assert by_number(given, given.answer["ratings"]) == {1: {"Overall": 10}, 2: {"Overall": 3}}
    assert not Draft.objects.filter(task=given.assignment.task).exists()

    press(page, "z")
    page.locator("#last-answers-rows a:focus").wait_for()
    press(page, "Enter")
    page.get_by_role("heading", name="Correct your answer").wait_for()
    press(page, "Backspace", "5", "Enter")
    page.get_by_text("Your correction is saved.").wait_for()
    correction = Annotation.objects.get(supersedes=given)
    assert by_number(correction, correction.answer["ratings"])[1] == {"Overall": 5}


def test_outputs_are_rated_and_then_ranked(desk_of):
    page = desk_of("rate_then_rank", outputs=("one", "two", "three"))
    # The second has a flag; Enter goes on to the order, and then sends it.
    press(page, "2", "6", "6", "ArrowUp", "ArrowUp", "f", "2", "Enter")
    press(page, "3", "=", "2", "1", "Enter")
    given = answered(page, 1)
    rated = by_number(given, given.answer["ratings"])
    assert rated == {1: {"Overall": 2}, 2: {"Overall": 6}, 3: {"Overall": 6}}
    flagged = by_number(given, given.answer["flags"])
    assert list(flagged.values()) == [["States what is not so"]]
    shown = given.shown
    assert [sorted(tier) for tier in given.answer["tiers"]] == [sorted(shown[1:]), [shown[0]]]

    # The order that the ratings give is proposed, and o goes back to them.
    press(page, "1", "2", "3", "p", "Enter")
    given = answered(page, 2)
    assert given.answer["tiers"] == [[ref] for ref in reversed(given.shown)]


def test_what_is_wrong_is_said_in_words_and_categories(desk_of):
    page = desk_of("critique", outputs=["Five."])
    press(page, "1", "3", "1", "w")
    page.keyboard.type("It answers something else.")
    press(page, "Control+Enter")
    given = answered(page, 1)
    assert given.answer == {
        "labels": ["Beside the question"],
        "text": "It answers something else.",
    }
    press(page, "2", "0", "Enter")
    assert answered(page, 2).answer == {"labels": []}


def test_a_critique_in_words_alone_needs_its_category(desk_of):
    page = desk_of("critique", outputs=["Five."])
    press(page, "w")
    page.keyboard.type("Wrong.")
    press(page, "Escape", "Enter")
    page.get_by_role("alert").get_by_text("Choose what kind of mistake").wait_for()


@pytest.mark.parametrize("outputs", [[], ["Do it like this."]])
def test_harm_is_labelled_with_its_severity(desk_of, outputs):
    page = desk_of("moderation", outputs=outputs)
    press(page, "2", "5", "5", "5", "ArrowUp", "ArrowRight", "Enter")
    given = answered(page, 1)
    assert given.answer == {
        "labels": {"Violence": 1, "Illegal or dangerous advice": 3, "Sexual content": 1}
    }
    # Once more after the worst: none. And nothing at all, which unticks itself.
    press(page, "1", "1", "1", "1", "3", "0", "Enter")
    assert answered(page, 2).answer == {"labels": {}}


def test_prompts_are_classified(desk_of):
    page = desk_of("classify", outputs=[])
    press(page, "2", "3", "Enter")
    assert answered(page, 1).answer == {"labels": {"Topic": ["maths"], "Difficulty": ["hard"]}}
    press(page, "ArrowRight", "ArrowDown", "ArrowLeft", "Enter")
    assert answered(page, 2).answer == {"labels": {"Topic": ["code"], "Difficulty": ["hard"]}}


TEXT = "It is four. Everybody knows that, says 😀 Bob.\r\nThe end."


def test_stretches_are_marked(desk_of):
    page = desk_of("spans", outputs=[TEXT])
    # Two overlapping marks in the first sentence, one of them worse.
    press(page, "ArrowRight", "ArrowRight", "Shift+ArrowRight", "1", "1")
    press(page, "ArrowLeft", "Shift+ArrowDown", "2")
    # And the last sentence's first word, behind a character that counts twice in a browser.
    press(page, "ArrowDown", "ArrowDown", "3")
    page.locator("[data-marks] li").nth(2).wait_for()
    page.get_by_text("Draft saved").wait_for()
    page.reload()
    page.locator("[data-marks] li").nth(2).wait_for()
    press(page, "Enter")
    given = answered(page, 1)
    said = [
        (TEXT[span["start"] : span["end"]], span["label"], span["severity"])
        for span in given.answer["spans"]
    ]
    assert said == [
        ("is four", "Wrong", 2),
        ("It is four.", "Not supported", 1),
        ("The", "Badly put", 1),
    ]


def test_a_mark_is_taken_off_and_nothing_may_be_marked(desk_of):
    page = desk_of("spans", outputs=["one two three", "four five"], severities=[])
    press(page, "ArrowRight", "1", "ArrowRight", "2", "m", "m", "Backspace", "Enter")
    given = answered(page, 1)
    [span] = given.answer["spans"]
    assert (span["output"], span["label"]) == (given.shown[0], "Wrong")
    assert "severity" not in span
    press(page, "0", "Enter")
    assert answered(page, 2).answer == {"spans": []}


def test_words_are_marked_with_the_mouse_too(desk_of):
    page = desk_of("spans", outputs=["Four is right."])
    page.get_by_text("Four is right.").dblclick(position={"x": 8, "y": 12})
    page.get_by_role("button", name="Harmful").click()
    press(page, "Enter")
    given = answered(page, 1)
    [span] = given.answer["spans"]
    assert (span["start"], span["end"], span["label"]) == (0, 4, "Harmful")


@pytest.mark.parametrize(("type", "keys"), [("pairwise", ["b"]), ("ranking", ["b"])])
def test_who_calls_all_bad_says_why(desk_of, type, keys):
    page = desk_of(type, say_why_bad=True)
    press(page, *keys, "Escape", "Enter")
    page.get_by_role("alert").get_by_text("Say why").wait_for()
    press(page, "r")
    page.keyboard.type("Neither answers it.")
    press(page, "Control+Enter")
    given = answered(page, 1)
    assert given.answer["all_bad"] is True
    assert given.reason == "Neither answers it."


@pytest.mark.parametrize(
    ("type", "outputs"),
    [("rating", 2), ("rate_then_rank", 3), ("critique", 1), ("moderation", 1), ("spans", 1)],
)
def test_it_fits_a_telephone(project, alice, clara, open_page, type, outputs):
    queue = create_queue(project, name="Queue", type=type, actor=clara)
    texts = ["one", "two", "three"][:outputs]
    make.task(project, queue=queue, outputs=texts)
    page = open_page(alice, width=360, height=740)
    page.goto("/p/demo/desk/")
    page.locator("#question").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert Assignment.objects.filter(state="held").count() == 1
