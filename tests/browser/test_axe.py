"""Everybody can use it: axe finds nothing wrong with any page that an annotator sees."""

import pytest

from annotation.models import Guideline, Queue
from annotation.task_types import TASK_TYPES
from tests import make
from tests.browser.at_the_desk import wait_for_question
from tests.browser.every_type import task_of
from truing.invite import invite
from truing.models import Membership
from truing.password_link import make_password_link

TEXT = """# A heading

Some **text** with `code`, a [link](https://example.org/), a formula $\\frac{a}{b}$ and a table:

| a | b |
|---|---|
| 1 | 2 |

> quoted

```python
def add(one, other):  # a comment
    return f"{one + other}"
```

- one
- two
"""


@pytest.fixture
def queue_of(project):
    def queue_of(name):
        task_of(project, name, texts=(TEXT, "Another **text**."))
        queue = Queue.objects.get(project=project, type=name)
        Guideline.objects.create(queue=queue, number=1, text=TEXT)
        return queue

    return queue_of


@pytest.mark.parametrize("address", ["/sign-in/", "/nothing-here/", "/"])
def test_who_is_not_signed_in(db, open_page, axe, address):
    page = open_page()
    page.goto(address)
    assert axe(page) == ""


def test_a_sign_in_that_fails(alice, open_page, axe):
    page = open_page()
    page.goto("/sign-in/")
    page.get_by_label("E-mail address").fill(alice.email)
    page.get_by_label("Password").fill("not this one")
    page.keyboard.press("Enter")
    page.locator("[role=alert]").first.wait_for()
    assert axe(page) == ""


@pytest.mark.parametrize(
    "address",
    ["/", "/account/", "/tokens/", "/p/demo/desk/", "/p/demo/desk/last/", "/p/demo/audit/"],
)
def test_pages_without_a_question(project, alice, open_page, axe, address):
    page = open_page(alice)
    page.goto(address)
    assert axe(page) == ""


def test_who_has_no_project(mallory, open_page, axe):
    page = open_page(mallory)
    page.goto("/")
    assert axe(page) == ""
    page.goto("/p/demo/desk/")
    assert axe(page) == ""


def test_a_queue_in_which_nothing_is_left(project, alice, open_page, axe):
    make.queue(project)
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.get_by_text("Nothing left for you").wait_for()
    assert axe(page) == ""


def test_an_account_whose_new_password_is_too_short(project, alice, open_page, axe):
    alice.set_password("a wheel runs true")
    alice.save()
    page = open_page(alice)
    page.goto("/account/")
    page.get_by_label("Present password").fill("a wheel runs true")
    page.get_by_label("New password").fill("short")
    page.keyboard.press("Enter")
    page.locator("[role=alert], .field-error").first.wait_for()
    assert axe(page) == ""


@pytest.mark.parametrize("name", TASK_TYPES)
def test_a_question_of_every_type(project, alice, queue_of, open_page, axe, name):
    queue_of(name)
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.locator("#question form").first.wait_for()
    assert axe(page) == ""
    # With the guideline beside it, the menu open and a message above it.
    page.keyboard.press("g")
    page.get_by_label("alice").click()
    page.evaluate("truing.say('Your hold on this question ran out.', 'warning')")
    assert axe(page, looks=[("light", 1280), ("dark", 380)]) == ""


@pytest.mark.parametrize("name", TASK_TYPES)
def test_the_dialogs_of_every_type(project, alice, queue_of, open_page, axe, name):
    queue_of(name)
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    for key, dialog in (("?", "#keys"), ("s", "#skip"), ("z", "#last-answers")):
        page.keyboard.press(key)
        page.locator(f"{dialog}[open]").wait_for()
        assert axe(page, looks=[("light", 1280), ("dark", 380)]) == ""
        page.keyboard.press("Escape")


def test_last_answers_and_a_correction(project, alice, open_page, axe):
    for _ in range(3):
        make.task(project)
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    for number in range(2):
        wait_for_question(page, number)
        page.keyboard.press("1")
        page.keyboard.press("Enter")
    wait_for_question(page, 2)
    page.keyboard.press("z")
    page.locator("#last-answers-rows a").first.wait_for()
    assert axe(page) == ""
    page.goto("/p/demo/desk/last/")
    assert axe(page) == ""
    page.keyboard.press("Tab")
    page.locator(".last-answers a").first.click()
    page.get_by_role("heading", name="Correct your answer").wait_for()
    page.keyboard.press("2")
    assert axe(page) == ""


def test_an_answer_that_waits_for_the_network(project, alice, open_page, axe):
    make.task(project)
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.route("**/answer/", lambda route: route.abort())
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    page.get_by_text("Your answer waits here").wait_for()
    assert axe(page) == ""


def test_an_invitation_and_a_password_link(project, owen, alice, open_page, axe):
    _, secret = invite(project, "new@example.org", Membership.Role.ANNOTATOR, actor=owen)
    page = open_page()
    page.goto(f"/invitation/{secret}/")
    assert axe(page) == ""
    _, secret = make_password_link(alice, project=project, actor=owen)
    page.goto(f"/password/{secret}/")
    assert axe(page) == ""
