"""A chat: said, answered by several models at once, judged turn by turn, and grown into a tree."""

import io
import json
import threading
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from annotation.ask_blank import ask_blank
from annotation.assign import extend_hold, next_assignment
from annotation.behind import votes_behind
from annotation.chat import ChatOver, NobodyAnswers, UnknownEndpoint
from annotation.create_queue import create_queue
from annotation.edit_queue import edit_queue
from annotation.end_chat import TooEarly, end_chat, end_left_chats
from annotation.export_feedback import as_jsonl, export_feedback
from annotation.freeze import freeze, rows_of
from annotation.intake import import_file
from annotation.judge_turn import NoAnswerYet, NoTurn, regenerate
from annotation.models import (
    Annotation,
    Assignment,
    Draft,
    Endpoint,
    Output,
    Prompt,
    Rule,
    Standing,
    Turn,
)
from annotation.say import NothingSaid, TurnOpen, begin_chat
from annotation.skip import HasVerdict, skip
from annotation.stream_replies import STREAMS, stream_replies
from annotation.submit import AnsweredInTurns, BadAnswer, submit
from tests import make
from tests.annotation.talk import Person
from tests.model_server import echoes, hangs, refuses, says

ENDPOINTS = {"left": says("I am ", "left."), "right": says("I am right.")}


# --- a turn


def test_the_best_answer_goes_on_and_the_conversation_is_a_tree(project, serve, chat):
    left, right = serve(left=echoes, right=says("No."))
    alice = chat(system="Be brief.")
    first = alice.say("Hello")
    assert first.prompt.messages == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
    ]
    alice.hear()
    given = alice.judge(alice.place_of("You said: Hello"), reason=" kind ", seconds=4)
    assert (given.turn, given.reason, given.seconds) == (1, "kind", 4)
    # Outputs stand in the order of their endpoints, whatever the order on the screen was.
    assert given.answer == {"tiers": [["a"], ["b"]]}
    assert sorted(given.shown) == ["a", "b"]
    best = Output.objects.get(source=left.source)
    assert best.params == {"model": "m"}

    second = alice.say("And more")
    assert second.prompt.parent == best
    assert [message["role"] for message in second.prompt.messages] == [
        "system",
        "user",
        "assistant",
        "user",
    ]
    assert second.prompt.split == first.prompt.split
    alice.hear()
    assert left.server.asked[-1]["messages"] == second.prompt.messages
    given = alice.judge(alice.place_of("No."))
    assert (given.turn, given.answer) == (2, {"tiers": [["d"], ["c"]]})
    assert right.source in {place.output.source for place in alice.slot.task.task_outputs.all()}

    assert [turn.words for turn in alice.now.turns][0] in ("1 > 2", "2 > 1")
    assert alice.now.turns[1].text == "No."
    end_chat(alice.slot, annotator=alice.annotator)
    alice.slot.refresh_from_db()
    assert alice.slot.state == Assignment.State.ANSWERED
    assert Annotation.objects.filter(assignment=alice.slot).count() == 2


def test_rules_watch_each_turn(serve, chat):
    serve(left=says("Left."), right=says("Right."))
    alice = chat()
    rule = {"project": alice.slot.queue.project, "queue": alice.slot.queue}
    Rule.objects.create(
        **rule, when="one_side", then=["pause"], options={"risk": 0.05}, sentence="Read both."
    )
    for _ in range(7):
        alice.say("And?")
        alice.hear()
        alice.judge("0", seconds=3)
    standing = Standing.objects.get(annotator=alice.annotator)
    assert (standing.answers, standing.lefts) == (7, 7)
    assert standing.longer + standing.shorter == 7
    assert standing.figures().usual_seconds == pytest.approx(3)
    alice.annotator.refresh_from_db()
    assert alice.annotator.paused_because.endswith("Read both.")


def test_places_are_drawn_anew_each_turn(serve, chat):
    serve(**ENDPOINTS)
    alice = chat(most_turns=100)
    orders = set()
    for number in range(24):
        alice.say(f"{number}")
        alice.hear()
        orders.add(tuple(pane.text for pane in alice.now.panes))
        alice.judge("0")
    assert len(orders) == 2


