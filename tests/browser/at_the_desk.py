"""Hands at the desk: keys, and the wait for what they bring."""

from time import monotonic

PATIENCE = 30  # seconds: a machine may have much else to do


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def wait_for_question(page, number):
    """Until the page says that so many were answered today, and takes keys.

    A page is read before its scripts run: a key pressed between the two would be lost.
    """
    page.locator(f"[data-today='{number}']").wait_for()
    page.wait_for_load_state("load")


def until(page, seen):
    """Until `seen()` is true. What happens in the page goes on while it is waited for."""
    end = monotonic() + PATIENCE
    while not seen():
        assert monotonic() < end, "It did not come."
        page.wait_for_timeout(50)
