"""A chat: said, answered by several models at once, judged turn by turn, by the right person."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotation.assign import extend_hold, next_assignment
from annotation.chat import ChatOver, NobodyAnswers, UnknownEndpoint
from annotation.create_queue import create_queue
from annotation.edit_queue import edit_queue
from annotation.end_chat import TooEarly, end_chat, end_left_chats
from annotation.judge_turn import NoTurn, regenerate
from annotation.judgments import judgments
from annotation.models import (
    Annotation,
    Assignment,
    Draft,
    Endpoint,
    Output,
    Rule,
    Standing,
    Task,
    Turn,
)
from annotation.say import NothingSaid, TurnOpen, begin_chat
from annotation.skip import HasVerdict, skip
from annotation.submit import AnsweredInTurns, BadAnswer, submit
from tests import make
from tests.annotation.talk import Person
from tests.model_server import echoes, says
from tests.together import at_once

ENDPOINTS = {"left": says("I am ", "left."), "right": says("I am right.")}


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

    at_once(alice.hear, alice.hear)
    assert Output.objects.count() == 1
    assert alice.now.answered == 1


def test_more_chats_are_read_with_no_more_queries(serve, chat, django_assert_num_queries):
    serve(**ENDPOINTS)

    def hold_one():
        person = chat()
        for text in ("Hello", "And more"):
            person.say(text)
            person.hear()
            person.judge("0")
        end_chat(person.slot, annotator=person.annotator)

    hold_one()
    with CaptureQueriesContext(connection) as one:
        assert len(list(judgments(Task.objects.all()))) == 2
    hold_one()
    hold_one()
    with django_assert_num_queries(len(one)):
        assert len(list(judgments(Task.objects.all()))) == 6