def test_of_more_endpoints_some_are_drawn(serve, chat):
    serve(a=echoes, b=echoes, c=echoes, d=echoes, off=echoes)
    Endpoint.objects.filter(name="off").update(is_on=False)
    alice = chat(at_once=3)
    turn = alice.say("Hello")
    names = set(turn.replies.values_list("endpoint__name", flat=True))
    assert len(names) == 3
    assert "off" not in names


def test_a_queue_names_its_endpoints(serve, chat):
    serve(a=echoes, b=echoes, c=echoes)
    turn = chat(endpoints="b, c", at_once=4).say("Hello")
    assert set(turn.replies.values_list("endpoint__name", flat=True)) == {"b", "c"}


def test_nobody_to_talk_with_is_said(chat):
    with pytest.raises(NobodyAnswers):
        chat().say("Hello")
    assert not Turn.objects.exists()


def test_who_writes_a_queue_is_told_of_an_endpoint_that_is_not_there(project, serve, clara, client):
    with pytest.raises(UnknownEndpoint, match="no endpoint “who”"):
        create_queue(project, name="Talk", type="chat", options={"endpoints": "who"}, actor=clara)
    serve(here=says("I am here."))
    queue = create_queue(
        project, name="Talk", type="chat", options={"endpoints": "here"}, actor=clara
    )
    with pytest.raises(UnknownEndpoint):
        edit_queue(queue, options={"endpoints": "here, who"}, actor=clara)
    client.force_login(clara)
    form = {"type": "chat", "name": "More", "overlap": 1, "option.endpoints": "who"}
    form |= {"option.at_once": 2, "option.least_turns": 1, "option.most_turns": 9}
    page = client.post(reverse("new_queue", args=[project.slug]), form)
    assert page.status_code == 422
    assert "There is no endpoint “who” in this project." in page.content.decode()


def test_an_endpoint_that_is_missing_is_said(chat):
    with pytest.raises(UnknownEndpoint, match="“who”"):
        chat(endpoints="who").say("Hello")


def test_a_tie_goes_on_with_one_of_them(serve, chat):
    serve(**ENDPOINTS)
    alice = chat()
    alice.say("Hello")
    alice.hear()
    given = alice.judge("tie")
    assert len(given.answer["tiers"]) == 1
    assert alice.now.turns[0].text in ("I am left.", "I am right.")


def test_all_bad_goes_on_with_none_and_is_said_in_other_words(serve, chat):
    serve(**ENDPOINTS)
    alice = chat()
    first = alice.say("Hello")
    alice.hear()
    given = alice.judge("all_bad")
    assert given.answer["all_bad"] is True
    assert alice.now.to_say == "Hello"
    again = alice.say("Hello there")
    assert again.prompt.parent == first.prompt.parent
    assert again.prompt.messages == [{"role": "user", "content": "Hello there"}]


def test_a_queue_may_refuse_ties_and_all_bad(serve, chat):
    serve(**ENDPOINTS)
    alice = chat(tie=False, all_bad=False)
    alice.say("Hello")
    alice.hear()
    for choice in ("tie", "all_bad", "7", "-1", "", "²"):
        with pytest.raises(BadAnswer):
            alice.judge(choice)
    assert not Annotation.objects.exists()
    assert not alice.slot.task.task_outputs.exists()


def test_one_model_alone_is_talked_with_and_prefers_nothing(serve, chat):
    serve(only=echoes)
    alice = chat(at_once=1)
    alice.say("Hello")
    alice.hear()
    assert alice.now.choices == [("0", "goes on"), ("all_bad", "bad")]
    assert alice.judge("0").answer == {"tiers": [["a"]]}


def test_asked_once_more_they_answer_anew(serve, chat):
    [only] = serve(only=echoes)
    alice = chat(at_once=1)
    alice.say("Hello")
    alice.hear()
    turn = regenerate(alice.slot, annotator=alice.annotator)
    assert turn.attempt == 2
    assert alice.now.waits
    alice.hear()
    assert len(only.server.asked) == 2
    assert alice.now.answered == 1


