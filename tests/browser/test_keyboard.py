"""The desk without a mouse, in German, from the right to the left, and with long texts."""

import re

import pytest

from annotation.models import Annotation
from tests import make
from tests.browser.at_the_desk import wait_for_question
from truing.models import User

PASSWORD = "a wheel runs true"
ARABIC = "السماء زرقاء لأن الهواء يبعثر الضوء الأزرق أكثر من الأحمر."


def tab_to(page, name):
    """Press Tab until something of this name has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        said = page.evaluate(
            "[document.activeElement.getAttribute('aria-label'),"
            " document.activeElement.textContent].join(' ')"
        )
        if name in said and page.evaluate("document.activeElement.matches('a, button, summary')"):
            return
    raise AssertionError(f"Tab does not reach “{name}”")


def test_from_sign_in_to_sign_out_without_a_mouse(project, alice, open_page):
    alice.set_password(PASSWORD)
    alice.save()
    make.task(project)
    make.task(project)
    page = open_page()
    page.goto("/")
    page.keyboard.type(alice.email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Your projects").wait_for()
    tab_to(page, "Demo")
    page.keyboard.press("Enter")
    page.wait_for_url("**/p/demo/**")
    if "desk" not in page.url:
        tab_to(page, "Desk")
        page.keyboard.press("Enter")
    wait_for_question(page, 0)
    page.keyboard.press("?")
    page.locator("#keys[open]").wait_for()
    page.keyboard.press("Escape")
    for key in "1", "r":
        page.keyboard.press(key)
    page.keyboard.type("Shorter")
    page.keyboard.press("Control+Enter")
    wait_for_question(page, 1)
    page.keyboard.press("u")
    page.get_by_role("heading", name="Correct your answer").wait_for()
    for key in "2", "Enter":
        page.keyboard.press(key)
    page.get_by_text("Your correction is saved.").wait_for()
    page.keyboard.press("Shift+Tab")
    tab_to(page, "alice")
    page.keyboard.press("Enter")
    tab_to(page, "Sign out")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in/")
    assert Annotation.objects.count() == 2


def test_the_desk_in_german(project, alice, open_page):
    User.objects.filter(pk=alice.pk).update(language="de")
    texts = ("The first text.", "The second text.", "The third text.")
    make.task(project, type="ranking", outputs=texts)
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    assert page.locator("html").get_attribute("lang") == "de"
    page.get_by_text("Noch 3.").wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text("Geben Sie jeder Ausgabe einen Platz.").wait_for()
    page.keyboard.press("3")
    page.get_by_text("Entwurf gespeichert").wait_for()
    for key in "2", "1", "Enter":
        page.keyboard.press(key)
    page.get_by_text("Für Sie ist nichts mehr da").wait_for()
    page.keyboard.press("z")
    page.get_by_text("3 > 2 > 1").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("button", name=re.compile("Farbschema")).wait_for()


def test_text_from_the_right_starts_at_the_right(project, alice, open_page):
    task = make.task(project, outputs=(f"{ARABIC}\n\n- {ARABIC}\n\nEnglish.", "Latin."))
    task.prompt.messages = [{"role": "user", "content": ARABIC}]
    task.prompt.save()
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    directions = page.evaluate(
        "[...document.querySelectorAll('.reading')].map((one) => getComputedStyle(one).direction)"
    )
    assert sorted(directions) == ["ltr", "rtl", "rtl"]
    page.keyboard.press("r")
    page.keyboard.type("سبب")
    assert page.evaluate("getComputedStyle(document.getElementById('reason')).direction") == "rtl"
    for width in (1280, 380):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("address", ["/", "/account/", "/tokens/", "/p/demo/desk/last/"])
def test_every_page_fits_a_telephone(project, alice, open_page, address):
    page = open_page(alice, width=380, height=760, has_touch=True, is_mobile=True)
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
