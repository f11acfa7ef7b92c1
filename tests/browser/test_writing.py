"""Where people write: by the keyboard alone, with a preview and a word diff that follow."""

import pytest

from annotation.ask import ask
from annotation.ask_blank import ask_blank
from annotation.create_queue import create_queue
from annotation.models import Annotation, Output, Prompt
from tests import make
from tests.browser.at_the_desk import wait_for_question
from tests.browser.every_type import task_of

LONG = " ".join(f"word{number % 977} and then some more of it." for number in range(2500))


def opened(project, type, **options):
    return create_queue(project, name=type, type=type, options=options, actor=None)


def test_a_demonstration_is_written_by_the_keyboard(project, alice, open_page):
    queue = opened(project, "demonstration", least_characters=10, most_characters=500)
    for number in range(2):
        ask(queue, make.prompt(project, f"Why, {number}?"), [])
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    wait_for_question(page, 0)
    page.keyboard.press("w")
    text = "Because of **scattering**.\n\nBlue <b>most</b>."
    page.keyboard.type(text)
    page.locator("[data-preview] strong", has_text="scattering").wait_for()
    assert page.locator("[data-preview] b").count() == 0
    assert (
        f"{len(text)} characters, 10 to 500 are wanted" in page.locator("#text-count").inner_text()
    )
    page.get_by_text("Draft saved").wait_for()
    page.reload()
    page.locator("[data-preview] strong", has_text="scattering").wait_for()
    page.keyboard.press("w")
    page.keyboard.type("!")
    page.keyboard.press("Control+Enter")
    wait_for_question(page, 1)
    assert Annotation.objects.get().answer == {"text": f"{text}!"}
    assert Output.objects.get().text == f"{text}!"
    # Too short: a sentence says so, and what was typed stays.
    page.keyboard.press("w")
    page.keyboard.type("Short.")
    page.keyboard.press("Control+Enter")
    page.get_by_text("The answer has 6 characters, and should have 10 at least.").wait_for()
    assert page.locator("#text").input_value() == "Short."


def test_an_edit_shows_what_changes_while_one_types(project, alice, open_page):
    queue = opened(project, "edit")
    prompt = make.prompt(project)
    ask(queue, prompt, [make.output(prompt, "The sky is green, mostly.")])
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    wait_for_question(page, 0)
    page.get_by_text("Nothing yet.").wait_for()
    page.keyboard.press("Enter")
    page.get_by_text("Nothing is changed yet.").wait_for()
    page.keyboard.press("w")
    for _ in range(len("green, mostly.")):
        page.keyboard.press("Backspace")
    page.keyboard.type("blue.")
    page.locator("[data-changes] ins", has_text="blue").wait_for()
    assert "green, mostly" in page.locator("[data-changes] del").inner_text()
    page.keyboard.press("Escape")
    page.keyboard.press("v")
    page.locator("[data-preview]", has_text="The sky is blue.").wait_for()
    page.keyboard.press("v")
    page.locator("[data-changes]").wait_for()
    page.keyboard.press("Enter")
    wait_for_question(page, 1)
    assert Annotation.objects.get().answer == {"text": "The sky is blue."}
    assert Output.objects.filter(source="human").get().text == "The sky is blue."


def test_a_long_edit_stays_smooth(project, alice, open_page):
    queue = opened(project, "edit", most_characters=200_000)
    prompt = make.prompt(project)
    ask(queue, prompt, [make.output(prompt, LONG)])
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    wait_for_question(page, 0)
    # Ten times the text takes some ten times as long, and not a hundred times; so do two texts
    # that have nothing in common.
    shown, unlike = page.evaluate(
        """() => {
            const quickest = (action) => Math.min(...Array.from({ length: 10 }, () => {
                const start = performance.now();
                action();
                return performance.now() - start;
            }));
            const longer = (action) => {
                const least = quickest(() => action(0.1));
                return quickest(() => action(1)) / least;
            };
            const original = document.querySelector("[data-original]").value;
            const field = document.querySelector("#text");
            field.value = original.replaceAll("word5 ", "other ").replace("some more", "less");
            const words = (share, seed) => Array.from({ length: 17000 * share }, (_, at) =>
                `w${(at * 7919 * seed) % 3001}`).join(" ");
            return [
                longer((share) => window.truing.diff.show(
                    document.querySelector("[data-changes]"),
                    original.slice(0, original.length * share),
                    field.value.slice(0, field.value.length * share),
                )),
                longer((share) => window.truing.diff.runs(words(share, 1), words(share, 3))),
            ];
        }"""
    )
    assert max(shown, unlike) < 40
    assert page.locator("[data-changes] ins").count() > 2


def test_the_diff_says_what_is_so(project, alice, open_page):
    """Whatever the texts: same and gone make the first one, same and new make the other."""
    make.task(project)
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    wait_for_question(page, 0)
    wrong = page.evaluate(
        """() => {
            let seed = 7;
            const chance = (below) => (seed = (seed * 1103515245 + 12345) % 2147483648) % below;
            const words = ["a", "b", "c", "dd", "e,", "\\n", "f.", "的", "ü"];
            const text = (number) =>
                Array.from({ length: number }, () => words[chance(9)]).join(" ");
            const without = (runs, side) =>
                runs.filter(([kind]) => kind !== side).map(([, said]) => said).join("");
            const bad = [];
            for (let round = 0; round < 400; round += 1) {
                const one = text(chance(60));
                const changed = one.replace("b", "x").replace("c ", "");
                const other = chance(2) ? text(chance(60)) : changed;
                const runs = window.truing.diff.runs(one, other);
                if (without(runs, "new") !== one || without(runs, "gone") !== other) {
                    bad.push([one, other, runs]);
                }
            }
            return bad;
        }"""
    )
    assert wrong == []
    assert page.evaluate(
        "() => window.truing.diff.runs('The sky is green today.', 'The sky is blue today.')"
    ) == [["same", "The sky is "], ["gone", "green"], ["new", "blue"], ["same", " today."]]


