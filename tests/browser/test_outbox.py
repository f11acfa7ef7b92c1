"""A network that goes away: answers wait in the page, and go out once."""

import pytest

from annotation.models import Annotation, Draft
from tests import make
from tests.browser.at_the_desk import until, wait_for_question
from tests.browser.test_desk import order_of

WAITING = "Your answer waits here"
SENT = "The answer that waited here has been sent."
STORED = "Object.keys(localStorage).filter((name) => name.startsWith('truing.outbox'))"


@pytest.fixture
def pairs(project):
    return [make.task(project) for _ in range(3)]


def away(route):
    route.abort()


def bad_gateway(route):
    route.fulfill(status=502, body="<h1>502 Bad Gateway</h1>", content_type="text/html")


def answer(page, key):
    page.keyboard.press(key)
    page.keyboard.press("Enter")


def sign_out(page):
    page.get_by_label("alice").click()
    page.get_by_role("button", name="Sign out").click()


def nothing_is_left(page):
    until(page, lambda: not page.evaluate(STORED))


def test_an_answer_given_without_a_network_goes_out_when_it_is_back(
    project, alice, pairs, open_page
):
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.context.set_offline(True)
    answer(page, "2")
    page.get_by_text(WAITING).wait_for()
    # Keys and buttons change nothing any more: it is given.
    answer(page, "1")
    assert page.get_by_label("2 is slightly better").first.is_checked()
    assert not Annotation.objects.exists()

    page.context.set_offline(False)
    wait_for_question(page, 1)
    page.get_by_text(SENT).wait_for()
    assert order_of(Annotation.objects.get()) == "2 is slightly better"
    nothing_is_left(page)
    answer(page, "1")
    wait_for_question(page, 2)
    assert Annotation.objects.count() == 2


@pytest.mark.parametrize("trouble", [away, bad_gateway])
def test_a_server_that_is_away_gets_it_when_it_is_back(project, alice, pairs, open_page, trouble):
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.route("**/answer/", trouble)
    answer(page, "1")
    page.get_by_text(WAITING).wait_for()
    assert page.get_by_text("Bad Gateway").count() == 0
    page.unroute("**/answer/")
    wait_for_question(page, 1)
    assert order_of(Annotation.objects.get()) == "1 is slightly better"
    nothing_is_left(page)


def test_an_answer_that_arrived_but_was_not_acknowledged_is_counted_once(
    project, alice, pairs, open_page
):
    page = open_page(alice)
    page.goto("/p/demo/desk/")

    def swallow(route):
        route.fetch()  # the server has it, and the page does not know
        route.abort()

    page.route("**/answer/", swallow, times=1)
    answer(page, "2")
    wait_for_question(page, 1)
    page.get_by_text(SENT).wait_for()
    assert Annotation.objects.count() == 1


def test_what_waits_survives_a_reload(project, alice, pairs, open_page):
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.route("**/answer/", away)
    page.keyboard.press("r")
    page.keyboard.type("Kinder, say")
    page.keyboard.press("Escape")
    answer(page, "2")
    page.get_by_text(WAITING).wait_for()
    page.reload()
    page.get_by_text(WAITING).wait_for()
    assert not Annotation.objects.exists()
    page.unroute("**/answer/")
    wait_for_question(page, 1)
    given = Annotation.objects.get()
    assert (order_of(given), given.reason) == ("2 is slightly better", "Kinder, say")


def test_what_waits_is_sent_by_the_next_page_once_for_all_tabs(project, alice, pairs, open_page):
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.context.route("**/answer/", away)
    answer(page, "1")
    page.get_by_text(WAITING).wait_for()
    page.close()
    context = page.context
    context.unroute("**/answer/")
    sent = []
    context.on(
        "request", lambda request: sent.append(request.url) if "/answer/" in request.url else 0
    )
    one, other = context.new_page(), context.new_page()
    one.goto("/p/demo/desk/")
    other.goto("/p/demo/desk/")
    nothing_is_left(one)  # whichever of the two was faster
    nothing_is_left(other)
    assert Annotation.objects.count() == 1
    assert len(sent) == 1


