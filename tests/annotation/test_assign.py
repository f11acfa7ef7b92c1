"""Who is asked what, and that a slot is given once."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.assign import next_assignment
from annotation.models import (
    Assignment,
    Bookmark,
    Guideline,
    Queue,
)
from annotation.submit import submit
from tests import make

TIERS = {"tiers": [["a"], ["b"]]}


def test_gives_one_slot_to_one_person(project, alice, bob):
    make.task(project)
    assert next_assignment(project, alice)
    assert next_assignment(project, bob) is None


def test_gives_back_what_one_holds(project, alice):
    make.task(project)
    make.task(project)
    first = next_assignment(project, alice)
    again = next_assignment(project, alice)
    assert again == first
    assert again.shown == first.shown
    assert again.held_until >= first.held_until


def test_gives_the_oldest_first_and_nothing_twice(project, alice):
    tasks = [make.task(project, answers=3) for _ in range(3)]
    met = []
    while assignment := next_assignment(project, alice):
        met.append(assignment.task)
        submit(assignment, TIERS, key=f"key {assignment.pk}")
    assert met == tasks


def test_takes_from_the_oldest_open_queue_of_this_project_alone(project, alice):
    other = make.project("other")
    make.task(other)
    paused = make.queue(project, "Paused", state=Queue.State.PAUSED)
    closed = make.queue(project, "Closed", state=Queue.State.CLOSED)
    make.task(project, queue=paused)
    make.task(project, queue=closed)
    assert next_assignment(project, alice) is None
    task = make.task(project, queue=make.queue(project, "Open"))
    assert next_assignment(project, alice).task == task


def test_takes_from_the_queue_one_asks_for(project, alice):
    make.task(project, queue=make.queue(project, "First"))
    second = make.queue(project, "Second")
    task = make.task(project, queue=second)
    assert next_assignment(project, alice, queue=second).task == task
    second.state = Queue.State.PAUSED
    second.save()
    assert next_assignment(project, alice, queue=second) is None


def test_draws_an_order_and_keeps_it(project, alice):
    outputs = tuple(f"text {number}" for number in range(9))
    make.task(project, type="ranking", outputs=outputs)
    shown = next_assignment(project, alice).shown
    assert sorted(shown) == list("abcdefghi")
    assert Assignment.objects.get().shown == shown


def test_draws_every_order_equally_often(project, alice):
    for _ in range(60):
        make.task(project)
    firsts = []
    while assignment := next_assignment(project, alice):
        firsts.append(assignment.shown[0])
        submit(assignment, TIERS, key=f"key {assignment.pk}")
    assert 15 <= firsts.count("a") <= 45


def test_records_the_guideline_in_force(project, alice, bob):
    task = make.task(project, answers=2)
    Guideline.objects.create(queue=task.queue, number=1, text="Be kind.")
    assert next_assignment(project, alice).guideline.number == 1
    Guideline.objects.create(queue=task.queue, number=2, text="Be brief.")
    assert next_assignment(project, bob).guideline.number == 2
    assert next_assignment(project, alice).guideline.number == 1


def test_a_new_round_asks_again(project, alice):
    task = make.task(project)
    submit(next_assignment(project, alice), TIERS, key="first")
    Assignment.objects.create(task=task, queue=task.queue, round=2)
    assert next_assignment(project, alice).round == 2


def test_a_pick_reads_no_more_where_the_queue_is_longer(project, alice):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            slot = next_assignment(project, alice)
            submit(slot, TIERS, key=f"key {slot.pk}")
        return len(seen)

    # The first is asked who she is and where she stands; now and then something is counted anew.
    for _ in range(10):
        make.task(project)
    queries()
    # The keys of a test begin anywhere, and who is far from them moves their bookmark once.
    Bookmark.objects.update(positions={"10": Assignment.objects.free().first().pk - 1})
    few = max(queries() for _ in range(4))
    for _ in range(40):
        make.task(project)
    assert max(queries() for _ in range(4)) <= few
