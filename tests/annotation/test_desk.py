"""The desk's pages: what they show, what they hide, and what they say when they refuse."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.assign import HOLD, next_assignment
from annotation.models import Annotation, Assignment, Draft, Guideline, Queue
from annotation.submit import submit
from tests import make

HTMX = {"HX-Request": "true"}
DESK = "/p/demo/desk/"


@pytest.fixture
def at_desk(client, alice):
    client.force_login(alice)
    return client


def post(client, address, **form):
    return client.post(f"{DESK}{address}", form, headers=HTMX)


def held():
    return Assignment.objects.get(state=Assignment.State.HELD)


def text_of(response):
    return response.content.decode()


def test_shows_a_question_and_nothing_that_tells_who_wrote_it(at_desk, project):
    task = make.task(project, outputs=("It scatters.", "It is painted."), prompt_text="Why blue?")
    # Keys and refs that would be found if they were there.
    for place, ref in zip(task.task_outputs.all(), ("REF-LEFT", "REF-RIGHT"), strict=True):
        place.ref = ref
        place.save()
    text = text_of(at_desk.get(DESK))
    for words in ("Why blue?", "It scatters.", "It is painted."):
        assert words in text
    for hidden in ("model 0", "model 1", "REF-LEFT", "REF-RIGHT", task.ref):
        assert hidden not in text


def test_shows_the_outputs_in_the_order_drawn(at_desk, project):
    make.task(project, outputs=("AAA", "BBB"))
    text = text_of(at_desk.get(DESK))
    first, second = ("AAA", "BBB") if held().shown == ["a", "b"] else ("BBB", "AAA")
    assert text.index(first) < text.index(second)


def test_an_answer_brings_the_next_question_in_one_request(at_desk, project):
    make.task(project, prompt_text="First?")
    make.task(project, prompt_text="Second?")
    at_desk.get(DESK)
    assignment = held()
    response = post(at_desk, f"{assignment.pk}/answer/", choice="1:2", key="k", seconds="7.5")
    assert response.status_code == 200
    assert "Second?" in text_of(response)
    assert "<html" not in text_of(response)
    annotation = Annotation.objects.get()
    assert annotation.answer["tiers"][0] == [assignment.shown[1]]
    assert annotation.answer["strength"] == 2
    assert annotation.seconds == 7.5


def test_works_without_scripts_too(at_desk, project):
    make.task(project, type="ranking", outputs=("x", "y", "z"))
    at_desk.get(DESK)
    assignment = held()
    form = {"place_0": "2", "place_1": "1", "place_2": "2", "key": "k"}
    response = at_desk.post(f"{DESK}{assignment.pk}/answer/", form)
    assert response.status_code == 302
    assert response.headers["Location"] == DESK
    shown = assignment.shown
    assert Annotation.objects.get().answer == {"tiers": [[shown[1]], [shown[0], shown[2]]]}


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"key": "k"}, "Choose the better one"),
        ({"choice": "7", "key": "k"}, "Choose the better one"),
        ({"choice": "0"}, "The key of an answer must be new"),
        ({"choice": "0", "key": "a\x00b"}, "The key of an answer must be new"),
    ],
)
def test_what_is_no_answer_is_said_in_the_alert_region(at_desk, project, form, sentence):
    make.task(project)
    at_desk.get(DESK)
    response = post(at_desk, f"{held().pk}/answer/", **form)
    assert response.status_code == 422
    assert response.headers["HX-Retarget"] == "#messages"
    assert sentence in text_of(response)
    assert held()


def test_answering_twice_is_said_and_changes_nothing(at_desk, project):
    make.task(project)
    at_desk.get(DESK)
    pk = held().pk
    post(at_desk, f"{pk}/answer/", choice="0", key="k1")
    again = post(at_desk, f"{pk}/answer/", choice="1", key="k2")
    assert again.status_code == 409
    assert "already answered" in text_of(again)
    assert post(at_desk, f"{pk}/answer/", choice="0", key="k1").status_code == 200
    assert Annotation.objects.count() == 1


def test_somebody_elses_question_does_not_exist(at_desk, project, bob):
    make.task(project)
    theirs = next_assignment(project, bob)
    for address in ("answer", "skip", "draft", "hold"):
        response = post(at_desk, f"{theirs.pk}/{address}/", choice="0", key="k")
        assert response.status_code == 404
        assert "not yours to see" in text_of(response)
    theirs.refresh_from_db()
    assert theirs.state == Assignment.State.HELD
    assert Assignment.objects.count() == 1
    assert not Annotation.objects.exists()


def test_a_late_answer_is_kept_and_the_person_told(at_desk, project, bob):
    make.task(project)
    at_desk.get(DESK)
    assignment = held()
    Assignment.objects.update(held_until=timezone.now() - timedelta(minutes=1))
    next_assignment(project, bob)
    assert post(at_desk, f"{assignment.pk}/hold/").status_code == 410
    response = post(at_desk, f"{assignment.pk}/answer/", choice="0", key="k", reason="Mine")
    assert response.status_code == 409
    assert "What you wrote is kept." in text_of(response)
    draft = Draft.objects.get(annotator__user__name="alice")
    assert draft.content["answer"]["tiers"][0] == [assignment.shown[0]]
    assert draft.content["reason"] == "Mine"


def test_a_draft_is_there_after_a_reload(at_desk, project):
    make.task(project, type="ranking", outputs=("x", "y", "z"))
    at_desk.get(DESK)
    pk = held().pk
    response = post(at_desk, f"{pk}/draft/", place_1="1", reason="So \x00far", seconds="31.0")
    assert response.status_code == 204
    text = text_of(at_desk.get(DESK))
    assert "So far" in text
    assert 'value="31.00"' in text
    place = text[text.index('name="place_1"') :]
    assert '<option value="1" selected>' in place[: place.index("</select>")]


def test_a_draft_extends_the_hold_and_so_does_an_open_page(at_desk, project):
    make.task(project)
    at_desk.get(DESK)
    for address in ("draft", "hold"):
        Assignment.objects.update(held_until=timezone.now() + timedelta(minutes=1))
        assert post(at_desk, f"{held().pk}/{address}/").status_code == 204
        assert held().held_until > timezone.now() + HOLD - timedelta(minutes=1)


def test_a_skip_brings_the_next_question(at_desk, project):
    make.task(project, prompt_text="First?")
    make.task(project, prompt_text="Second?")
    at_desk.get(DESK)
    response = post(at_desk, f"{held().pk}/skip/", reason="Not my language")
    assert "Second?" in text_of(response)
    skipped = Assignment.objects.get(state=Assignment.State.SKIPPED)
    assert skipped.skip_reason == "Not my language"


def test_the_last_answers_are_listed_and_corrected(at_desk, project):
    make.task(project, prompt_text="Why blue?")
    at_desk.get(DESK)
    post(at_desk, f"{held().pk}/answer/", choice="0:1", key="k1", reason="At first")
    text = text_of(at_desk.get(f"{DESK}last/", headers=HTMX))
    assert "Why blue?" in text
    assert "1 is slightly better" in text
    given = Annotation.objects.get()
    form = text_of(at_desk.get(f"{DESK}last/{given.pk}/"))
    assert "At first" in form
    assert 'value="0:1" checked' in form
    response = post(at_desk, f"last/{given.pk}/", choice="tie", key="k2")
    assert "Your correction is saved." in text_of(response)
    assert Annotation.objects.current().get().supersedes == given
    assert "a tie" in text_of(at_desk.get(f"{DESK}last/", headers=HTMX))


def test_a_long_question_in_the_list_ends_with_a_sign(at_desk, project):
    make.task(project, prompt_text="Why blue? " * 100)
    at_desk.get(DESK)
    post(at_desk, f"{held().pk}/answer/", choice="0:1", key="k1")
    text = text_of(at_desk.get(f"{DESK}last/", headers=HTMX))
    assert "Why blue? Why blue?…" in text


def test_earlier_answers_are_found_page_by_page(at_desk, project, alice, client):
    for number in range(45):
        make.task(project, prompt_text=f"Question {number}!")
    for number in range(45):
        submit(next_assignment(project, alice), {"tiers": [["a"], ["b"]]}, key=f"k{number}")
    seen, address = [], f"{DESK}last/"
    while address:
        text = text_of(at_desk.get(address, headers=HTMX))
        seen.append(re.findall(r"Question (\d+)!", text))
        [address] = re.findall(r'href="([^"]+before=\d+)"', text) or [None]
    assert [len(page) for page in seen] == [20, 20, 5]
    assert sum(seen, []) == [str(number) for number in reversed(range(45))]
    first = text_of(at_desk.get(f"{DESK}last/", {"before": "x"}, headers=HTMX))
    assert "Question 44!" in first
    assert f'href="{DESK}last/"' in text_of(at_desk.get("/p/demo/my-work/"))


def test_who_has_corrected_an_answer_goes_on_in_the_queue_they_had_chosen(at_desk, project):
    make.task(project, prompt_text="The oldest?")
    second = make.queue(project, "Second")
    for _ in range(2):
        make.task(project, queue=second, prompt_text="Of the second?")
    address = f"{DESK}?queue={second.pk}"
    at_desk.get(address)
    post(at_desk, f"{held().pk}/answer/", choice="0", key="k1", queue=second.pk)
    headers = HTMX | {"HX-Current-URL": f"http://testserver{address}"}
    assert f'href="{address}">Back' in text_of(at_desk.get(f"{DESK}undo/", headers=headers))
    given = Annotation.objects.get()
    values = {"choice": "1", "key": "k2"}
    text = text_of(at_desk.post(f"{DESK}last/{given.pk}/", values, headers=headers))
    assert "Of the second?" in text
    # What somebody else's page says is no reason to fall.
    odd = HTMX | {"HX-Current-URL": "http://[x/?queue=9"}
    assert at_desk.get(DESK, headers=odd).status_code == 200


def test_nobody_corrects_anothers_answer(at_desk, client, project, bob):
    make.task(project)
    at_desk.get(DESK)
    post(at_desk, f"{held().pk}/answer/", choice="0", key="k1")
    given = Annotation.objects.get()
    client.force_login(bob)
    assert client.get(f"{DESK}last/{given.pk}/").status_code == 404
    assert post(client, f"last/{given.pk}/", choice="1", key="k2").status_code == 404


def test_the_guideline_shown_is_the_one_in_force_when_it_was_taken(at_desk, project):
    task = make.task(project)
    Guideline.objects.create(queue=task.queue, number=1, text="Be **kind**.")
    assert "Be <strong>kind</strong>." in text_of(at_desk.get(DESK))
    Guideline.objects.create(queue=task.queue, number=2, text="Be brief.")
    text = text_of(at_desk.get(DESK))
    assert "version 1" in text
    assert "Be brief." not in text


def test_a_queue_is_chosen_and_kept(at_desk, project):
    make.task(project, queue=make.queue(project, "First"), prompt_text="One?")
    second = make.queue(project, "Second")
    make.task(project, queue=second, prompt_text="Two?")
    make.task(project, queue=second, prompt_text="Three?")
    assert "Two?" in text_of(at_desk.get(f"{DESK}?queue={second.pk}"))
    response = post(at_desk, f"{held().pk}/answer/", choice="0", key="k", queue=second.pk)
    assert "Three?" in text_of(response)


@pytest.mark.parametrize("queue", ["0", "x", "-1", "9" * 30, "²"])
def test_a_queue_that_is_none_is_every_queue(at_desk, project, queue):
    make.task(project, prompt_text="One?")
    assert "One?" in text_of(at_desk.get(DESK, {"queue": queue}))


def test_says_when_nothing_is_left_and_when_nothing_is_open(at_desk, project):
    assert "No open queue" in text_of(at_desk.get(DESK))
    queue = make.queue(project)
    assert "Nothing left for you" in text_of(at_desk.get(DESK))
    queue.state = Queue.State.PAUSED
    queue.save()
    assert "No open queue" in text_of(at_desk.get(DESK))


def test_who_has_nothing_left_may_look_again_in_the_same_queue(at_desk, project):
    task = make.task(project)
    make.queue(project, "Another")
    at_desk.get(DESK)
    response = post(at_desk, f"{held().pk}/answer/", choice="0", key="k", queue=task.queue_id)
    assert f'href="{DESK}?queue={task.queue_id}"' in text_of(response).split("Nothing left")[1]


def test_goes_on_looking_after_an_answer_at_the_desks_own_address(at_desk, project, monkeypatch):
    """The answer's address takes answers only: who asked there again stood before a dead page."""
    make.task(project)
    at_desk.get(DESK)
    monkeypatch.setattr("annotation.assign.MOST_WINDOWS", 0)
    text = text_of(post(at_desk, f"{held().pk}/answer/", choice="0", key="k"))
    assert "Looking for a question" in text
    assert f'hx-get="{DESK}"' in text