def test_what_was_typed_without_a_network_is_there_after_a_reload(project, alice, pairs, open_page):
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.route("**/draft/", away)
    page.keyboard.press("r")
    page.keyboard.type("Half a thought")
    page.get_by_text("Draft kept here").wait_for()
    page.unroute("**/draft/")
    page.reload()
    nothing_is_left(page)
    until(page, lambda: page.locator("#reason").input_value() == "Half a thought")


@pytest.mark.parametrize("is_away", [False, True])
def test_what_is_saved_while_the_next_page_is_on_its_way_is_there(
    project, alice, pairs, open_page, is_away
):
    page = open_page(alice)
    page.goto("/p/demo/desk/")

    def come_late(route):
        before = route.fetch()
        until(page, Draft.objects.exists)
        route.fulfill(response=before)

    if is_away:
        page.route("**/draft/", away)
    page.keyboard.press("r")
    page.keyboard.type("Half a thought")
    if is_away:
        page.get_by_text("Draft kept here").wait_for()
        page.unroute("**/draft/")
    page.route("**/p/demo/desk/", come_late, times=1)
    page.reload()
    until(page, lambda: page.locator("#reason").input_value() == "Half a thought")


def test_nobody_else_sees_or_sends_what_waits(project, alice, bob, pairs, open_page):
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.route("**/answer/", away)
    page.keyboard.press("r")
    page.keyboard.type("Only for the curator")
    page.keyboard.press("Escape")
    answer(page, "2")
    page.get_by_text(WAITING).wait_for()
    page.unroute("**/answer/")
    page.route(
        "**/desk/**",
        lambda route: route.abort() if route.request.method == "POST" else route.continue_(),
    )
    [name] = page.evaluate(STORED)
    alices = page.context.cookies()

    page.context.clear_cookies()
    page.context.add_cookies(open_page(bob).context.cookies())
    page.goto("/p/demo/desk/")
    page.get_by_text("0 today").wait_for()
    assert page.evaluate("document.getElementById('outbox').hidden")
    assert page.evaluate("Object.keys(localStorage)") == [name]
    assert "curator" not in page.evaluate("(name) => localStorage.getItem(name)", name)
    page.unroute("**/desk/**")
    page.reload()
    page.wait_for_timeout(500)
    assert not Annotation.objects.exists()

    page.context.clear_cookies()
    page.context.add_cookies(alices)
    page.goto("/p/demo/desk/")
    wait_for_question(page, 1)
    assert Annotation.objects.get().assignment.annotator.user == alice


def test_who_was_signed_out_meanwhile_answers_once_signed_in_again(
    project, alice, pairs, open_page
):
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    cookies = page.context.cookies()
    page.context.clear_cookies()
    answer(page, "2")
    page.get_by_text("the page is too old: reload it").wait_for()
    page.context.add_cookies(cookies)
    page.goto("/p/demo/desk/")
    wait_for_question(page, 1)
    assert order_of(Annotation.objects.get()) == "2 is slightly better"


def test_what_was_typed_after_one_was_signed_out_is_there_once_signed_in_again(
    project, alice, pairs, open_page
):
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    cookies = page.context.cookies()
    page.context.clear_cookies()
    page.keyboard.press("r")
    page.keyboard.type("Half a thought")
    page.get_by_text("Draft kept here").wait_for()
    page.context.add_cookies(cookies)
    page.goto("/p/demo/desk/")
    nothing_is_left(page)
    until(page, lambda: page.locator("#reason").input_value() == "Half a thought")


def test_an_answer_that_arrived_at_once_leaves_nothing_behind(project, alice, pairs, open_page):
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    answer(page, "2")
    wait_for_question(page, 1)
    nothing_is_left(page)
    page.reload()
    page.wait_for_timeout(300)
    assert page.get_by_text(SENT).count() == 0
    assert Annotation.objects.count() == 1


def test_a_tab_whose_answer_another_tab_has_sent_goes_on(project, alice, pairs, open_page):
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.route("**/answer/", away)  # in this tab only
    answer(page, "2")
    page.get_by_text(WAITING).wait_for()
    other = page.context.new_page()
    other.goto("/p/demo/desk/")
    wait_for_question(other, 1)
    wait_for_question(page, 1)
    page.get_by_text(SENT).wait_for()
    assert not page.locator("#question[data-waiting], form[inert]").count()
    page.unroute("**/answer/")
    answer(page, "1")
    wait_for_question(page, 2)
    assert Annotation.objects.count() == 2


