"""People chat by the keyboard: with a real served model, one that hangs, and one that is down."""

import time

import pytest

from alignment.look_after import look_after
from alignment.serve import serve as serve_checkpoint
from alignment.serve import stop_serving
from annotation.models import Annotation, Assignment, Output, Turn
from tests import make
from tests.alignment.conftest import (  # noqa: F401
    _leaves_no_process_behind,
    base,
    policy_folder,
)
from tests.browser.at_the_desk import press, until
from tests.model_server import ModelServer, echoes, hangs, refuses, says


@pytest.fixture
def models(project):
    """Endpoints by name, behind each of which somebody behaves like this."""
    servers = []

    def start(**behaviours):
        for name, behave in behaviours.items():
            servers.append(ModelServer(behave))
            url = servers[-1].url
            make.endpoint(project, name, base_url=url, timeout_seconds=2)
        return servers

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def chats(project):
    """So many chats to be had."""

    def make_chats(number=1, **options):
        queue = make.queue(project, "Chats", type="chat", options=options)
        for _ in range(number):
            task = make.task(project, queue=queue, type="chat", outputs=())
            task.prompt = None
            task.save()
        return queue

    return make_chats


@pytest.fixture
def served(base, erin):  # noqa: F811
    """The tiny model, answering by `transformers serve`."""
    pytest.importorskip("fastapi")
    serving = serve_checkpoint(base, actor=erin)
    deadline = time.monotonic() + 120
    while not serving.answers:
        assert time.monotonic() < deadline, serving.problem
        look_after(serving)
        serving.refresh_from_db()
        time.sleep(0.2)
    endpoint = serving.endpoint
    endpoint.params = {"max_tokens": 12}
    endpoint.save()
    yield base
    stop_serving(base, actor=erin)
    while not serving.has_ended:
        look_after(serving)
        serving.refresh_from_db()


def say(page, text):
    if not page.locator("textarea#message:focus").count():
        press(page, "m")
    page.locator("textarea#message:focus").wait_for()
    page.keyboard.type(text)
    press(page, "Control+Enter")


def answered(page, number):
    page.wait_for_function(
        "number => document.querySelectorAll('[data-state=answered]').length === number",
        arg=number,
        timeout=30_000,
    )


def test_a_served_model_one_that_hangs_and_one_that_is_down(
    open_page, project, alice, chats, models, served
):
    models(hung=hangs, down=refuses(500), good=echoes)
    chats(at_once=4)
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    say(page, "What does the cat say?")
    answered(page, 2)
    # The two others are said to be in trouble, and cost nothing.
    page.get_by_text("This model cannot be reached just now.").wait_for()
    page.get_by_text("This model takes too long.").wait_for()
    assert "hung" not in page.content()
    assert "checkpoint:" not in page.content()
    mine = page.locator("[data-pane]", has_text="You said: What does the cat say?")
    best = int(mine.get_attribute("data-pane")) + 1
    press(page, str(best), "r")
    page.keyboard.type("It repeats me")
    press(page, "Escape", "Enter")

    page.get_by_label("Your next message").wait_for()
    given = Annotation.objects.get()
    assert (given.turn, given.reason) == (1, "It repeats me")
    sources = set(Output.objects.values_list("source", flat=True))
    assert served.source in sources
    assert len(given.answer["tiers"]) == 2
    assert Assignment.objects.get().held_until is None

    # It goes on from there, and is ended.
    say(page, "And the dog?")
    answered(page, 2)
    press(page, "b", "Enter")
    page.get_by_label("Your next message").wait_for()
    assert page.get_by_label("Your next message").input_value() == "And the dog?"
    press(page, "Escape", "e")
    page.get_by_role("heading", name="End this chat?").wait_for()
    press(page, "Enter")
    page.get_by_text("Nothing left for you").wait_for()
    assert [one.turn for one in Annotation.objects.order_by("pk")] == [1, 2]


def test_answers_are_seen_while_they_are_said(open_page, project, alice, chats, models):
    models(slow=says(*[f"word{number} " for number in range(30)], pause=0.1))
    chats(at_once=1)
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    say(page, "Tell me")
    page.get_by_text("word3").wait_for()
    assert page.locator("[data-state=waiting]").count() == 1
    # A reload in the middle costs nothing: it is asked again.
    page.reload()
    answered(page, 1)
    assert "word29" in page.locator("[data-text]").inner_text()
    assert Output.objects.count() == 1


def test_what_was_typed_outlives_a_reload_and_a_server_that_is_away(
    open_page, project, alice, chats, models
):
    models(good=echoes, bad=refuses(500))
    chats()
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    press(page, "m")
    page.keyboard.type("A long thought")
    page.get_by_text("Draft saved").wait_for()
    page.reload()
    assert page.get_by_label("Your first message").input_value() == "A long thought"
    page.route("**/say/", lambda route: route.abort())
    press(page, "m", "Control+Enter")
    page.get_by_text("Your answer waits here").wait_for()
    assert page.get_by_label("Your first message").input_value() == "A long thought"
    # It goes out by itself when the server is back, and once.
    page.unroute("**/say/")
    answered(page, 1)
    assert Turn.objects.count() == 1


def test_one_that_failed_is_asked_again_and_all_are_by_n(open_page, project, alice, chats, models):
    good, bad = models(good=echoes, bad=refuses(500))
    chats()
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    say(page, "Hello")
    page.get_by_text("This model cannot be reached just now.").wait_for()
    bad.behave = says("I am back.")
    press(page, "a")
    answered(page, 2)
    page.get_by_text("I am back.").wait_for()
    assert len(good.asked) == 1
    press(page, "n")
    until(page, lambda: len(good.asked) == 2)
    answered(page, 2)
    press(page, "t", "Enter")
    page.get_by_label("Your next message").wait_for()
    assert Annotation.objects.get().answer["tiers"][0] != []
    page.get_by_text("equal").or_(page.get_by_text("a tie")).first.wait_for()


def test_everybody_can_use_it_and_it_fits_a_telephone(
    open_page, project, alice, chats, models, axe
):
    models(left=says("word " * 60), right=says("x" * 300), third=echoes)
    chats(at_once=3)
    page = open_page(alice, width=380, height=760, has_touch=True, is_mobile=True)
    page.goto("/p/demo/desk/")
    assert axe(page) == ""
    page.get_by_label("Your first message").fill("Hello")
    page.get_by_role("button", name="Send").click()
    answered(page, 3)
    assert axe(page) == ""
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    press(page, "2")
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Your next message").wait_for()
    assert axe(page) == ""
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    press(page, "Escape", "?")
    page.get_by_text("That answer is the best").wait_for()
