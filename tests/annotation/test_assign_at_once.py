"""Many who ask at once: a slot is given once, and nobody waits for somebody else's pick."""

import threading

import pytest
from django.db import transaction

from annotation.assign import next_assignment
from annotation.edit_queue import set_queue_state
from annotation.models import Annotation, Annotator, Assignment, Queue
from annotation.submit import submit
from tests import make
from tests.together import Other, at_once, with_a_transaction_open

pytestmark = pytest.mark.django_db(transaction=True)
TIERS = {"tiers": [["a"], ["b"]]}
PEOPLE = 32
TASKS = 500
OVERLAP = 3


def test_two_who_ask_at_once_get_two_slots(project, alice, bob):
    make.task(project)
    make.task(project)
    with transaction.atomic():
        first = next_assignment(project, alice)
        # The transaction stays open while Bob picks: he must not wait for it, nor see it.
        second = Other(lambda: next_assignment(project, bob)).result()
    assert first != second


def test_one_person_in_two_tabs_holds_one_slot(project, alice):
    make.task(project, answers=2)
    make.task(project, answers=2)
    Annotator.objects.member(project, alice)
    first, second = with_a_transaction_open(
        lambda: next_assignment(project, alice), lambda: next_assignment(project, alice)
    )
    assert first == second
    assert Assignment.objects.filter(state=Assignment.State.HELD).count() == 1


def test_a_paused_queue_gives_no_question_any_more(project, alice, clara):
    """Whoever pauses it waits for those who are being served."""
    queue = make.task(project).queue
    make.task(project)
    Annotator.objects.member(project, alice)
    with_a_transaction_open(
        lambda: next_assignment(project, alice),
        lambda: set_queue_state(queue, Queue.State.PAUSED, actor=clara),
    )
    queue.refresh_from_db()
    assert queue.state == Queue.State.PAUSED


def test_32_people_over_500_tasks_of_3_answers(project):
    queue = make.queue(project, overlap=OVERLAP)
    made = [make.task(project, queue=queue, answers=OVERLAP) for _ in range(TASKS)]
    people = [make.member(project, f"person{number}") for number in range(PEOPLE)]
    everyone_has_picked = threading.Barrier(PEOPLE, timeout=30)

    def work(person):
        with transaction.atomic():
            first = next_assignment(project, person)
            # Nobody's pick is committed before everybody has picked. Without the row lock all
            # of them stand before the same row, one gets on, and the barrier breaks.
            everyone_has_picked.wait()
        assignment = first
        while assignment:
            submit(assignment, TIERS, key=f"{person.pk}-{assignment.pk}")
            assignment = next_assignment(project, person)

    at_once(*(lambda person=person: work(person) for person in people))

    answers = Annotation.objects.values_list("assignment__task_id", "assignment__annotator_id")
    assert len(answers) == TASKS * OVERLAP
    assert len(set(answers)) == TASKS * OVERLAP, "somebody answered a task twice"
    by_task = [task for task, _ in answers]
    assert all(by_task.count(task.pk) == OVERLAP for task in made)
    assert not Assignment.objects.exclude(state=Assignment.State.ANSWERED).exists()
