"""Who is asked what, and that a slot is given once."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.ask import ask
from annotation.assign import HOLD, extend_hold, next_assignment
from annotation.draft import save_draft
from annotation.edit_queue import set_queue_state
from annotation.flag import AlreadyDecided, decide
from annotation.models import (
    Annotation,
    Annotator,
    Assignment,
    Bookmark,
    Flag,
    Grant,
    Guideline,
    Queue,
)
from annotation.skip import skip
from annotation.submit import submit
from tests import make

TIERS = {"tiers": [["a"], ["b"]]}


def let_time_pass(assignment):
    Assignment.objects.filter(pk=assignment.pk).update(held_until=timezone.now() - HOLD)


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


def test_a_hold_that_ran_out_goes_to_somebody_else(project, alice, bob):
    make.task(project)
    let_time_pass(next_assignment(project, alice))
    taken = next_assignment(project, bob)
    assert taken.annotator.user == bob
    assert next_assignment(project, alice) is None


def test_a_hold_that_ran_out_comes_back_to_its_holder_first(project, alice):
    make.task(project)
    make.task(project)
    first = next_assignment(project, alice)
    let_time_pass(first)
    again = next_assignment(project, alice)
    assert again == first
    assert again.held_until > timezone.now()


def test_who_lost_a_task_and_gets_it_again_finds_the_draft_and_the_order(project, alice, bob):
    make.task(project, type="ranking", outputs=tuple("vwxyz"))
    first = next_assignment(project, alice)
    save_draft(first, {"answer": {"tiers": [["c"]]}})
    let_time_pass(first)
    taken = next_assignment(project, bob)
    skip(taken)
    again = next_assignment(project, alice)
    assert again != taken
    assert again.shown == first.shown


def test_a_hold_is_extended_only_by_its_holder(project, alice, bob):
    make.task(project)
    assignment = next_assignment(project, alice)
    mine = assignment.annotator
    let_time_pass(assignment)
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
    let_time_pass(assignment)
    next_assignment(project, bob)
    assert skip(assignment) is None
    assert Assignment.objects.get().annotator.user == bob


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


# --- The race. Each thread has a connection of its own.

PEOPLE = 32
TASKS = 500
OVERLAP = 3


class Crowd:
    """Threads that work at once, and what went wrong in them."""

    def __init__(self):
        self.errors = []

    def work(self, *jobs):
        threads = [threading.Thread(target=self._run, args=(job,)) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=120)
        assert not any(thread.is_alive() for thread in threads)
        if self.errors:
            raise self.errors[0]

    def _run(self, job):
        try:
            with connection.cursor() as cursor:
                # Who waits for a lock fails, and does not hang.
                cursor.execute("SET lock_timeout = '10s'")
            job()
        except Exception as error:
            self.errors.append(error)
        finally:
            connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_two_who_ask_at_once_get_two_slots(project, alice, bob):
    make.task(project)
    make.task(project)
    got = {}
    alice_has_picked, bob_has_picked = threading.Event(), threading.Event()

    def slow():
        with transaction.atomic():
            got["alice"] = next_assignment(project, alice)
            alice_has_picked.set()
            # The transaction stays open while Bob picks: he must not wait for it, nor see it.
            assert bob_has_picked.wait(timeout=5), "Bob had to wait for Alice's transaction."

    def quick():
        assert alice_has_picked.wait(timeout=5)
        got["bob"] = next_assignment(project, bob)
        bob_has_picked.set()

    Crowd().work(slow, quick)
    assert got["alice"] != got["bob"]


@pytest.mark.django_db(transaction=True)
def test_one_person_in_two_tabs_holds_one_slot(project, alice):
    make.task(project, answers=2)
    make.task(project, answers=2)
    Annotator.objects.member(project, alice)
    got = []
    first_has_picked = threading.Event()

    def slow():
        with transaction.atomic():
            got.append(next_assignment(project, alice))
            first_has_picked.set()
            second.join(timeout=0.5)  # it waits for this transaction

    def quick():
        assert first_has_picked.wait(timeout=5)
        got.append(next_assignment(project, alice))
        connections.close_all()

    second = threading.Thread(target=quick)
    second.start()
    Crowd().work(slow)
    second.join(timeout=10)
    assert got[0] == got[1]
    assert Assignment.objects.filter(state=Assignment.State.HELD).count() == 1


@pytest.mark.django_db(transaction=True)
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

    Crowd().work(*(lambda person=person: work(person) for person in people))

    answers = Annotation.objects.values_list("assignment__task_id", "assignment__annotator_id")
    assert len(answers) == TASKS * OVERLAP
    assert len(set(answers)) == TASKS * OVERLAP, "somebody answered a task twice"
    by_task = [task for task, _ in answers]
    assert all(by_task.count(task.pk) == OVERLAP for task in made)
    assert not Assignment.objects.exclude(state=Assignment.State.ANSWERED).exists()


# --- orders


def answered_in_order(project, person):
    met = []
    while assignment := next_assignment(project, person):
        met.append(assignment.task)
        submit(assignment, TIERS, key=f"{person.pk}-{assignment.pk}")
    return met


def test_a_pick_reads_a_gold_question_that_one_has_not_met(project, alice):
    queue = make.queue(project, gold_share=1.0)
    for _ in range(3):
        make.task(project, queue=queue)
    gold = make.task(project, queue=queue, answers=0, gold=TIERS)
    first = next_assignment(project, alice)
    assert first.task == gold
    assert first.purpose == Assignment.Purpose.GOLD
    submit(first, TIERS, key="k")
    assert next_assignment(project, alice).purpose == Assignment.Purpose.ANSWER
    assert Assignment.objects.free().count() == 2


def test_a_repeat_is_shown_the_other_way_round(project, alice, monkeypatch):
    monkeypatch.setattr("annotation.mix_in.BETWEEN", 0)
    queue = make.queue(project, repeat_share=1.0)
    for _ in range(3):
        make.task(project, queue=queue)
    first = next_assignment(project, alice)
    submit(first, TIERS, key="k")
    again = next_assignment(project, alice)
    assert again.purpose == Assignment.Purpose.REPEAT
    assert again.task == first.task
    assert again.shown == first.shown[::-1]
    submit(again, TIERS, key="k2")
    assert next_assignment(project, alice).purpose == Assignment.Purpose.ANSWER


def test_every_task_once_and_then_every_task_again(project, alice, bob):
    queue = make.queue(project, order=Queue.Order.BREADTH, overlap=2)
    prompts = [make.prompt(project, f"Q{number}?") for number in range(3)]
    for prompt in prompts:
        ask(queue, prompt, [make.output(prompt, text) for text in ("one", "two")])
    assert [task.prompt for task in answered_in_order(project, alice)] == prompts
    assert [task.prompt for task in answered_in_order(project, bob)] == prompts


def test_at_random_is_another_order_than_they_came_in(project, alice, bob):
    queue = make.queue(project, order=Queue.Order.RANDOM, overlap=2)
    for number in range(30):
        prompt = make.prompt(project, f"Q{number}?")
        ask(queue, prompt, [make.output(prompt, text) for text in ("one", "two")])
    orders = [[task.pk for task in answered_in_order(project, one)] for one in (alice, bob)]
    assert sorted(orders[0]) == sorted(orders[1])
    assert len(orders[0]) == 30
    assert orders[0] != sorted(orders[0])
    assert orders[0] != orders[1]


# --- skips


def test_what_is_put_off_comes_back_at_the_end(project, alice):
    first, second = make.task(project), make.task(project)
    held = next_assignment(project, alice)
    save_draft(held, {"reason": "Hm."})
    skip(held, meaning="later")
    other = next_assignment(project, alice)
    assert other.task == second
    submit(other, TIERS, key="k")
    again = next_assignment(project, alice)
    assert again.task == first
    assert again.draft["reason"] == "Hm."
    assert again.shown == held.shown
    submit(again, TIERS, key="k2")
    assert next_assignment(project, alice) is None


def test_what_is_put_off_is_there_for_others(project, alice, bob):
    make.task(project)
    skip(next_assignment(project, alice), meaning="later")
    taken = next_assignment(project, bob)
    assert taken
    assert next_assignment(project, alice) is None


def test_what_is_not_for_anyone_waits_for_a_curator(project, alice, bob, clara):
    task = make.task(project, answers=3)
    theirs = next_assignment(project, bob)
    skip(next_assignment(project, alice), meaning="nobody", reason="It is empty.")
    carol = make.member(project, "carol")
    assert next_assignment(project, carol) is None
    submit(theirs, TIERS, key="k")  # who has it before them may answer
    flagged = Flag.objects.get()
    assert flagged.reason == "It is empty."
    decide(flagged, put_back=True, actor=clara)
    assert next_assignment(project, carol).task == task
    assert next_assignment(project, alice) is None
    with pytest.raises(AlreadyDecided):
        decide(flagged, put_back=False, actor=clara)


def test_what_is_set_aside_stays_away(project, alice, bob, clara):
    make.task(project)
    skip(next_assignment(project, alice), meaning="nobody")
    decide(Flag.objects.get(), put_back=False, actor=clara)
    assert next_assignment(project, bob) is None


# --- caps, skills, pauses


def test_nobody_answers_more_than_the_cap_of_a_day(project, alice, bob):
    queue = make.queue(project, daily_cap=2)
    for _ in range(4):
        make.task(project, queue=queue)
    assert len(answered_in_order(project, alice)) == 2
    assert next_assignment(project, bob)
    Bookmark.objects.update(day=timezone.now().date() - timedelta(days=1))
    assert next_assignment(project, alice)


def test_a_queue_is_open_to_those_with_its_skills(project, alice, bob):
    queue = make.queue(project, skills=["language:de", "expertise:law"])
    make.task(project, queue=queue, answers=2)
    for skill in ("language:de", "expertise:law"):
        Grant.objects.create(
            annotator=Annotator.objects.member(project, alice), skill=skill, how="hand"
        )
    Grant.objects.create(
        annotator=Annotator.objects.member(project, bob), skill="language:de", how="hand"
    )
    assert next_assignment(project, bob) is None
    assert next_assignment(project, alice)


def test_who_is_paused_is_asked_nothing(project, alice):
    make.task(project)
    Annotator.objects.filter(pk=Annotator.objects.member(project, alice).pk).update(
        paused_at=timezone.now()
    )
    assert next_assignment(project, alice) is None


@pytest.mark.django_db(transaction=True)
def test_a_paused_queue_gives_no_question_any_more(project, alice, clara):
    """Whoever pauses it waits for those who are being served."""
    task = make.task(project)
    make.task(project)
    Annotator.objects.member(project, alice)
    picked, paused = threading.Event(), threading.Event()
    seen = {}

    def serve():
        with transaction.atomic():
            next_assignment(project, alice)
            picked.set()
            seen["paused meanwhile"] = paused.wait(timeout=0.5)

    def pause():
        assert picked.wait(timeout=5)
        set_queue_state(task.queue, Queue.State.PAUSED, actor=clara)
        paused.set()

    Crowd().work(serve, pause)
    assert not seen["paused meanwhile"]
    assert paused.is_set()
