"""A chat whose models are switched off or busy: nothing is lost, and nobody else is asked."""

import threading
import time

import pytest

from annotation import stream_replies
from annotation.add_endpoint import edit_endpoint
from annotation.complete import _lines
from annotation.judge_turn import regenerate
from tests.model_server import echoes, says


@pytest.fixture
def listeners(monkeypatch):
    """So many models are listened to at a time."""

    def put(number):
        found = threading.BoundedSemaphore(number)
        monkeypatch.setattr(stream_replies, "LISTENERS", found)
        return found

    return put


def test_who_was_switched_off_meanwhile_is_not_asked(serve, chat):
    left, right = serve(left=echoes, right=says("I am right."))
    alice = chat()
    alice.say("Hello")
    edit_endpoint(left, is_on=False, actor=None)
    alice.hear()
    assert not left.server.asked
    problems = sorted(pane.problem for pane in alice.now.panes)
    assert problems == ["", "This model cannot be reached just now."]
    left.refresh_from_db()
    assert left.problem == stream_replies.SWITCHED_OFF
    # Switched on again it answers, and nothing has to be said twice.
    edit_endpoint(left, is_on=True, actor=None)
    regenerate(alice.slot, annotator=alice.annotator)
    alice.hear()
    assert alice.now.answered == 2


def test_so_many_models_are_listened_to(serve, chat, listeners):
    serve(left=echoes, right=echoes)
    free = listeners(1)
    alice = chat()
    alice.say("Hello")
    said = list(alice.hear())
    assert sorted(pane.has_answer for pane in alice.now.panes) == [False, True]
    assert [one.problem for one in said if one and one.problem] == [stream_replies.BUSY]
    # It is tried again by itself, and then there is room.
    alice.hear()
    assert alice.now.answered == 2
    assert free.acquire(timeout=5)


def seconds_to_read(text):
    began = time.monotonic()
    assert list(_lines(text[place : place + 1] for place in range(len(text)))) == text.split(b"\n")
    return time.monotonic() - began


def test_ten_times_the_line_byte_by_byte_takes_some_ten_times_as_long():
    short, long = (b"one\n\nthree\n" + b"x" * length + b"\nlast" for length in (30_000, 300_000))
    least = min(seconds_to_read(short) for _ in range(5))
    assert min(seconds_to_read(long) for _ in range(3)) < 40 * least


def test_a_line_is_whole_however_its_bytes_come():
    assert list(_lines(iter([b"a\nb", b"c\n\nd", b"\n"]))) == [b"a", b"bc", b"", b"d"]
