"""A real browser on a real server: the system's Chromium, driven by Playwright."""

import os
import shutil

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

# Playwright runs an event loop in this thread, and Django would refuse the database beside it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


NOWHERE = "**/no-page-asks-for-this"


def pytest_collection_modifyitems(items):
    for item in items:
        if "/browser/" in str(item.path):
            item.add_marker(pytest.mark.django_db(transaction=True))


def _no_browser(reason):
    if os.environ.get("TRUING_BROWSER_REQUIRED") == "1":
        pytest.fail(f"A browser is required: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium():
    """A running browser, or a reason why there is none."""
    path = os.environ.get("TRUING_BROWSER") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if not path:
        _no_browser("there is no Chromium on this machine")
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        _no_browser("Playwright is not installed")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        except Error as error:
            _no_browser(f"{path} does not start: {error.message.splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, live_server):
    """Open a window, signed in as somebody. Errors in any of its scripts fail the test."""
    contexts, errors = [], []

    def open_it(user=None, *, width=1280, height=900, **options):
        context = chromium.new_context(
            base_url=live_server.url, viewport={"width": width, "height": height}, **options
        )
        context.set_default_timeout(30_000)
        contexts.append(context)
        # What tests catch, they catch from the start: where catching begins while a page is open,
        # what the page sends in that moment may go past.
        context.route(NOWHERE, lambda route: route.continue_())
        if user:
            context.add_cookies([session_cookie(user, live_server.url)])
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: _note(said, errors))
        return page

    yield open_it
    for context in contexts:
        # A page that is closed sends what it has not saved, and the database is emptied by then.
        context.set_offline(True)
        context.close()
    assert not errors


# The browser and htmx say so when the server refuses something: that is no error of a script.
EXPECTED = ("Failed to load resource", "Response Status Error Code", "htmx:")


def _note(said, errors):
    if said.type == "error" and not said.text.startswith(EXPECTED):
        errors.append(said.text)


def session_cookie(user, url):
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return {"name": settings.SESSION_COOKIE_NAME, "value": session.session_key, "url": url}


@pytest.fixture
def axe():
    """What axe finds wrong with a page: in light and dark, and at the width of a telephone."""
    from axe_playwright_python.base import AXE_SCRIPT

    def axe(page, *, looks=LOOKS):
        page.evaluate(AXE_SCRIPT)
        found = set()
        before = page.viewport_size
        for scheme, width in looks:
            # Colours are looked at when they have arrived.
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.set_viewport_size({"width": width, "height": 800})
            page.evaluate(ARRIVED)
            result = page.evaluate("axe.run({resultTypes: ['violations']})")
            found |= {
                f"{scheme} {width}: {rule['id']}: {rule['help']}: {node['html'][:160]}"
                f" ({node['failureSummary'].splitlines()[-1].strip()[:200]})"
                for rule in result["violations"]
                for node in rule["nodes"]
            }
        page.set_viewport_size(before)
        return "\n".join(sorted(found))

    return axe


ARRIVED = """new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() =>
    Promise.all(document.getAnimations().map((one) => one.finished.catch(() => 0))).then(done))))"""
LOOKS = (("light", 1280), ("dark", 1280), ("light", 380))
