"""Models that answer, or do not: what a person hears of them while they talk."""

import pytest
from django.conf import settings

from annotation.judge_turn import NoAnswerYet
from annotation.stream_replies import STREAMS, stream_replies
from tests.model_server import echoes, hangs, refuses, says

ENDPOINTS = {"left": says("I am ", "left."), "right": says("I am right.")}


def test_one_that_is_down_and_one_that_hangs_leave_the_others_usable(serve, chat):
    [good, down, hung] = serve(good=echoes, down=refuses(500), hung=hangs)
    alice = chat(at_once=3)
    alice.say("Hello")
    events = alice.hear()
    problems = {event.problem for event in events if event.problem}
    assert problems == {
        "This model cannot be reached just now.",
        "This model takes too long.",
    }
    assert alice.now.answered == 1
    given = alice.judge(alice.place_of("You said"))
    assert given.answer == {"tiers": [["a"]]}
    down.refresh_from_db()
    assert "status 500" in down.problem


def test_whoever_failed_is_asked_again_alone(serve, chat):
    [good, bad] = serve(good=echoes, bad=refuses(500))
    alice = chat()
    alice.say("Hello")
    alice.hear()
    bad.server.behave = says("Better now.")
    assert alice.hear() == []  # by itself nobody is asked again
    failed = next(pane for pane in alice.now.panes if pane.problem)
    alice.hear(failed.position)
    assert alice.now.answered == 2
    assert len(good.server.asked) == 1


def test_without_any_answer_there_is_no_verdict(serve, chat):
    serve(down=refuses(500))
    alice = chat()
    alice.say("Hello")
    with pytest.raises(NoAnswerYet):
        alice.judge("0")


def test_what_a_model_says_of_itself_when_it_fails_is_not_shown(serve, chat):
    serve(bad=refuses(404, {"error": {"message": "no model gpt-secret here"}}))
    alice = chat()
    alice.say("Hello")
    assert "gpt-secret" not in str(alice.hear())
    assert "gpt-secret" not in str(alice.now)


def test_streams_are_bounded(serve, chat):
    serve(only=echoes)
    alice = chat()
    alice.say("Hello")
    taken = 0
    while STREAMS.acquire(blocking=False):
        taken += 1
    try:
        [event] = alice.hear()
    finally:
        for _ in range(taken):
            STREAMS.release()
    assert "All lines are taken" in event.problem
    assert alice.now.waits  # it is nobody's trouble
    alice.hear()
    assert alice.now.answered == 1


def test_who_leaves_frees_the_line(serve, chat):
    serve(slow=says(*["word "] * 50, pause=0.05))
    alice = chat()
    alice.say("Hello")
    events = stream_replies(alice.slot, alice.annotator)
    assert next(event for event in events if event).piece == "word "
    events.close()
    taken = 0
    while STREAMS.acquire(blocking=False):
        taken += 1
    for _ in range(taken):
        STREAMS.release()
    assert taken == settings.CHAT_STREAMS
    assert alice.now.waits


def never_begins(handler, body):
    """Sends the head of its answer letter by letter, and so is never silent."""
    while not handler.server.model_server.over.wait(0.2):
        handler.wfile.write(b"H")


def test_one_that_never_begins_keeps_nobody_waiting(serve, chat, monkeypatch):
    monkeypatch.setattr("annotation.stream_replies.LONGEST_SECONDS", 0.5)
    monkeypatch.setattr("annotation.stream_replies.BEAT_SECONDS", 0.1)
    serve(good=says("Yes."), slow=never_begins)
    alice = chat()
    alice.say("Hello")
    assert sorted(event.problem or event.piece or event.whole for event in alice.hear()) == [
        "This model takes too long.",
        "Yes.",
        "Yes.",
    ]


def test_answers_may_come_all_together(serve, chat):
    serve(**ENDPOINTS)
    alice = chat(together=True)
    alice.say("Hello")
    events = alice.hear()
    assert [event.piece for event in events] == ["", ""]


def test_a_character_that_cannot_be_kept_is_left_out(serve, chat):
    serve(odd=says("a\x00b", "\ud800"))
    alice = chat(at_once=1)
    alice.say("a\x00b")
    alice.hear()
    assert alice.now.panes[0].text == "ab?"