def test_what_waited_and_is_refused_comes_back_as_a_draft(project, alice, pairs, open_page):
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.route("**/answer/", away)
    page.route("**/draft/", away)
    page.keyboard.press("r")
    page.keyboard.type("Not to be lost")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")  # without saying which is better
    page.get_by_text(WAITING).wait_for()
    page.reload()
    page.get_by_text(WAITING).wait_for()
    page.unroute("**/answer/")
    page.unroute("**/draft/")
    page.get_by_text("Say which is better").or_(page.get_by_role("alert")).first.wait_for()
    until(page, lambda: page.locator("#reason").input_value() == "Not to be lost")
    assert not Annotation.objects.exists()


def test_what_is_no_answer_does_not_wait(project, alice, pairs, open_page):
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    nothing_is_left(page)


def test_who_signs_out_takes_along_what_waits(project, alice, pairs, open_page):
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.route("**/answer/", bad_gateway)
    answer(page, "2")
    page.get_by_text(WAITING).wait_for()
    page.unroute("**/answer/")
    sign_out(page)
    page.wait_for_url("**/sign-in/**")
    assert Annotation.objects.count() == 1
    nothing_is_left(page)


def said_to_who_signs_out(page):
    """What they are asked; they do not go."""
    asked = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    sign_out(page)
    until(page, lambda: asked)
    return asked[0]


def test_who_signs_out_waits_for_what_is_on_its_way(project, alice, pairs, open_page):
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.route("**/answer/", bad_gateway)
    answer(page, "2")
    page.get_by_text(WAITING).wait_for()
    held = []
    page.unroute("**/answer/")
    page.route("**/answer/", lambda route: held.append(route))
    until(page, lambda: held)
    sign_out(page)
    page.wait_for_timeout(500)
    assert page.url.endswith("/desk/")
    held[0].continue_()
    page.wait_for_url("**/sign-in/**")
    assert Annotation.objects.count() == 1
    nothing_is_left(page)


def test_who_signs_out_without_a_network_is_asked_and_loses_nothing(
    project, alice, pairs, open_page
):
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.route("**/answer/", away)
    answer(page, "2")
    page.get_by_text(WAITING).wait_for()
    assert "It stays in this browser" in said_to_who_signs_out(page)
    page.wait_for_timeout(300)
    assert page.url.endswith("/desk/")
    # All the same: it goes out when they come back.
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in/**")
    assert len(page.evaluate(STORED)) == 1
    assert not Annotation.objects.exists()
    page.unroute("**/answer/")
    page.context.add_cookies(open_page(alice).context.cookies())
    page.goto("/p/demo/desk/")
    nothing_is_left(page)
    assert Annotation.objects.count() == 1


def test_who_signs_out_is_told_where_the_browser_keeps_nothing(project, alice, pairs, open_page):
    page = open_page(alice)
    page.add_init_script("Storage.prototype.setItem = () => { throw new Error('full'); }")
    page.goto("/p/demo/desk/")
    page.route("**/answer/", away)
    answer(page, "2")
    page.get_by_text(WAITING).wait_for()
    assert "it is lost" in said_to_who_signs_out(page)


def test_who_signs_out_stays_where_what_waited_is_refused(project, alice, pairs, open_page):
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.route("**/answer/", away)
    page.keyboard.press("Enter")  # without saying which is better
    page.get_by_text(WAITING).wait_for()
    page.unroute("**/answer/")
    sign_out(page)
    page.get_by_role("alert").wait_for()
    page.wait_for_timeout(300)
    assert page.url.endswith("/desk/")


def test_undo_takes_the_last_answer_up_again(project, alice, pairs, open_page):
    page = open_page(alice)
    page.goto("/p/demo/desk/")
    page.keyboard.press("u")
    page.get_by_text("You have not answered anything yet").wait_for()
    answer(page, "1")
    wait_for_question(page, 1)
    page.keyboard.press("u")
    page.get_by_role("heading", name="Correct your answer").wait_for()
    assert page.get_by_label("1 is slightly better").first.is_checked()
    answer(page, "2")
    page.get_by_text("Your correction is saved.").wait_for()
    last = Annotation.objects.latest("pk")
    assert order_of(last) == "2 is slightly better"
    assert last.supersedes
