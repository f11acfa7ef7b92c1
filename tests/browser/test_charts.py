"""The curves of a run, drawn from JSON and kept fresh."""

import json

PAGE = """<!doctype html><html><head>
<link rel="stylesheet" href="/static/truing/truing.css">
<link rel="stylesheet" href="/static/truing/uplot.css">
<script src="/static/truing/theme.js"></script>
<script src="/static/truing/truing.js" defer></script>
<script src="/static/truing/uplot.js" defer></script>
<script src="/static/truing/charts.js" defer></script>
</head><body><div id="messages"></div>%s</body></html>"""


def show(page, body):
    page.route(
        "**/chart/",
        lambda route: route.fulfill(content_type="text/html; charset=utf-8", body=PAGE % body),
    )
    page.goto("/chart/")


def test_draws_one_chart_a_metric_in_the_order_given(open_page):
    series = {"loss": [[1, 2.5], [2, 0.00012]], "accuracy": [[1, 0.5], [2, None]]}
    page = open_page()
    show(page, f"<div class='charts' data-chart='{json.dumps({'series': series})}'></div>")
    page.locator(".chart canvas").nth(1).wait_for()
    assert page.locator(".chart-name").all_inner_texts() == ["loss", "accuracy"]
    assert page.locator("[data-metric=loss] .chart-value").inner_text() == "1.20e-4 at 2"
    assert page.locator("[data-metric=accuracy] .chart-value").inner_text() == "– at 2"


def test_asks_for_more_until_the_run_is_done(open_page):
    answers = [
        {"series": {"loss": [[1, 3]]}, "done": False},
        {"series": {"loss": [[1, 3], [2, 2], [3, 1]], "eval_loss": [[3, 1.5]]}, "done": True},
    ]
    asked = []

    def metrics(route):
        asked.append(route.request.url)
        route.fulfill(json=answers[min(len(asked), len(answers)) - 1])

    page = open_page()
    page.route("**/metrics/", metrics)
    show(page, "<div class='charts' data-chart-url='/metrics/'></div>")
    page.locator("[data-metric=loss][data-points='1']").wait_for()
    page.locator("[data-metric=loss][data-points='3']").wait_for()
    assert page.locator("[data-metric=eval_loss] canvas").count() == 1
    page.wait_for_timeout(2500)
    assert len(asked) == 2


def test_a_server_that_is_away_is_asked_again(open_page):
    asked = []

    def metrics(route):
        asked.append(route.request.url)
        if len(asked) == 1:
            route.abort()
        else:
            route.fulfill(json={"series": {"loss": [[1, 3]]}, "done": True})

    page = open_page()
    page.route("**/metrics/", metrics)
    show(page, "<div class='charts' data-chart-url='/metrics/'></div>")
    page.locator("[data-metric=loss]").wait_for()


def test_is_drawn_anew_in_another_theme_and_fits_a_telephone(open_page):
    page = open_page(width=380)
    series = json.dumps({"series": {"a very long name of a metric of a trainer": [[1, 2], [9, 4]]}})
    toggle = "<button data-theme-toggle>Theme</button>"
    show(page, f"{toggle}<div class='charts' data-chart='{series}'></div>")
    page.locator(".chart canvas").wait_for()
    page.get_by_role("button").click()
    page.get_by_role("button").click()
    assert page.locator(".chart canvas").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
