"""Who holds a question for how long, and to whom it goes then."""

from datetime import timedelta

from django.utils import timezone

from annotation.assign import HOLD, extend_hold, next_assignment
from annotation.draft import save_draft
from annotation.models import Annotator, Assignment
from annotation.skip import skip
from annotation.submit import submit
from tests import make

TIERS = {"tiers": [["a"], ["b"]]}


def test_a_hold_that_ran_out_goes_to_somebody_else(project, alice, bob):
    make.task(project)
    make.lapsed(next_assignment(project, alice))
    taken = next_assignment(project, bob)
    assert taken.annotator.user == bob
    assert next_assignment(project, alice) is None


def test_a_hold_that_ran_out_comes_back_to_its_holder_first(project, alice):
    make.task(project)
    make.task(project)
    first = next_assignment(project, alice)
    make.lapsed(first)
    again = next_assignment(project, alice)
    assert again == first
    assert again.held_until > timezone.now()


def test_who_lost_a_task_and_gets_it_again_finds_the_draft_and_the_order(project, alice, bob):
    make.task(project, type="ranking", outputs=tuple("vwxyz"))
    first = next_assignment(project, alice)
    save_draft(first, {"answer": {"tiers": [["c"]]}})
    make.lapsed(first)
    taken = next_assignment(project, bob)
    skip(taken)
    again = next_assignment(project, alice)
    assert again != taken
    assert again.shown == first.shown


def test_a_hold_is_extended_only_by_its_holder(project, alice, bob):
    make.task(project)
    assignment = next_assignment(project, alice)
    mine = assignment.annotator
    make.lapsed(assignment)
    assert extend_hold(assignment, mine)
    assert Assignment.objects.get().held_until > timezone.now() + HOLD - timedelta(minutes=1)
    assert not extend_hold(assignment, Annotator.objects.member(project, bob))
    submit(assignment, TIERS, key="k")
    assert not extend_hold(assignment, mine)


def test_a_skipped_task_goes_to_others_and_never_back(project, alice, bob):
    make.task(project)
    assignment = next_assignment(project, alice)
    assert skip(assignment, reason="I cannot read it.").state == Assignment.State.FREE
    assignment.refresh_from_db()
    assert assignment.state == Assignment.State.SKIPPED
    assert assignment.skip_reason == "I cannot read it."
    assert next_assignment(project, alice) is None
    assert next_assignment(project, bob)


def test_skipping_twice_adds_one_slot(project, alice):
    make.task(project)
    assignment = next_assignment(project, alice)
    assert skip(assignment)
    assert skip(assignment) is None
    assert Assignment.objects.count() == 2


def test_skipping_what_another_holds_by_now_changes_nothing(project, alice, bob):
    make.task(project)
    assignment = next_assignment(project, alice)
    make.lapsed(assignment)
    next_assignment(project, bob)
    assert skip(assignment) is None
    assert Assignment.objects.get().annotator.user == bob
