"""An answer is taken once, and nothing that somebody wrote is lost."""

import pytest
from django.db import DatabaseError, transaction

from annotation.assign import next_assignment
from annotation.correct import AlreadyCorrected, correct
from annotation.models import Annotation, Annotator, Assignment, Draft, Queue
from annotation.skip import skip
from annotation.submit import (
    AlreadyAnswered,
    AlreadySkipped,
    BadAnswer,
    BadKey,
    NotTaken,
    QueueClosed,
    TooLate,
    submit,
)
from tests import make
from tests.together import Other, with_a_transaction_open

FIRST = {"tiers": [["a"], ["b"]]}
SECOND = {"tiers": [["b"], ["a"]], "strength": 2}


@pytest.fixture
def held(project, alice):
    make.task(project)
    return next_assignment(project, alice)


def test_keeps_the_answer_and_what_was_seen(held):
    annotation = submit(held, SECOND, key="k1", seconds=12.5, reason=" It is right. ")
    assert annotation.answer == SECOND
    assert annotation.shown == held.shown
    assert annotation.seconds == 12.5
    assert annotation.reason == "It is right."
    held.refresh_from_db()
    assert held.state == Assignment.State.ANSWERED
    assert held.closed_at == annotation.at
    assert not Draft.objects.exists()


def test_measures_the_time_where_nobody_did(held):
    assert 0 <= submit(held, FIRST, key="k1").seconds < 60


def test_the_same_answer_sent_twice_is_counted_once(held):
    once = submit(held, FIRST, key="k1")
    assert submit(held, FIRST, key="k1") == once
    assert Annotation.objects.count() == 1


def test_answering_twice_is_refused(held):
    submit(held, FIRST, key="k1")
    with pytest.raises(AlreadyAnswered, match="already answered"):
        submit(held, SECOND, key="k2")
    assert Annotation.objects.get().answer == FIRST


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({}, "Choose the better one"),
        ({"tiers": [["a"]]}, "Choose the better one"),
        ({"tiers": [["a"], ["x"]]}, "There is no output “x”"),
        ({"tiers": [["a"], ["b"]], "shoe": 43}, "cannot have “shoe”"),
    ],
)
def test_an_answer_that_is_none_changes_nothing(held, answer, says):
    with pytest.raises(BadAnswer, match=says):
        submit(held, answer, key="k1")
    held.refresh_from_db()
    assert held.state == Assignment.State.HELD
    assert not Annotation.objects.exists()
    assert submit(held, FIRST, key="k1")


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_odd_seconds_are_refused(held, seconds):
    with pytest.raises(BadAnswer, match="seconds"):
        submit(held, FIRST, key="k1", seconds=seconds)


def test_a_key_belongs_to_one_answer(project, held, bob):
    submit(held, FIRST, key="k1")
    make.task(project)
    other = next_assignment(project, bob)
    with pytest.raises(BadKey):
        submit(other, FIRST, key="k1")
    other.refresh_from_db()
    assert other.state == Assignment.State.HELD
    for key in ("", "x" * 65):
        with pytest.raises(BadKey):
            submit(other, FIRST, key=key)


def test_a_slot_that_nobody_took_cannot_be_answered(project):
    make.task(project)
    with pytest.raises(NotTaken):
        submit(Assignment.objects.get(), FIRST, key="k1")


def test_late_but_still_theirs_is_in_time(held):
    make.lapsed(held)
    assert submit(held, FIRST, key="k1")


def test_a_late_answer_takes_a_free_slot(project, alice, bob):
    make.task(project, answers=2)
    mine = next_assignment(project, alice)
    make.lapsed(mine)
    theirs = next_assignment(project, bob)
    assert theirs.pk == mine.pk
    annotation = submit(mine, FIRST, key="k1")
    assert annotation.assignment.pk != mine.pk
    assert annotation.assignment.annotator.user == alice
    assert annotation.shown == mine.shown
    assert submit(theirs, FIRST, key="k2")
    assert not Assignment.objects.exclude(state=Assignment.State.ANSWERED).exists()


def test_a_late_answer_without_a_slot_is_kept_as_a_draft(project, held, alice, bob):
    make.lapsed(held)
    theirs = next_assignment(project, bob)
    with pytest.raises(TooLate, match="is kept"):
        submit(held, SECOND, key="k1", reason="I was slow.", seconds=3.0)
    assert not Annotation.objects.exists()
    draft = Draft.objects.get(annotator__user=alice)
    assert draft.content == {
        "shown": held.shown,
        "answer": SECOND,
        "reason": "I was slow.",
        "seconds": 3.0,
    }
    skip(theirs)
    again = next_assignment(project, alice)
    assert again.shown == held.shown
    assert submit(again, SECOND, key="k1").assignment.annotator.user == alice