def test_a_task_with_a_prompt_begins_by_itself(client, project, alice, serve):
    serve(**ENDPOINTS)
    task = make.task(project, type="chat", outputs=(), prompt_text="Why is the sky blue?")
    client.force_login(alice)
    page = client.get(reverse("desk", args=["demo"])).content.decode()
    assert "Why is the sky blue?" in page
    assert Turn.objects.get().prompt == task.prompt


# --- models that do not answer


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


# --- once, by the right person


def test_said_twice_is_said_once(serve, chat):
    serve(**ENDPOINTS)
    alice = chat()
    assert alice.say("Hello") == alice.say("Hello ")
    with pytest.raises(TurnOpen):
        alice.say("Something else")
    with pytest.raises(NothingSaid):
        alice.say(" \n")


def test_a_message_that_comes_late_once_more_is_not_said_again(serve, chat):
    serve(**ENDPOINTS)
    alice = chat()
    turn = alice.say("Hello", key="k")
    alice.hear()
    alice.judge("0")
    assert alice.say("Hello", key="k") == turn
    assert Turn.objects.count() == 1


def test_judged_twice_is_judged_once(serve, chat):
    serve(**ENDPOINTS)
    alice = chat()
    with pytest.raises(NoTurn):
        alice.judge("0")
    alice.say("Hello")
    alice.hear()
    first = alice.judge("0", key="once")
    assert alice.judge("1", key="once") == first
    with pytest.raises(NoTurn):
        alice.judge("0", key="twice")


def test_a_chat_with_a_verdict_is_nobody_elses(project, serve, chat, alice, bob, monkeypatch):
    serve(**ENDPOINTS)
    at_desk = chat()
    at_desk.say("Hello")
    at_desk.hear()
    at_desk.judge("0")
    at_desk.slot.refresh_from_db()
    assert at_desk.slot.held_until is None
    assert next_assignment(project, bob) is None
    # Coming back extends no hold that has no end.
    assert next_assignment(project, alice) == at_desk.slot
    extend_hold(at_desk.slot, at_desk.annotator)
    at_desk.slot.refresh_from_db()
    assert at_desk.slot.held_until is None
    assert end_left_chats() == 0
    with pytest.raises(HasVerdict):
        skip(at_desk.slot)
    monkeypatch.setattr("annotation.end_chat.LEFT_ALONE", timedelta(0))
    assert end_left_chats() == 1
    at_desk.slot.refresh_from_db()
    assert at_desk.slot.state == Assignment.State.ANSWERED
    with pytest.raises(ChatOver):
        at_desk.say("More")


def test_without_a_verdict_the_slot_goes_to_somebody_else(project, serve, chat, bob):
    serve(**ENDPOINTS)
    alice = chat()
    alice.say("Hello")
    Assignment.objects.update(held_until=timezone.now() - timedelta(minutes=1))
    other = Person(project, bob)
    assert other.slot.task == alice.slot.task
    assert other.now.said == ""
    with pytest.raises(ChatOver):
        alice.say("Still there?")


def test_a_chat_has_so_many_turns(serve, chat):
    serve(only=echoes)
    alice = chat(at_once=1, least_turns=2, most_turns=2)
    for number in range(2):
        with pytest.raises(TooEarly):
            end_chat(alice.slot, annotator=alice.annotator)
        alice.say(f"{number}")
        alice.hear()
        alice.judge("0")
    assert not alice.now.may_say
    with pytest.raises(ChatOver):
        alice.say("3")
    end_chat(alice.slot, annotator=alice.annotator)
    assert not Draft.objects.exists()


def test_is_not_answered_like_other_questions(serve, chat):
    alice = chat()
    with pytest.raises(AnsweredInTurns):
        submit(alice.slot, {"tiers": [["a"]]}, key="k")


