"""A chat's page and its API, and what becomes of the turns that were judged."""

import io
import json

import pytest
from django.urls import reverse

from annotation.ask_blank import ask_blank
from annotation.behind import votes_behind
from annotation.end_chat import end_chat
from annotation.export_feedback import as_jsonl, export_feedback
from annotation.freeze import freeze, rows_of
from annotation.intake import import_file
from annotation.models import Annotation, Assignment, Draft, Prompt
from tests import make
from tests.model_server import echoes, says

ENDPOINTS = {"left": says("I am ", "left."), "right": says("I am right.")}


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