def test_whoever_lost_a_slot_and_holds_another_of_the_task_answers_that(project, alice, bob):
    make.task(project, answers=2)
    lost = next_assignment(project, alice)
    make.lapsed(lost)
    next_assignment(project, bob)
    held = next_assignment(project, alice)
    assert held.task == lost.task
    assert submit(lost, FIRST, key="k1").assignment == held


def test_what_one_has_skipped_one_cannot_answer(held):
    skip(held)
    with pytest.raises(AlreadySkipped):
        submit(held, FIRST, key="k1")


def test_a_paused_queue_takes_what_is_under_way_and_a_closed_one_does_not(project, held, bob):
    Queue.objects.update(state=Queue.State.CLOSED)
    with pytest.raises(QueueClosed):
        submit(held, FIRST, key="k1")
    assert Draft.objects.get().content["answer"] == FIRST
    Queue.objects.update(state=Queue.State.PAUSED)
    assert submit(held, FIRST, key="k1")


# --- corrections


def test_a_correction_follows_its_answer_and_both_stay(held):
    given = submit(held, FIRST, key="k1")
    newer = correct(given, SECOND, key="k2", seconds=4.0, reason="I misread.")
    assert newer.supersedes == given
    assert newer.shown == given.shown
    assert newer.reason == "I misread."
    assert list(Annotation.objects.current()) == [newer]
    given.refresh_from_db()
    assert given.answer == FIRST


def test_a_correction_sent_twice_is_counted_once(held):
    given = submit(held, FIRST, key="k1")
    newer = correct(given, SECOND, key="k2")
    assert correct(given, SECOND, key="k2") == newer


def test_an_answer_is_corrected_once_and_then_its_correction_is(held):
    given = submit(held, FIRST, key="k1")
    newer = correct(given, SECOND, key="k2")
    with pytest.raises(AlreadyCorrected):
        correct(given, FIRST, key="k3")
    assert correct(newer, FIRST, key="k3").supersedes == newer


def test_a_correction_that_is_no_answer_changes_nothing(held):
    given = submit(held, FIRST, key="k1")
    with pytest.raises(BadAnswer):
        correct(given, {"tiers": [["a"]]}, key="k2")
    assert list(Annotation.objects.current()) == [given]


def test_a_closed_queue_takes_no_correction(held):
    given = submit(held, FIRST, key="k1")
    Queue.objects.update(state=Queue.State.CLOSED)
    with pytest.raises(QueueClosed):
        correct(given, SECOND, key="k2")


def test_no_answer_is_ever_edited_or_deleted(held):
    given = submit(held, FIRST, key="k1")
    for change in (
        lambda: Annotation.objects.update(answer=SECOND),
        lambda: given.delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


# --- races: a transaction is held open where it matters


@pytest.mark.django_db(transaction=True)
def test_the_same_answer_sent_twice_at_once_is_counted_once(project, alice):
    make.task(project)
    held = next_assignment(project, alice)
    first, second = with_a_transaction_open(
        lambda: submit(held, FIRST, key="k1"), lambda: submit(held, FIRST, key="k1")
    )
    assert first == second
    assert Annotation.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_answers_at_once_one_is_counted(project, alice):
    make.task(project)
    held = next_assignment(project, alice)
    _, second = with_a_transaction_open(
        lambda: submit(held, FIRST, key="k1"), lambda: submit(held, SECOND, key="k2")
    )
    assert isinstance(second, AlreadyAnswered)
    assert Annotation.objects.get().answer == FIRST


@pytest.mark.django_db(transaction=True)
def test_of_two_corrections_at_once_one_is_counted(project, alice):
    make.task(project)
    given = submit(next_assignment(project, alice), FIRST, key="k1")
    _, second = with_a_transaction_open(
        lambda: correct(given, SECOND, key="k2"), lambda: correct(given, SECOND, key="k3")
    )
    assert isinstance(second, AlreadyCorrected)
    assert Annotation.objects.current().get().key == "k2"


@pytest.mark.django_db(transaction=True)
def test_a_lapsed_slot_is_not_taken_from_under_an_answer(project, alice, bob):
    make.task(project)
    held = next_assignment(project, alice)
    Annotator.objects.member(project, bob)
    make.lapsed(held)
    with transaction.atomic():
        submit(held, FIRST, key="k1")
        # Bob need not wait, or he would be told after ten seconds.
        assert Other(lambda: next_assignment(project, bob)).result() is None
    assert Annotation.objects.get().assignment.annotator.user == alice
