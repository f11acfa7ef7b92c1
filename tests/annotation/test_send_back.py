"""Asking others, sending back, and asking again: what reviewers do instead of settling."""

import pytest
from django.db import connection, transaction
from django.utils import timezone

from annotation.adjudicate import (
    CannotBeSettled,
    ClosedForThem,
    ask_another,
    leave_as_it_is,
    reopen,
    send_back,
    settlement_of,
)
from annotation.ask_again import ask_again
from annotation.assign import next_assignment
from annotation.correct import correct
from annotation.find_disputes import find_disputes
from annotation.models import Annotator, Assignment, Comment, Dispute, Queue, Return, Standing
from annotation.stand_by import NotSentBack, stand_by
from annotation.submit import submit
from annotation.weigh_disputes import weigh_disputes
from tests import make
from tests.annotation.disputes import A, B, answered, disputed, rows, settled, state_of
from tests.together import Other
from truing.errors import Invalid
from truing.models import Membership
from truing.remove_member import remove_member


@pytest.fixture
def differing(project, alice, bob):
    """Alice and Bob answered, each otherwise."""
    queue = make.queue(project, overlap=2)
    task = make.task(project, queue=queue, answers=2)
    return task, answered(project, alice, A), answered(project, bob, B)


def test_one_more_person_is_asked(project, differing, rita):
    task, *_ = differing
    ask_another(task, actor=rita)
    assert state_of(task) == "waiting"
    dora = make.member(project, "dora")
    answered(project, dora, A)
    find_disputes(project)
    assert state_of(task) == "open"
    assert Dispute.objects.get().answers == 3


def test_sent_back_it_waits_for_who_answered(project, differing, alice, bob, rita):
    task, of_alice, of_bob = differing
    send_back(task, [of_alice.pk], text="Read the second to its end.", actor=rita)
    assert state_of(task) == "waiting"
    assert Annotator.objects.get(user=alice).sent_back == 1
    assert Annotator.objects.get(user=bob).sent_back == 0
    find_disputes(project)
    assert state_of(task) == "waiting"
    correct(of_alice, B, key="corrected")
    assert Annotator.objects.get(user=alice).sent_back == 0
    assert Return.objects.get().state == "corrected"
    assert state_of(task) == "agreed"


def test_who_stands_by_it_says_so(project, differing, alice, rita):
    task, of_alice, _ = differing
    send_back(task, [of_alice.pk], text="Look again.", actor=rita)
    stand_by(of_alice, text="I did.", actor=alice)
    assert (Return.objects.get().state, state_of(task)) == ("kept", "open")
    assert [one.text for one in Comment.objects.order_by("pk")] == ["Look again.", "I did."]
    with pytest.raises(NotSentBack):
        stand_by(of_alice, actor=alice)


def test_what_was_sent_back_to_who_left_waits_no_more(project, differing, alice, rita):
    task, of_alice, of_bob = differing
    send_back(task, [of_alice.pk], text="Look again.", actor=rita)
    weigh_disputes([task.pk])
    assert state_of(task) == "waiting"
    remove_member(Membership.objects.get(user=alice), actor=None)
    weigh_disputes([task.pk])
    assert state_of(task) == "open"
    with pytest.raises(Invalid, match="somebody has left"):
        send_back(task, [of_alice.pk, of_bob.pk], text="Look again.", actor=rita)
    assert Return.objects.count() == 1


def test_in_a_closed_queue_nothing_waits(project, differing, rita):
    task, of_alice, _ = differing
    send_back(task, [of_alice.pk], text="Look again.", actor=rita)
    ask_another(task, actor=rita)
    Queue.objects.update(state="closed")
    weigh_disputes([task.pk])
    assert state_of(task) == "open"


def test_what_cannot_be_settled_is_in_no_dispute(project, rita):
    task = make.task(project, type="demonstration", outputs=())
    given = submit(next_assignment(project, make.member(project)), {"text": "So."}, key="k")
    for attempt in (
        lambda: leave_as_it_is(task, actor=rita),
        lambda: ask_another(task, actor=rita),
        lambda: send_back(task, [given.pk], text="Look again.", actor=rita),
        lambda: reopen(task, reason="No.", replaces=None, actor=rita),
    ):
        with pytest.raises(CannotBeSettled):
            attempt()
    assert not Dispute.objects.exists()


