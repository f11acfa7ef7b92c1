"""Silent, half-open and abandoned connections: no thread is theirs for long."""

import re
import signal
import socket
import subprocess
import sys
import time

import pytest

from truing.management.commands.web import streams_beside

# Two threads, and little patience.
SERVER = """
import sys, time
from gunicorn.app.base import BaseApplication
from truing import turns

turns.SILENT_SECONDS = 1

def app(environ, start_response):
    body = environ["wsgi.input"].read()
    path = environ["PATH_INFO"]
    if path == "/slow":
        time.sleep(1)
    said = b"x" * 30_000_000 if path == "/much" else f"{path} {len(body)}".encode()
    start_response("200 OK", [("Content-Length", str(len(said)))])
    return [said]

class Web(BaseApplication):
    def load_config(self):
        for name, value in {
            "bind": "127.0.0.1:0", "workers": 1, "threads": 2, "worker_class": turns.Worker,
            "keepalive": 30, "graceful_timeout": 5, "loglevel": "info",
            "control_socket_disable": True,
        }.items():
            self.cfg.set(name, value)

    def load(self):
        return app

Web().run()
"""
THREADS = 2


@pytest.fixture(scope="module")
def server():
    process = subprocess.Popen([sys.executable, "-c", SERVER], stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if found := re.search(r"Listening at: http://127.0.0.1:(\d+)", line):
            process.port = int(found[1])
        if "Booting worker" in line:
            break
    yield process
    process.terminate()
    process.stderr.close()
    process.wait(10)


@pytest.fixture
def opened(server):
    """A connection on which this was sent; it stays open."""
    made = []

    def send(data=b""):
        one = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        made.append(one)
        one.sendall(data)
        return one

    yield send
    for one in made:
        one.close()


def request(path="/", body=b"", *, length=None, more=""):
    length = len(body) if length is None else length
    method = "POST" if length else "GET"
    head = f"{method} {path} HTTP/1.1\r\nHost: here\r\nContent-Length: {length}\r\n{more}\r\n"
    return head.encode() + body


def answer(connection):
    said = b""
    while b"\r\n\r\n" not in said:
        came = connection.recv(1)
        assert came, said
        said += came
    length = int(re.search(rb"\r\ncontent-length: (\d+)", said.lower())[1])
    return connection.recv(length, socket.MSG_WAITALL).decode()


def is_closed(connection):
    try:
        return connection.recv(65536) == b""
    except ConnectionResetError:
        return True


def is_answered(connection):
    """Before ten seconds are over, which is what the connection waits."""
    return answer(connection) == "/other 0"


def test_who_says_nothing_holds_nobody_up(opened):
    for _ in range(4 * THREADS):
        opened()
    assert is_answered(opened(request("/other")))


@pytest.mark.parametrize(
    "half",
    [b"G", b"GET / HTTP/1.1\r\nHost: h", request(body=b"half of it", length=1000)],
    ids=["a letter", "half a head", "half a body"],
)
def test_half_a_request_gives_its_thread_back(opened, half):
    silent = [opened(half) for _ in range(THREADS)]
    assert all(is_closed(one) for one in silent)
    assert is_answered(opened(request("/other")))


def test_who_stays_after_the_last_answer_stops_nobody(opened):
    """Each is waited for two seconds, by a thread: by the main one it would take twelve."""
    stay = [opened(request(more="Connection: close\r\n")) for _ in range(3 * THREADS)]
    assert [answer(one) for one in stay] == ["/ 0"] * len(stay)
    assert is_answered(opened(request("/other")))
    assert all(is_closed(one) for one in stay)


def test_a_request_that_comes_in_letters_is_answered(opened):
    slow = opened()
    for letter in request("/letters", b"dear"):
        slow.sendall(bytes([letter]))
        time.sleep(0.002)
    assert answer(slow) == "/letters 4"


def test_requests_that_come_together_are_answered_in_their_order(opened):
    both = opened(request("/one", b"1") + request("/two", b"22", length=4))
    assert answer(both) == "/one 1"
    both.sendall(b"22" + request("/three"))
    assert answer(both) == "/two 4"
    assert answer(both) == "/three 0"


def test_a_long_body_is_read_by_its_thread(opened):
    assert answer(opened(request("/long", b"x" * 3_000_000))) == "/long 3000000"


def test_who_waits_for_our_word_is_given_it(opened):
    polite = opened(request("/polite", length=5, more="Expect: 100-continue\r\n"))
    assert polite.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
    polite.sendall(b"thank")
    assert answer(polite) == "/polite 5"


def test_an_answer_that_nobody_reads_frees_its_thread(opened):
    for _ in range(THREADS):
        opened(request("/much"))
    time.sleep(3)
    assert is_answered(opened(request("/other")))


def test_what_has_begun_is_ended_when_the_process_is(server, opened):
    """The last one that asks: a stopping process answers also what is on its way."""
    slow, half = opened(request("/slow")), opened(request("/half", b"ab", length=4))
    time.sleep(0.3)
    server.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    half.sendall(b"cd")
    assert answer(half) == "/half 4"
    assert answer(slow) == "/slow 0"
    assert server.wait(10) == 0


def test_half_of_the_threads_are_there_for_others_than_chats(settings):
    settings.CHAT_STREAMS = 4
    assert [streams_beside(threads) for threads in (1, 2, 6, 8, 20)] == [1, 1, 3, 4, 4]
