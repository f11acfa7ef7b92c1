"""The pages of adjudication and conversations: who sees what, and what they do."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.adjudicate import send_back, settle, settlement_of, take_dispute
from annotation.ask_again import ask_again
from annotation.assign import next_assignment
from annotation.comment import NotTheirs, comment
from annotation.find_disputes import find_disputes
from annotation.flag import flag
from annotation.models import (
    Annotation,
    Annotator,
    Assignment,
    Comment,
    Dispute,
    Guideline,
    Queue,
    Return,
    Task,
)
from annotation.opt_in import opt_in
from annotation.submit import submit
from annotation.task_types import TASK_TYPES
from tests import make
from truing.models import Event, Membership
from truing.remove_member import remove_member

A, B = {"tiers": [["a"], ["b"]]}, {"tiers": [["b"], ["a"]]}


def get(client, person, name, *args, **values):
    client.force_login(person)
    return client.get(reverse(name, args=["demo", *args]), values)


def post(client, person, name, *args, **values):
    client.force_login(person)
    return client.post(reverse(name, args=["demo", *args]), values)


def text_of(response):
    return re.sub(r"\s+", " ", response.content.decode())


def disputed(project, text="Why is the sky blue?"):
    task = make.task(project, answers=0, prompt_text=text)
    make.vote(task, "a", "b", by="w1")
    make.vote(task, "b", "a", by="w2")
    return task


@pytest.fixture
def differing(project, alice, bob):
    """Alice and Bob answered, each otherwise."""
    task = make.task(project, queue=make.queue(project, overlap=2), answers=2)
    given = [
        submit(next_assignment(project, person), answer, key=person.name, reason=f"{person.name}!")
        for person, answer in ((alice, A), (bob, B))
    ]
    return task, *given


# --- the list


def test_the_list_shows_what_is_in_dispute(project, rita, client):
    task = disputed(project)
    make.vote(make.task(project, answers=0), "a", "b", by="w1")
    page = text_of(get(client, rita, "disputes"))
    assert "Why is the sky blue?" in page
    assert reverse("dispute", args=["demo", task.pk]) in page


def test_the_list_costs_the_same_with_more_disputes(project, rita, client):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert get(client, rita, "disputes").status_code == 200
        return len(seen)

    disputed(project)
    queries()
    few = queries()
    for number in range(40):
        disputed(project, f"Question {number}?")
    queries()
    assert queries() <= few
    assert "page=2" in text_of(get(client, rita, "disputes"))
    assert get(client, rita, "disputes", page=2).status_code == 200


def test_filters_by_queue_and_state(project, rita, client):
    task = disputed(project)
    other = make.queue(project, "Another")
    assert "Why is the sky" not in text_of(get(client, rita, "disputes", queue=other.pk))
    settle(task, A, reason="So.", key="s", replaces=None, actor=rita)
    assert "Why is the sky" not in text_of(get(client, rita, "disputes"))
    assert "Why is the sky" in text_of(get(client, rita, "disputes", state="settled"))


def test_next_goes_to_the_worst_that_is_free_and_not_ones_own(project, rita, owen, client):
    Assignment.objects.all().delete()
    first, second = disputed(project), disputed(project, "Another?")
    get(client, rita, "disputes")
    take_dispute(first, owen)
    response = get(client, rita, "dispute_next")
    assert response.headers["Location"] == reverse("dispute", args=["demo", second.pk])
    take_dispute(second, owen)
    assert get(client, rita, "dispute_next").headers["Location"] == reverse(
        "disputes", args=["demo"]
    )


# --- the desk of one dispute


def test_next_goes_on_also_while_one_has_something_else_in_hand(project, rita, client):
    task = disputed(project)
    make.task(project, type="prompt_writing", outputs=())
    Task.objects.filter(queue__type="prompt_writing").update(prompt=None)
    assert next_assignment(project, rita)
    assert find_disputes(project)
    assert get(client, rita, "dispute_next").headers["Location"].endswith(f"/{task.pk}/")


def test_next_passes_over_what_one_may_not_see(project, rita, client):
    """Else it would lead there, be refused, and lead there again."""
    make.task(project, queue=make.queue(project, overlap=3), answers=2, prompt_text="Mine?")
    slot = next_assignment(project, rita)
    Assignment.objects.filter(pk=slot.pk).update(held_until="2020-01-01T00:00Z")
    for number in (1, 2):
        make.vote(slot.task, *("ab", "ba")[number - 1], by=f"w{number}")
    other = disputed(project)
    make.vote(other, "a", "b", by="w3")
    assert find_disputes(project)
    assert get(client, rita, "dispute_next").headers["Location"].endswith(f"/{other.pk}/")


def test_what_is_harmful_is_only_gone_on_to_by_who_chose_it(project, rita, client):
    task = disputed(project, text="How does one hurt somebody?")
    Queue.objects.update(sensitive=["violence"], harmful=["violence"])
    Task.objects.update(categories=["violence"])
    assert find_disputes(project)
    assert get(client, rita, "dispute_next").headers["Location"].endswith("/adjudicate/")
    page = text_of(get(client, rita, "disputes"))
    assert "Sensitive content: violence" in page
    assert "hurt somebody" not in page
    assert "data-veiled" in text_of(get(client, rita, "dispute", task.pk))
    opt_in(Annotator.objects.member(project, rita), "violence")
    assert get(client, rita, "dispute_next").headers["Location"].endswith(f"/{task.pk}/")


def test_lists_of_conversations_do_not_say_what_is_sensitive(
    project, clara, alice, client, differing
):
    task, *_ = differing
    Task.objects.update(categories=["violence"])
    me = Annotator.objects.member(project, alice)
    flag(task, me, reason="Really?")
    comment(task, "Why?", annotator=me, actor=clara)
    for person, name in ((alice, "my_work"), (clara, "threads"), (clara, "flags")):
        page = text_of(get(client, person, name))
        assert "Sensitive content: violence" in page, name
        assert task.prompt.text not in page, name


def test_who_has_left_is_not_written_to(project, rita, alice, client, differing):
    task, *_ = differing
    assert text_of(get(client, rita, "dispute", task.pk)).count("They read this, and no other") == 2
    remove_member(Membership.objects.get(user=alice), actor=None)
    page = text_of(get(client, rita, "dispute", task.pk))
    assert page.count("They read this, and no other") == 1
    assert page.count("They have left this project") == 1
    assert page.count('name="annotation"') == 1


def test_shows_everybodys_answer_with_what_stood_before_them(project, rita, client, differing):
    task, of_alice, _ = differing
    old = Guideline.objects.create(queue=task.queue, number=1, text="Be kind.")
    Guideline.objects.create(queue=task.queue, number=2, text="Be fair.")
    Assignment.objects.filter(pk=of_alice.assignment_id).update(guideline=old)
    page = text_of(get(client, rita, "dispute", task.pk))
    for said in ("alice!", "bob!", "under guideline 1: what has changed", "1 of 2"):
        assert said in page, said
    changes = text_of(get(client, rita, "guideline_diff", task.queue_id, **{"from": 1}))
    assert "<del>kind.</del>" in changes
    assert "<ins>fair.</ins>" in changes


@pytest.mark.parametrize("name", [name for name, one in TASK_TYPES.items() if one.can_be_settled])
def test_the_form_is_that_of_the_task_type(project, rita, client, name):
    from tests.browser.every_type import task_of

    task = task_of(project, name)
    given = TASK_TYPES[name].example_answer
    for who in ("w1", "w2"):
        person = make.annotator(project, who)
        slot = Assignment.objects.create(
            task=task, queue=task.queue, annotator=person, state="answered", purpose="import"
        )
        Annotation.objects.create(assignment=slot, answer=given, key=who)
    page = get(client, rita, "dispute", task.pk)
    assert page.status_code == 200
    assert f'data-type="{name}"' in text_of(page)


def test_it_costs_the_same_with_more_people(project, rita, client):
    task = disputed(project)

    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert get(client, rita, "dispute", task.pk).status_code == 200
        return len(seen)

    queries()
    few = queries()
    for number in range(12):
        make.vote(task, "a", "b", by=f"more{number}")
        comment(task, "Hm.", annotator=Annotator.objects.get(name=f"more{number}"), actor=rita)
    queries()
    assert queries() <= few


def test_settles_by_what_the_page_posts_and_goes_on(project, rita, client):
    first, second = disputed(project), disputed(project, "Another?")
    get(client, rita, "disputes")
    page = get(client, rita, "dispute", first.pk)
    key = re.search(r'name="key" value="(\w+)"', page.content.decode()).group(1)
    place = [output.text for output in page.context["question"].outputs].index("two")
    response = post(
        client,
        rita,
        "dispute_settle",
        first.pk,
        choice=str(place),
        key=key,
        reason="The second says more.",
        seconds="3",
        replaces="",
    )
    assert response.headers["Location"] == reverse("dispute", args=["demo", second.pk])
    given = settlement_of(first)
    assert given.answer["tiers"] == [["b"], ["a"]]
    assert given.reason == "The second says more."
    assert "settled it" in text_of(get(client, rita, "dispute", first.pk))


def test_settled_again_it_is_read_in_the_order_of_the_first(project, rita, owen, client):
    task = disputed(project)
    given = settle(task, A, reason="So.", key="s", replaces=None, actor=rita)
    page = get(client, owen, "dispute", task.pk)
    texts = [output.text for output in page.context["question"].outputs]
    post(
        client,
        owen,
        "dispute_settle",
        task.pk,
        choice=str(texts.index("two")),
        key="again",
        reason="No.",
        replaces=str(given.pk),
    )
    assert settlement_of(task).answer["tiers"] == [["b"], ["a"]]


def test_who_comes_second_reads_along(project, rita, owen, client):
    task = disputed(project)
    get(client, rita, "dispute", task.pk)
    page = text_of(get(client, owen, "dispute", task.pk))
    assert "rita has this question before them now" in page
    response = post(
        client, owen, "dispute_settle", task.pk, choice="0", key="k", reason="So.", replaces=""
    )
    assert response.status_code == 409
    assert post(client, owen, "dispute_hold", task.pk).status_code == 410
    assert post(client, rita, "dispute_hold", task.pk).status_code == 204


def test_decides_otherwise(project, rita, client, differing):
    task, of_alice, _ = differing
    get(client, rita, "dispute", task.pk)
    post(
        client,
        rita,
        "dispute_decide",
        task.pk,
        decision="send_back",
        text="Look again.",
        annotation=of_alice.pk,
    )
    assert Return.objects.get().annotation == of_alice
    post(client, rita, "dispute_decide", task.pk, decision="ask")
    assert Assignment.objects.free().count() == 1
    post(client, rita, "dispute_decide", task.pk, decision="leave", text="Taste.")
    assert Dispute.objects.get().state == "left"
    given = settle(task, A, reason="So.", key="s", replaces=None, actor=rita)
    post(
        client,
        rita,
        "dispute_decide",
        task.pk,
        decision="reopen",
        text="Too fast.",
        replaces=given.pk,
    )
    assert settlement_of(task) is None
    verbs = set(Event.objects.values_list("verb", flat=True))
    assert {"task.send_back", "task.ask_another", "task.leave", "task.settle", "task.reopen"} <= (
        verbs
    )


def test_what_one_is_asked_is_not_shown(project, rita, client, differing):
    task, *_ = differing
    Assignment.objects.create(task=task, queue=task.queue)
    next_assignment(project, rita)
    response = get(client, rita, "dispute", task.pk)
    assert response.status_code == 409
    assert "alice!" not in text_of(response)


def test_what_people_wrote_is_talked_about_and_not_settled(project, rita, client):
    task = make.task(project, type="demonstration", outputs=(), answers=0)
    person = make.annotator(project, "author")
    slot = Assignment.objects.create(
        task=task, queue=task.queue, annotator=person, state="answered", purpose="import"
    )
    Annotation.objects.create(assignment=slot, answer={"text": "Blue."}, key="d")
    page = text_of(get(client, rita, "dispute", task.pk))
    assert "there is nothing to settle" in page
    assert reverse("dispute_settle", args=["demo", task.pk]) not in page


# --- threads


def test_an_annotator_reads_and_answers_their_own_thread_alone(
    project, rita, alice, bob, client, differing
):
    task, *_ = differing
    of = {person.name: Annotator.objects.get(user=person) for person in (alice, bob)}
    post(client, rita, "task_comment", task.pk, text="Among us: *both* are odd.")
    post(client, rita, "task_comment", task.pk, text="To alice.", annotator=of["alice"].pk)
    post(client, rita, "task_comment", task.pk, text="To bob.", annotator=of["bob"].pk)
    assert "1 new comment" in text_of(get(client, alice, "desk"))
    assert "To alice." in text_of(get(client, alice, "my_work"))
    page = text_of(get(client, alice, "my_thread", task.pk))
    assert "To alice." in page
    for hidden in ("Among us", "To bob.", "bob!", "rita"):
        assert hidden not in page, hidden
    assert "new comment" not in text_of(get(client, alice, "desk"))
    post(client, alice, "my_thread", task.pk, text="I see.", action="write")
    listed = text_of(get(client, rita, "threads"))
    assert "I see." in listed
    assert "1 new" in listed
    shown = text_of(get(client, rita, "dispute", task.pk))
    assert "<em>both</em>" in shown
    assert "1 new" not in text_of(get(client, rita, "threads"))


def test_whoever_has_not_answered_finds_nothing(project, rita, client, differing):
    task, *_ = differing
    dora = make.member(project, "dora")
    assert get(client, dora, "my_thread", task.pk).status_code == 404
    # Nor while it is before them for the first time.
    Assignment.objects.create(task=task, queue=task.queue)
    next_assignment(project, dora)
    assert get(client, dora, "my_thread", task.pk).status_code == 404
    with pytest.raises(NotTheirs):
        comment(task, "Hint.", annotator=Annotator.objects.get(user=dora), actor=rita)


def test_asked_again_one_reads_on_only_after_the_answer(
    project, rita, alice, clara, client, differing
):
    task, *_ = differing
    comment(task, "Bob is right.", annotator=Annotator.objects.get(user=alice), actor=rita)
    ask_again(task.queue, [task.pk], actor=clara)
    assert next_assignment(project, alice).task == task
    response = get(client, alice, "my_thread", task.pk)
    assert response.status_code == 409
    for page in (response, get(client, alice, "my_work"), get(client, alice, "desk")):
        assert "Bob is right." not in text_of(page)
    submit(next_assignment(project, alice), A, key="anew")
    assert "Bob is right." in text_of(get(client, alice, "my_thread", task.pk))


def test_a_comment_is_sanitised_and_bounded(project, rita, alice, client, differing):
    task, *_ = differing
    me = Annotator.objects.get(user=alice)
    post(client, rita, "task_comment", task.pk, text="<script>bad()</script>x", annotator=me.pk)
    page = get(client, alice, "my_thread", task.pk).content.decode()
    assert "<script>bad()" not in page
    for text in ("", " ", "x" * 10_001):
        assert post(client, rita, "task_comment", task.pk, text=text).status_code == 422
    assert Comment.objects.count() == 1


def test_comments_are_never_changed(project, rita):
    from django.db import IntegrityError, transaction

    made = comment(disputed(project), "So.", actor=rita)
    with pytest.raises(IntegrityError), transaction.atomic():
        Comment.objects.filter(pk=made.pk).update(text="Otherwise.")


def test_an_answer_that_was_sent_back_is_corrected_or_kept(project, rita, alice, client, differing):
    task, of_alice, _ = differing
    send_back(task, [of_alice.pk], text="Read it to its *end*.", actor=rita)
    assert "1 sent back to you" in text_of(get(client, alice, "desk"))
    rows = text_of(get(client, alice, "last_answers"))
    assert "Sent back" in rows
    again = text_of(get(client, alice, "correct_answer", of_alice.pk))
    assert "Read it to its *end*." in again
    assert reverse("my_thread", args=["demo", task.pk]) in again
    page = text_of(get(client, alice, "my_thread", task.pk))
    assert "I stand by my answer" in page
    assert "bob!" not in page
    post(client, alice, "my_thread", task.pk, action="keep", text="I did.")
    assert Return.objects.get().state == "kept"
    assert "sent back to you" not in text_of(get(client, alice, "desk"))


def test_a_step_at_the_desk_costs_no_more_for_what_was_sent_back(
    project, rita, alice, client, differing
):
    task, of_alice, _ = differing

    def queries():
        task = make.task(project)
        slot = next_assignment(project, alice)
        make.task(project)
        address = reverse("answer", args=["demo", slot.pk])
        values = {"key": f"k{task.pk}", "choice": "0"}
        client.force_login(alice)
        with CaptureQueriesContext(connection) as seen:
            client.post(address, values, headers={"HX-Request": "true"})
        return len(seen)

    queries()
    before = queries()
    send_back(task, [of_alice.pk], text="Look again.", actor=rita)
    assert queries() == before


def test_flags_show_what_was_said_with_who_raised_them(project, clara, alice, client, differing):
    task, *_ = differing
    me = Annotator.objects.get(user=alice)
    flag(task, me, reason="Both are Greek.")
    post(
        client, clara, "task_comment", task.pk, text="Which?", annotator=me.pk, **{"from": "flags"}
    )
    page = text_of(get(client, clara, "flags"))
    assert "Which?" in page

    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert get(client, clara, "flags").status_code == 200
        return len(seen)

    few = queries()
    for number in range(5):
        more = make.task(project)
        flag(more, me, reason=str(number))
        comment(more, "Why?", annotator=me, actor=clara)
    assert queries() <= few


def test_lists_of_threads_cost_the_same_with_more_of_them(project, rita, alice, client, differing):
    task, *_ = differing
    me = Annotator.objects.get(user=alice)

    def queries(person, name):
        with CaptureQueriesContext(connection) as seen:
            assert get(client, person, name).status_code == 200
        return len(seen)

    comment(task, "So?", annotator=me, actor=rita)
    pages = [(rita, "threads"), (alice, "my_work")]
    for pair in pages:
        queries(*pair)
    few = [queries(*pair) for pair in pages]
    for number in range(8):
        make.task(project)
        slot = next_assignment(project, alice)
        submit(slot, A, key=f"more{number}")
        comment(slot.task, "So?", annotator=me, actor=rita)
    assert [queries(*pair) for pair in pages] <= few


# --- asking again what was answered under an old guideline


@pytest.fixture
def old(project, clara, alice):
    """One question answered under guideline 1, one under 2, and 3 is in force."""
    queue = make.queue(project)
    for number in (1, 2):
        Guideline.objects.create(queue=queue, number=number, text=f"Version {number}.")
        make.task(project, queue=queue)
        submit(next_assignment(project, alice), A, key=f"under-{number}")
    Guideline.objects.create(queue=queue, number=3, text="Version 3.")
    return queue


def test_says_how_many_before_it_is_done(old, clara, client):
    page = get(client, clara, "guideline_ask_again", old.pk, 2)
    assert (page.context["found"].tasks, page.context["found"].answers) == (1, 1)
    both = get(client, clara, "guideline_ask_again", old.pk, 2, or_earlier="1")
    assert both.context["found"].tasks == 2
    assert not Assignment.objects.free().exists()
    post(client, clara, "guideline_ask_again", old.pk, 2, why="Be fair.")
    [slot] = Assignment.objects.free()
    assert (slot.round, slot.task.assignments.first().guideline.number) == (2, 2)
    # They are being asked again already.
    assert get(client, clara, "guideline_ask_again", old.pk, 2).context["found"].tasks == 0
    assert Event.objects.get(verb="queue.ask_again").details["why"] == "Be fair."


def test_what_was_answered_again_is_not_asked_a_third_time(project, old, clara, alice, client):
    post(client, clara, "guideline_ask_again", old.pk, 1)
    submit(next_assignment(project, alice), B, key="anew")
    assert get(client, clara, "guideline_ask_again", old.pk, 1).context["found"].tasks == 0


def test_what_a_reviewer_settled_under_the_new_one_stays(project, old, rita, clara, client):
    task = old.tasks.order_by("pk").first()
    settle(task, A, reason="So.", key="s", replaces=None, actor=rita)
    assert get(client, clara, "guideline_ask_again", old.pk, 1).context["found"].tasks == 0


def test_the_version_in_force_is_not_asked_again(old, clara, client):
    assert post(client, clara, "guideline_ask_again", old.pk, 3).status_code == 422
    assert post(client, clara, "guideline_ask_again", old.pk, 9).status_code == 422
    assert not Assignment.objects.free().exists()


# --- programs


@pytest.fixture
def api(client):
    from truing.make_token import make_token

    def call(person, method, path, body=None):
        _, secret = make_token(person, name="test")
        return client.generic(
            method,
            f"/api/projects/demo/{path}",
            data=__import__("json").dumps(body) if body is not None else "",
            content_type="application/json",
            headers={"Authorization": f"Bearer {secret}"},
        )

    return call


def test_programs_settle_and_talk(project, rita, alice, api, differing):
    task, of_alice, _ = differing
    [found] = api(rita, "GET", "disputes/?state=open").json()["results"]
    assert (found["task"], found["answers"]) == (task.pk, 2)
    shown = api(rita, "GET", f"tasks/{task.pk}/dispute/").json()
    assert shown["settled"] is None
    assert len(shown["answers"]) == 2
    body = {"annotations": [of_alice.pk], "text": "Look again."}
    assert api(rita, "POST", f"tasks/{task.pk}/send-back/", body).status_code == 200
    [said] = api(alice, "GET", f"tasks/{task.pk}/comments/").json()["results"]
    assert said["text"] == "Look again."
    reply = api(alice, "POST", f"tasks/{task.pk}/comments/", {"text": "I did."})
    assert reply.json()["by_annotator"] is True
    api(rita, "POST", f"tasks/{task.pk}/comments/", {"text": "Among us."})
    assert len(api(alice, "GET", f"tasks/{task.pk}/comments/").json()["results"]) == 2
    body = {"answer": A, "reason": "So.", "key": "one"}
    given = api(rita, "POST", f"tasks/{task.pk}/settle/", body)
    assert (given.status_code, given.json()["purpose"]) == (201, "adjudication")
    assert api(rita, "POST", f"tasks/{task.pk}/settle/", {**body, "key": "2"}).status_code == 409
    reopen = f"tasks/{task.pk}/reopen/"
    assert api(rita, "POST", reopen, {"reason": "Too fast."}).status_code == 422
    seen = {"reason": "Too fast.", "replaces": given.json()["id"]}
    assert api(rita, "POST", reopen, {**seen, "replaces": 1}).status_code == 409
    reopened = api(rita, "POST", reopen, seen)
    assert reopened.json()["state"] == "open"


def test_programs_ask_again(old, clara, api):
    body = {"guideline": 2, "dry_run": True}
    wanted = {"tasks": 1, "slots": 1, "answers": 1}
    assert api(clara, "POST", f"queues/{old.pk}/ask-again/", body).json() == wanted
    assert not Assignment.objects.free().exists()
    assert api(clara, "POST", f"queues/{old.pk}/ask-again/", {"guideline": 2}).json() == wanted
    assert Assignment.objects.free().count() == 1


def test_commands_ask_again_and_list(project, old, rita, capsys):
    import json

    from django.core.management import call_command

    values = {"project": "demo", "queue": old.name, "guideline": 1, "or_earlier": False}
    call_command("ask_again", **values, dry_run=True, json=True)
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["tasks"] == 1
    call_command("ask_again", **values, json=True)
    assert Assignment.objects.free().count() == 1
    disputed(project)
    call_command("disputes", project="demo", json=True)
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said["states"]["open"] == 1