def test_settled_meanwhile_nobody_is_to_look_again(project, differing, alice, rita):
    task, of_alice, _ = differing
    send_back(task, [of_alice.pk], text="Look again.", actor=rita)
    settled(task, rita)
    assert (Return.objects.get().state, Annotator.objects.get(user=alice).sent_back) == ("over", 0)


def test_what_is_sent_back_are_answers_to_this_question_that_stand(project, differing, rita):
    task, of_alice, _ = differing
    other = disputed(project)
    with pytest.raises(Invalid, match="Choose answers"):
        send_back(other, [of_alice.pk], text="Look.", actor=rita)
    with pytest.raises(Invalid, match="came with a file"):
        send_back(other, [other.assignments.first().annotations.get().pk], text="x", actor=rita)
    with pytest.raises(Invalid, match="Say what"):
        send_back(task, [of_alice.pk], text=" ", actor=rita)
    Queue.objects.update(state="closed")
    with pytest.raises(ClosedForThem):
        send_back(task, [of_alice.pk], text="Look.", actor=rita)


def test_left_as_it_is_it_comes_back_with_another_answer(project, rita):
    task = disputed(project)
    leave_as_it_is(task, note="A matter of taste.", actor=rita)
    find_disputes(project)
    assert state_of(task) == "left"
    make.vote(task, "b", "a", by="another")
    find_disputes(project)
    assert state_of(task) == "open"


@pytest.mark.django_db(transaction=True)
def test_a_correction_and_a_settlement_at_once_do_not_lock_each_other_out(
    project, differing, rita, alice
):
    task, of_alice, _ = differing
    send_back(task, [of_alice.pk], text="Look again.", actor=rita)
    with transaction.atomic():
        settled(task, rita)
        other = Other(lambda: correct(of_alice, B, key="corrected"))
        other.waits()
    other.result()
    assert Return.objects.get().state == "over"
    assert Annotator.objects.get(user=alice).sent_back == 0


def test_weighing_costs_the_same_with_more_tasks(project, django_assert_num_queries):
    from django.test.utils import CaptureQueriesContext

    def queries(number):
        tasks = [disputed(project).pk for _ in range(number)]
        with CaptureQueriesContext(connection) as seen:
            weigh_disputes(tasks)
        return len(seen)

    assert queries(2) == queries(20)


# --- a new round


def test_the_newest_round_counts_once_somebody_has_answered_in_it(project, alice, clara):
    task = disputed(project, "ba", "ba", queue=make.queue(project))
    ask_again(task.queue, [task.pk], actor=clara)
    assert rows(project)[0]["chosen"] == "two"
    answered(project, alice, A)
    [row] = rows(project)
    assert (row["chosen"], row["votes"]) == ("one", 1)


def test_a_new_round_outweighs_what_was_settled_before(project, alice, rita, clara):
    task = disputed(project, "ba", "ba", queue=make.queue(project))
    settled(task, rita, B)
    ask_again(task.queue, [task.pk], actor=clara)
    assert settlement_of(task)
    answered(project, alice, A)
    assert settlement_of(task) is None
    assert rows(project)[0]["chosen"] == "one"
    settled(task, rita, B)
    assert Assignment.objects.filter(purpose="adjudication").count() == 2
    assert rows(project)[0]["chosen"] == "two"


def test_what_is_left_out_of_merges_makes_no_new_round(project, alice, clara):
    task = disputed(project, "ba", "ba", queue=make.queue(project))
    ask_again(task.queue, [task.pk], actor=clara)
    answered(project, alice, A)
    who = Annotator.objects.get(user=alice)
    Standing.objects.update_or_create(
        queue=task.queue, annotator=who, defaults={"left_out_at": timezone.now()}
    )
    assert rows(project)[0]["chosen"] == "two"


def test_asked_again_the_new_round_is_what_is_wanted(project, clara):
    from annotation.edit_queue import edit_queue

    queue = make.queue(project, overlap=2)
    task = disputed(project, "ab", queue=queue)
    Assignment.objects.create(task=task, queue=queue)
    ask_again(queue, [task.pk], actor=clara)
    rounds = Assignment.objects.free().values_list("round", flat=True)
    assert list(rounds) == [2, 2]
    edit_queue(queue, overlap=3, actor=clara)
    assert list(rounds.all()) == [2, 2, 2]
    edit_queue(queue, overlap=1, actor=clara)
    assert list(rounds.all()) == [2]
