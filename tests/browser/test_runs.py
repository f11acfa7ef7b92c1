"""An engineer trains from the page, and watches."""

import threading
import time

import pytest
from django.db import connection

from alignment.follow import follow_all
from alignment.models import Run
from tests.alignment.conftest import (  # noqa: F401
    _leaves_no_process_behind,
    base,
    policy_folder,
    preferences,
)

# So many that the page is open long before the last of them.
STEPS = 400


@pytest.fixture
def worker():
    """Somebody who starts and follows runs, as the worker does."""
    over = threading.Event()

    def work():
        while not over.is_set():
            follow_all()
            time.sleep(0.2)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.mark.usefixtures("base", "preferences", "worker")
def test_an_engineer_starts_a_dpo_run_and_sees_its_curve_move(open_page, project, erin):
    page = open_page(erin)
    page.goto(f"/p/{project.slug}/runs/")
    page.get_by_role("link", name="New run").first.click()
    page.get_by_role("tab", name="DPO").click()
    page.get_by_label("preferences@1").check()
    page.get_by_label("Base model").select_option(label="base")
    page.get_by_label("Max steps").fill(str(STEPS))
    page.get_by_label("Batch size").fill("2")
    page.get_by_role("button", name="Train").click()

    chart = page.locator("[data-metric=loss]")
    chart.wait_for(timeout=120_000)
    first = int(chart.get_attribute("data-points"))
    page.wait_for_function(
        "first => Number(document.querySelector('[data-metric=loss]').dataset.points) > first",
        arg=first,
        timeout=60_000,
    )
    # The page says by itself that it is over; nobody has reloaded it.
    page.get_by_text("succeeded").first.wait_for(timeout=300_000)
    run = Run.objects.get()
    assert (run.method, run.step, run.created_by) == ("dpo", STEPS, erin)
    assert run.checkpoint.name == run.name