def test_an_empty_output_is_shown_as_one(at_desk, project):
    make.task(project, outputs=("", "Something."))
    assert "(empty)" in text_of(at_desk.get(DESK))


def test_hostile_outputs_are_shown_as_text(at_desk, project):
    make.task(project, outputs=("<script>alert(1)</script>", "<img src=x onerror=alert(1)>"))
    text = text_of(at_desk.get(DESK))
    assert "<script>alert" not in text
    assert "<img" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def queries(client, address):
    client.get(address)  # sessions, content types
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return len(seen)


def test_the_queries_of_the_desk_do_not_grow(at_desk, project):
    make.task(project, type="ranking", outputs=("x", "y"))
    few = queries(at_desk, DESK)
    make.task(project, queue=make.queue(project, "Other"))
    for _ in range(10):
        make.task(project, type="ranking", outputs=tuple("stuvwxyz"))
    post(at_desk, f"{held().pk}/answer/", place_0="1", place_1="2", key="k")
    assert queries(at_desk, DESK) == few


def test_the_queries_of_the_last_answers_do_not_grow(at_desk, project):
    def answer_one():
        make.task(project)
        at_desk.get(DESK)
        post(at_desk, f"{held().pk}/answer/", choice="0", key=f"k{held().pk}")

    answer_one()
    few = queries(at_desk, f"{DESK}last/")
    for _ in range(8):
        answer_one()
    assert queries(at_desk, f"{DESK}last/") == few