def test_d_compares_any_two_outputs(project, alice, open_page):
    texts = ("The sky is blue.", "The sky is **green**.", "The sea is blue.")
    make.task(project, type="ranking", outputs=texts)
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    wait_for_question(page, 0)
    seen = set()
    page.keyboard.press("d")
    page.locator("#diff[open]").wait_for()
    for _ in range(3):
        runs = page.locator("#diff [data-diff]").evaluate(
            "place => [...place.childNodes].map(node => node.textContent).join('|')"
        )
        seen.add(runs)
        page.keyboard.press("ArrowRight")
    assert len(seen) == 3
    assert all("*" not in runs for runs in seen)
    page.keyboard.press("d")
    page.locator("#diff[open]").wait_for(state="detached")


def test_a_prompt_of_two_turns_is_written_to_a_brief(project, alice, open_page):
    queue = opened(project, "prompt_writing", turns=3, categories=["cats", "code"])
    ask_blank(queue, 2, brief={"language": "de", "text": "Write about *animals*."}, actor=None)
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    wait_for_question(page, 0)
    page.locator(".writing-brief em", has_text="animals").wait_for()
    page.keyboard.press("w")
    page.keyboard.type("Warum schnurren Katzen?")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    page.keyboard.type("Weil sie es können.")
    page.keyboard.press("Tab")
    page.keyboard.type("Und Löwen?")
    page.get_by_text("Draft saved").wait_for()
    page.reload()
    assert page.locator("#turn_2").input_value() == "Und Löwen?"
    page.keyboard.press("Enter")
    page.get_by_text("Choose a category: cats, code.").wait_for()
    page.get_by_label("Category").focus()
    page.keyboard.press("c")
    page.keyboard.press("Control+Enter")
    wait_for_question(page, 1)
    prompt = Prompt.objects.get()
    assert [turn["content"] for turn in prompt.messages] == [
        "Warum schnurren Katzen?",
        "Weil sie es können.",
        "Und Löwen?",
    ]
    assert [turn["role"] for turn in prompt.messages] == ["user", "assistant", "user"]
    assert (prompt.language, prompt.tags, prompt.source) == ("de", ["cats"], "human")


@pytest.mark.parametrize(("key", "verdict"), [("1", "accept"), ("2", "return"), ("3", "reject")])
def test_a_demonstration_is_validated_by_the_keyboard(project, alice, open_page, key, verdict):
    queue = opened(project, "validate")
    prompt = make.prompt(project)
    ask(queue, prompt, [make.output(prompt, "Blue.", source="human")])
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    wait_for_question(page, 0)
    page.keyboard.press(key)
    page.keyboard.press("Enter")
    if verdict != "accept":
        # The reason is wanted: Enter leads to it.
        page.locator("#reason:focus").wait_for()
        page.keyboard.type("Say why it is blue.")
        page.keyboard.press("Control+Enter")
    wait_for_question(page, 1)
    given = Annotation.objects.get()
    assert given.answer == {"verdict": verdict}
    assert given.reason == ("" if verdict == "accept" else "Say why it is blue.")


def test_what_was_sent_back_is_corrected_by_the_keyboard(project, alice, bob, open_page):
    from annotation.assign import next_assignment
    from annotation.submit import submit

    writing = opened(project, "demonstration")
    gate = opened(project, "validate")
    prompt = make.prompt(project)
    ask(writing, prompt, [])
    submit(next_assignment(project, alice), {"text": "Green."}, key="1")
    ask(gate, prompt, [Output.objects.get()])
    submit(next_assignment(project, bob), {"verdict": "return"}, key="2", reason="It is blue.")
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.get_by_text("1 sent back to you").wait_for()
    page.keyboard.press("z")
    page.locator("#last-answers-rows a:focus").wait_for()
    page.keyboard.press("Enter")
    page.locator(".sent-back", has_text="It is blue.").wait_for()
    page.keyboard.press("w")
    page.keyboard.press("Control+A")
    page.keyboard.type("Blue.")
    page.keyboard.press("Control+Enter")
    page.get_by_text("Your correction is saved.").wait_for()
    assert gate.tasks.filter(task_outputs__output__text="Blue.").exists()


def test_the_keys_of_each_type_are_listed(project, alice, open_page):
    queue = opened(project, "demonstration")
    ask(queue, make.prompt(project), [])
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    wait_for_question(page, 0)
    page.keyboard.press("?")
    assert page.locator("#keys").get_by_text("Write;").is_visible()


@pytest.mark.parametrize(
    ("type", "field"),
    [
        ("critique", "text"),
        ("demonstration", "text"),
        ("edit", "text"),
        ("prompt_writing", "turn_0"),
    ],
)
def test_one_key_begins_to_write_in_every_way_of_asking(project, alice, open_page, type, field):
    task_of(project, type)
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.keyboard.press("w")
    assert page.evaluate("document.activeElement.name") == field
