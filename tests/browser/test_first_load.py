"""What a fresh browser loads from `truing web` before somebody can answer."""

import os
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from django.conf import settings

from annotation.task_types import TASK_TYPES
from tests.browser.conftest import session_cookie
from tests.browser.every_type import task_of
from tests.database_url import database_url

MOST_BYTES = 120_000
PATIENCE_SECONDS = 60


@pytest.fixture
def web(transactional_db, tmp_path):
    """The address of the real server, on the tables of this test."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "TRUING_HOME": str(tmp_path / "home"),
        "SECRET_KEY": settings.SECRET_KEY,
    }
    command = [sys.executable, "-m", "truing.cli", "web", "--port", str(port)]
    process = subprocess.Popen(command, env=environment)
    url = f"http://127.0.0.1:{port}"
    for _ in range(PATIENCE_SECONDS * 10):
        try:
            urllib.request.urlopen(f"{url}/sign-in/")
            break
        except OSError:
            assert process.poll() is None
            time.sleep(0.1)
    yield url
    process.terminate()
    process.wait(PATIENCE_SECONDS)


@pytest.fixture
def loaded(chromium):
    """Bytes on the wire for an address, by what was loaded, in a browser that has nothing yet."""
    contexts = []

    def loaded(url, cookie):
        context = chromium.new_context()
        contexts.append(context)
        context.add_cookies([cookie])
        page = context.new_page()
        session = context.new_cdp_session(page)
        urls, sizes = {}, {}
        session.on(
            "Network.requestWillBeSent",
            lambda sent: urls.update({sent["requestId"]: sent["request"]["url"]}),
        )
        session.on(
            "Network.loadingFinished",
            lambda done: sizes.update({urls[done["requestId"]]: done["encodedDataLength"]}),
        )
        session.send("Network.enable")
        page.goto(url, wait_until="networkidle")
        assert page.locator("#question form[data-answer]").count() == 1
        return sizes

    yield loaded
    for context in contexts:
        context.close()


@pytest.mark.parametrize("type", TASK_TYPES)
def test_the_first_load_of_the_desk_is_small(project, alice, web, loaded, type):
    task_of(project, type)
    sizes = loaded(f"{web}/p/demo/desk/", session_cookie(alice, web))
    assert any("truing.css" in url for url in sizes)
    assert sum(sizes.values()) < MOST_BYTES, sizes