# --- the same for programs


def api(client, address, body=None):
    return client.post(f"/api/projects/demo/{address}", body or {}, content_type="application/json")


def test_a_program_asks_and_answers(at_desk, project):
    make.task(project, outputs=("It scatters.", "It is painted."), prompt_text="Why blue?")
    question = api(at_desk, "next/").json()["question"]
    assert question["prompt"][0]["content"] == "Why blue?"
    assert sorted(question["outputs"]) == ["It is painted.", "It scatters."]
    assert question["type"] == "pairwise"
    body = {"answer": {"tiers": [[1], [0]], "strength": 3}, "key": "k", "reason": "Facts."}
    for _ in range(2):
        response = api(at_desk, f"assignments/{question['id']}/answer/", body)
        assert response.status_code == 201
    annotation = Annotation.objects.get()
    assert annotation.pk == response.json()["id"]
    assert annotation.answer["tiers"][0] == [annotation.shown[1]]
    assert api(at_desk, "next/").json() == {"question": None, "notice": ""}
    body = {"answer": {"tiers": [[0, 1]]}, "key": "k2"}
    assert api(at_desk, f"annotations/{annotation.pk}/correct/", body).status_code == 201


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"tiers": [[0], [5]]}, "There is no output at position 5."),
        ({"tiers": [["a"], ["b"]]}, "There is no output at position 'a'."),
        ({"tiers": "01"}, "Tiers must be a list of lists of positions."),
        ({"tiers": [[0]]}, "Choose the better one, or say that they are equal."),
        ({}, "Choose the better one, or say that they are equal."),
    ],
)
def test_a_program_is_told_what_is_no_answer(at_desk, project, answer, sentence):
    make.task(project)
    question = api(at_desk, "next/").json()["question"]
    response = api(at_desk, f"assignments/{question['id']}/answer/", {"answer": answer, "key": "k"})
    assert response.status_code == 422
    assert response.json() == {"detail": sentence}
    assert not Annotation.objects.exists()


