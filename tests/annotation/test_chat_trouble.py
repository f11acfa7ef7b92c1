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


def test_lines_that_come_byte_by_byte_are_read_in_no_time():
    text = b"one\n\nthree\n" + b"x" * 300_000 + b"\nlast"
    began = time.monotonic()
    assert list(_lines(text[place : place + 1] for place in range(len(text)))) == text.split(b"\n")
    assert time.monotonic() - began < 3
    assert list(_lines(iter([b"a\nb", b"c\n\nd", b"\n"]))) == [b"a", b"bc", b"", b"d"]