@pytest.mark.django_db(transaction=True)
def test_two_windows_that_ask_at_once_keep_one_answer(project, serve):
    serve(only=says("One", pause=0.2))
    user = make.member(project, "alice")
    make.task(project, type="chat", outputs=())
    alice = Person(project, user)
    begin_chat(alice.slot, annotator=alice.annotator)

    def listen():
        alice.hear()
        connection.close()

    threads = [threading.Thread(target=listen) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Output.objects.count() == 1
    assert alice.now.answered == 1


# --- pages and API


def stream_of(response):
    text = b"".join(response.streaming_content).decode()
    return [json.loads(line[6:]) for line in text.split("\n\n") if line.startswith("data: ")]


def test_the_page_streams_and_never_says_who(client, project, alice, serve, chat):
    serve(secret_left=says("**bold** ", "<script>"), secret_right=says("x"))
    chat()
    client.force_login(alice)
    slot = Assignment.objects.get(annotator__user=alice)
    address = {
        name: reverse(f"chat_{name}", args=["demo", slot.pk])
        for name in ("say", "replies", "judge", "regenerate", "end")
    }
    htmx = {"HTTP_HX_REQUEST": "true"}
    pages = [client.get(reverse("desk", args=["demo"])).content.decode()]
    pages.append(client.post(address["say"], {"message": "Hello"}, **htmx).content.decode())
    response = client.post(address["replies"])
    assert response.headers["Content-Type"] == "text/event-stream"
    assert response.headers["Content-Encoding"] == "identity"
    events = stream_of(response)
    wholes = [event["html"] for event in events if "html" in event]
    assert len(wholes) == 2
    assert any("<strong>bold</strong> &lt;script&gt;" in html for html in wholes)
    pages.append(json.dumps(events))
    pages.append(client.post(address["regenerate"], **htmx).content.decode())
    pages.append(json.dumps(stream_of(client.post(address["replies"]))))
    form = {"choice": "0", "key": "k", "seconds": "3"}
    pages.append(client.post(address["judge"], form, **htmx).content.decode())
    pages.append(client.get(reverse("desk", args=["demo"])).content.decode())
    for page in pages:
        assert "secret_" not in page
        assert "endpoint:" not in page
        assert "127.0.0.1:" not in page
    page = client.post(address["end"], **htmx).content.decode()
    assert "Nothing left for you" in page


def test_what_is_typed_outlives_a_reload(client, project, alice, serve, chat):
    serve(**ENDPOINTS)
    chat()
    client.force_login(alice)
    slot = Assignment.objects.get(annotator__user=alice)
    client.post(reverse("draft", args=["demo", slot.pk]), {"message": "Half a thou"})
    assert "Half a thou" in client.get(reverse("desk", args=["demo"])).content.decode()
    client.post(reverse("chat_say", args=["demo", slot.pk]), {"message": "Half a thought"})
    assert not Draft.objects.get().content.get("answer")


def test_a_program_talks_too(client, project, alice, serve, chat):
    serve(**ENDPOINTS)
    chat()
    client.force_login(alice)
    slot = Assignment.objects.get(annotator__user=alice)

    def call(name, body=None, method="post"):
        address = reverse(f"api_chat{name}", args=["demo", slot.pk])
        send = getattr(client, method)
        return send(address, body or {}, content_type="application/json")

    assert call("", method="get").json()["may_say"] is True
    assert call("_say", {"text": "Hello"}).json()["is_open"] is True
    panes = call("_replies").json()["panes"]
    assert {pane["text"] for pane in panes} == {"I am left.", "I am right."}
    assert all(set(pane) == {"position", "text", "has_answer", "problem"} for pane in panes)
    assert call("_judge", {"choice": "1", "key": "k"}).status_code == 201
    assert call("", method="get").json()["turns"][0]["words"] == "2 > 1"
    assert call("_end").status_code == 204
    assert call("_say", {"text": "Hello"}).status_code == 409


def test_a_page_asks_no_more_in_a_longer_chat(
    client, project, alice, serve, chat, django_assert_max_num_queries
):
    serve(only=echoes)
    at_desk = chat(at_once=1)
    client.force_login(alice)
    client.get(reverse("desk", args=["demo"]))
    for number in range(6):
        at_desk.say(f"{number}")
        at_desk.hear()
        at_desk.judge("0")
    with django_assert_max_num_queries(30) as asked:
        client.get(reverse("desk", args=["demo"]))
    before = len(asked)
    for number in range(6):
        at_desk.say(f"more {number}")
        at_desk.hear()
        at_desk.judge("0")
    with django_assert_max_num_queries(before):
        client.get(reverse("desk", args=["demo"]))
    assert Prompt.objects.filter(parent__isnull=False).count() == 11


# --- what it yields


@pytest.fixture
def talked(serve, chat):
    """Two turns that Alice has judged, between them one that was all bad."""
    serve(left=echoes, right=says("No."))
    alice = chat()
    for text, best in (("Hello", "You said"), ("Bad", None), ("And more", "No.")):
        alice.say(text)
        alice.hear()
        alice.judge(alice.place_of(best) if best else "all_bad")
    end_chat(alice.slot, annotator=alice.annotator)
    return alice


def test_each_turn_gives_a_preference(project, talked):
    version = freeze(project, name="chats", kind="preference", actor=None)
    split = Prompt.objects.get(text="Hello").split
    rows = list(rows_of(version, split))
    assert len(rows) == 2
    by_length = sorted(rows, key=lambda row: len(row["prompt"]))
    assert [row["prompt"][-1]["content"] for row in by_length] == ["Hello", "And more"]
    assert by_length[0]["chosen"] == "You said: Hello (1 messages)"
    assert by_length[0]["rejected"] == "No."
    assert by_length[1]["chosen"] == "No."
    assert by_length[1]["rejected"] == "You said: And more (3 messages)"
    [vote] = votes_behind(project, by_length[1])
    assert vote["says"] == "prefers the chosen"


def test_what_was_all_bad_is_said_of_its_own_turn(project, talked):
    version = freeze(project, name="good", kind="unpaired_preference", actor=None)
    rows = list(rows_of(version, Prompt.objects.get(text="Hello").split))
    assert {row["prompt"][-1]["content"] for row in rows} == {"Bad"}
    assert sorted(row["completion"] for row in rows) == ["No.", "You said: Bad (3 messages)"]
    assert not any(row["label"] for row in rows)


def test_each_turn_is_a_line_that_comes_in_again(project, talked):
    lines = list(export_feedback(project))
    assert [line["meta"]["chat"]["turn"] for line in lines] == [1, 2, 3]
    first, _, third = lines
    assert third["meta"]["chat"]["after"]["line"] == first["id"]
    assert first["annotations"][0]["answer"] == {"tiers": [["a"], ["b"]]}
    assert [message["role"] for message in third["prompt"]] == ["user", "assistant", "user"]

    other = make.project("other")
    file = io.BytesIO(b"".join(as_jsonl(lines)))
    report = import_file(other, file)
    assert (report.refused, report.annotations) == (0, 3), report.problems
    assert list(export_feedback(other)) == lines
    # Frozen there, they give the same rows.
    versions = [
        freeze(one, name="chats", kind="preference", actor=None) for one in (project, other)
    ]
    assert versions[0].digest == versions[1].digest


def test_a_turn_can_be_corrected(client, project, talked, alice):
    given = Annotation.objects.filter(turn=1).get()
    client.force_login(alice)
    address = reverse("correct_answer", args=["demo", given.pk])
    page = client.get(address).content.decode()
    assert "Hello" in page
    assert "And more" not in page
    place = given.shown.index("b")
    client.post(address, {"choice": str(place), "key": "corrected"})
    correction = Annotation.objects.get(supersedes=given)
    assert (correction.turn, correction.answer) == (1, {"tiers": [["b"], ["a"]]})
    assert list(export_feedback(project))[0]["annotations"][0]["earlier"]


def test_chats_are_asked_for_without_a_prompt(project, clara):
    queue = make.queue(project, "Chats", type="chat")
    assert ask_blank(queue, 3, actor=clara) == 3
    assert queue.tasks.filter(prompt=None).count() == 3