def test_a_program_skips_and_holds(at_desk, project):
    make.task(project)
    question = api(at_desk, "next/").json()["question"]
    assert api(at_desk, f"assignments/{question['id']}/hold/").status_code == 204
    assert api(at_desk, f"assignments/{question['id']}/skip/").status_code == 204
    response = api(at_desk, f"assignments/{question['id']}/hold/")
    assert response.status_code == 410
    assert api(at_desk, "next/").json() == {"question": None, "notice": ""}


def test_a_program_asks_in_one_queue(at_desk, project):
    make.task(project, queue=make.queue(project, "First"))
    second = make.queue(project, "Second")
    make.task(project, queue=second)
    assert api(at_desk, "next/", {"queue": second.pk}).json()["question"]["queue"] == second.pk
    other = make.queue(make.project("other"), "Elsewhere")
    assert api(at_desk, "next/", {"queue": other.pk}).status_code == 404


@pytest.mark.parametrize(
    ("fields", "said", "address"),
    [
        ({"skills": ["language:de"]}, "No queue is open to you", "/p/demo/my-work/"),
        ({"state": "closed", "skills": ["language:de"]}, "No open queue", None),
    ],
)
def test_who_lacks_a_skill_is_told_so(project, at_desk, fields, said, address):
    make.task(project, queue=make.queue(project, **fields))
    page = at_desk.get(DESK).content.decode()
    assert said in page
    assert (f'href="{address}">My work' in page) == bool(address)


@pytest.mark.parametrize(
    ("cap", "said"), [(None, "Nothing left for you in this queue"), (1, "Enough for today")]
)
def test_who_is_done_with_one_queue_goes_on_with_all(project, at_desk, cap, said):
    done = make.task(project, queue=make.queue(project, "Done", daily_cap=cap))
    make.task(project, prompt_text="Another?")
    at_desk.get(f"{DESK}?queue={done.queue_id}")
    if cap:
        make.task(project, queue=done.queue)
    text = text_of(post(at_desk, f"{held().pk}/answer/", choice="0", key="k", queue=done.queue_id))
    assert said in text
    assert f'href="{DESK}">Go on with all queues' in text
    assert "Another?" in text_of(at_desk.get(DESK))
