"""Who clicks twice, and goes back, finds done once what they did."""

from annotation.models import Queue, Rule
from tests import make

# As fast as a hand is: the first click has been sent, and is not answered yet.
TWICE = "(button) => { button.click(); setTimeout(() => button.click(), 60); }"


def test_two_clicks_add_one_rule(project, owen, open_page):
    queue = make.queue(project)
    page = open_page(owen)
    page.goto(f"/p/demo/queues/{queue.pk}/rules/")
    page.get_by_label("tell them").check()
    page.get_by_role("button", name="Add rule").evaluate(TWICE)
    page.get_by_text("The rule holds from now on.").wait_for()
    assert Rule.objects.count() == 1


def test_two_clicks_make_one_queue_and_no_refusal(project, owen, open_page):
    page = open_page(owen)
    page.goto("/p/demo/new-queue/?type=pairwise")
    page.get_by_label("Name").fill("Which is kinder?")
    page.locator("form.form button.btn-primary").evaluate(TWICE)
    page.get_by_text("The queue is open.").wait_for()
    assert Queue.objects.count() == 1


def test_who_comes_back_may_send_again(project, owen, open_page):
    queue = make.queue(project)
    page = open_page(owen)
    page.goto(f"/p/demo/queues/{queue.pk}/rules/")
    for number in (1, 2):
        page.get_by_label("tell them").check()
        page.get_by_role("button", name="Add rule").click()
        page.get_by_text("The rule holds from now on.").wait_for()
        assert Rule.objects.count() == number
        page.go_back()
