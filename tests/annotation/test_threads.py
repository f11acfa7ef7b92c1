"""Conversations between reviewers and annotators: who reads what, and when."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.adjudicate import send_back
from annotation.ask_again import ask_again
from annotation.assign import next_assignment
from annotation.comment import NotTheirs, comment
from annotation.export_feedback import export_feedback
from annotation.feedback_line import read_line
from annotation.flag import flag
from annotation.models import Annotator, Assignment, Comment, Return, Task
from annotation.store_lines import store_lines
from annotation.submit import submit
from tests import make
from tests.annotation.disputes import A, disputed
from tests.annotation.pages import get, post, text_of
from truing.models import Membership
from truing.remove_member import remove_member


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


def test_a_file_tells_only_those_who_have_answered(project, client, alice, bob):
    task = make.task(project, answers=2)
    of_alice = submit(next_assignment(project, alice), A, key="a").assignment.annotator
    of_bob = Annotator.objects.member(project, bob)
    [line] = export_feedback(project)
    said = {"by": "w9", "text": "Why so?", "at": "2026-01-02T03:04:05Z"}
    line["comments"] = [{**said, "with": one.pseudonym} for one in (of_alice, of_bob)]
    assert store_lines(project, [(1, read_line(line))], queue=None, actor=None).refused == []
    assert Comment.objects.count() == 2

    def unread():
        found = Annotator.objects.filter(pk__in=[of_alice.pk, of_bob.pk]).order_by("pk")
        return list(found.values_list("unread", flat=True))

    assert unread() == [1, 0]
    assert "Why so?" in get(client, alice, "my_work").content.decode()
    assert "Why so?" not in get(client, bob, "my_work").content.decode()
    # Nor does it count when they have read what else was written to them.
    other = make.task(project, queue=task.queue)
    Assignment.objects.filter(task=other).update(annotator=of_bob, state="answered")
    comment(other, "And this?", annotator=of_bob, actor=make.member(project, "ruth", "REVIEWER"))
    assert unread() == [1, 1]
    get(client, bob, "my_thread", other.pk)
    assert unread() == [1, 0]
    # When they have answered, they read it.
    submit(next_assignment(project, bob), A, key="b")
    assert "Why so?" in get(client, bob, "my_thread", task.pk).content.decode()


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
    assert "Read it to its <em>end</em>." in again
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
