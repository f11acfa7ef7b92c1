"""Hands that stay on the keyboard: where a key goes, and what it is for."""

import pytest

from tests import make
from tests.browser.test_chat import answered, chats, keys, models, say  # noqa: F401
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
    keys(page, "1", "Enter")
    page.get_by_label("Your next message").wait_for()
    page.locator("textarea#message:focus").wait_for()
    # None of these letters is a key: “n” would ask all again, “e” end the chat.
    page.keyboard.type("And then, mechanic?")
    assert page.locator("#message").input_value() == "And then, mechanic?"
    assert page.locator("dialog[open]").count() == 0
