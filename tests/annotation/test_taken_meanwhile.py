"""Somebody is taking a slot at this very moment, while another changes what is asked."""

import pytest
from django.db import transaction

from annotation.adjudicate import settle
from annotation.ask import ask
from annotation.ask_again import ask_again
from annotation.assign import next_assignment
from annotation.correct import correct
from annotation.create_queue import create_queue
from annotation.flag import decide, flag
from annotation.models import Annotator, Assignment, Flag, Output, Task
from annotation.skip import skip
from annotation.submit import submit
from tests import make
from tests.together import Other, crossing, wait_until_waiting

pytestmark = pytest.mark.django_db(transaction=True)
A = {"tiers": [["a"], ["b"]]}


def taken_while(project, user, change):
    """What somebody has taken when `change` begins, and nobody else can see yet."""
    Annotator.objects.member(project, user)
    with transaction.atomic():
        taken = next_assignment(project, user)
        other = Other(change)
        wait_until_waiting()
    other.result()
    return taken


@pytest.fixture
def disputed(project):
    """Two disagree, and a third is asked."""
    task = make.task(project, queue=make.queue(project, overlap=3), answers=1)
    make.vote(task, "a", "b", by="w1")
    make.vote(task, "b", "a", by="w2")
    return task


@pytest.fixture
def behind_a_check(disputed):
    """Whoever comes gets a check in place of the third answer, which is asked for in a new row."""
    queue = disputed.queue
    queue.gold_share = 1.0
    queue.save()
    make.task(queue.project, queue=queue, answers=0, gold=A)
    return disputed


def waiting_in(task):
    return list(
        task.assignments.filter(state=Assignment.State.FREE).values_list("round", flat=True)
    )


def settled(task, rita):
    return lambda: settle(task, A, reason="So.", key="settled", replaces=None, actor=rita)


def test_who_has_it_while_it_is_settled_may_answer_it(project, alice, rita, disputed):
    held = taken_while(project, alice, settled(disputed, rita))
    assert held.task == disputed
    assert submit(held, A, key="k")


def test_what_made_way_for_a_check_is_settled(project, alice, rita, behind_a_check):
    check = taken_while(project, alice, settled(behind_a_check, rita))
    assert check.purpose == Assignment.Purpose.GOLD
    assert waiting_in(behind_a_check) == []


def test_what_made_way_for_a_check_is_asked_again_in_the_new_round_alone(
    project, alice, behind_a_check
):
    taken_while(
        project, alice, lambda: ask_again(behind_a_check.queue, [behind_a_check.pk], actor=None)
    )
    assert waiting_in(behind_a_check) == [2, 2, 2]


def test_what_made_way_for_a_check_is_not_for_anyone(project, alice, bob, behind_a_check):
    flagged_by = Annotator.objects.member(project, bob)
    for person in (alice, bob):
        Annotator.objects.member(project, person)
    with transaction.atomic():
        check = next_assignment(project, alice)
        Other(lambda: flag(behind_a_check, flagged_by)).result()  # it waits for nobody
    assert check.purpose == Assignment.Purpose.GOLD
    behind_a_check.queue.tasks.update(gold=None)
    assert next_assignment(project, bob) is None
    decide(Flag.objects.get(), put_back=True, actor=None)
    assert next_assignment(project, bob).task == behind_a_check


def test_what_is_let_go_when_it_is_taken_out_is_not_for_anyone(project, alice, bob):
    make.task(project, queue=make.queue(project, overlap=2), answers=2)
    one, two = next_assignment(project, alice), next_assignment(project, bob)
    with transaction.atomic():
        skip(one)
        other = Other(lambda: skip(two, meaning="nobody"))
        other.waits()
    other.result()
    carol = make.member(project, "carol")
    assert next_assignment(project, carol) is None


def test_a_late_answer_is_taken_while_another_takes_the_question_out(project, alice, bob):
    """It holds the slot and wants the task, to see whether the answers are certain enough."""
    task = make.task(project, queue=make.queue(project, overlap=2, most_answers=3), answers=2)
    crossing(
        lambda: list(task.assignments.select_for_update(no_key=True)),
        lambda: flag(task, Annotator.objects.member(project, bob)),
        lambda: Task.objects.select_for_update(no_key=True).get(pk=task.pk),
    )


def test_who_validates_a_text_while_it_is_corrected_may_answer(project, alice, bob):
    writing = create_queue(project, name="Write", type="demonstration", actor=None)
    gate = create_queue(project, name="Validate", type="validate", actor=None)
    prompt = make.prompt(project)
    ask(writing, prompt, [])
    given = submit(next_assignment(project, alice), {"text": "Green."}, key="written")
    ask(gate, prompt, [Output.objects.get()])
    held = taken_while(project, bob, lambda: correct(given, {"text": "Blue."}, key="corrected"))
    assert submit(held, {"verdict": "accept"}, key="k")
