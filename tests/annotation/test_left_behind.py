"""No slot is left behind: all are given before anybody is told that nothing is left."""

import pytest

from annotation.adjudicate import reopen, settle
from annotation.assign import next_assignment
from annotation.edit_queue import edit_queue
from annotation.flag import decide
from annotation.lanes import lanes_of
from annotation.models import Annotator, Assignment, Exemption, Flag, Grant, Queue
from annotation.prioritise import prioritise
from annotation.skip import skip
from annotation.submit import submit
from tests import make
from truing.errors import Invalid

FIRST = {"tiers": [["a"], ["b"]]}
SECOND = {"tiers": [["b"], ["a"]]}


def answer(project, person, what=FIRST):
    slot = next_assignment(project, person)
    submit(slot, what, key=f"{person.pk}-{slot.pk}")
    return slot


def lapse(slot):
    make.lapsed(slot)


# --- what was put off


def test_what_was_put_off_is_found_behind_what_others_have_answered(project, alice, bob):
    for _ in range(30):
        make.task(project)
    for _ in range(30):
        skip(next_assignment(project, alice), meaning="later")
    for _ in range(29):
        answer(project, bob)
    assert next_assignment(project, alice), "one of thirty is left"


def test_what_was_put_off_and_lapsed_in_anothers_hands_comes_back(project, alice, bob):
    task = make.task(project)
    skip(next_assignment(project, alice), meaning="later")
    lapse(next_assignment(project, bob))
    assert next_assignment(project, alice).task == task


def test_who_answers_after_all_what_they_put_off_is_not_asked_again(project, alice):
    task = make.task(project, answers=3)
    held = next_assignment(project, alice)
    skip(held, meaning="later")
    # Their other tab still shows the question.
    submit(held, FIRST, key="k", annotator=Annotator.objects.member(project, alice))
    assert task.assignments.filter(state="answered").count() == 1
    assert next_assignment(project, alice) is None
    assert not Exemption.objects.exists()


def test_putting_off_what_one_wrote_does_not_bring_it_back(project, alice):
    task = make.task(project)
    held = next_assignment(project, alice)
    # They have written in another queue what this question shows.
    Exemption.objects.create(task=task, annotator=held.annotator, why=Exemption.Why.WROTE)
    skip(held, meaning="later")
    assert next_assignment(project, alice) is None


def test_what_one_began_and_lost_is_found_behind_the_bookmark(project, alice, bob):
    queue = make.queue(project, overlap=2)
    task = make.task(project, queue=queue, answers=2)
    rest = [make.task(project, queue=queue, answers=2) for _ in range(3)]
    held = next_assignment(project, alice)
    skip(next_assignment(project, bob), meaning="later")
    lapse(held)
    while answer(project, bob).task != task:
        pass
    assert held.task == task
    # Bob has answered in her slot; what is left of the task lies behind her.
    for _ in rest:
        if next_assignment(project, alice) and next_assignment(project, alice).task != task:
            answer(project, alice)
    assert next_assignment(project, alice).task == task


# --- what is withheld


def test_nobody_is_given_what_lapsed_after_it_was_flagged(project, alice, bob, clara):
    make.task(project, answers=2)
    held = next_assignment(project, bob)
    skip(next_assignment(project, alice), meaning="nobody")
    lapse(held)
    carol = make.member(project, "carol")
    assert next_assignment(project, carol) is None
    decide(Flag.objects.get(), put_back=True, actor=clara)
    assert next_assignment(project, carol)


def test_no_check_is_made_of_what_is_withheld(project, alice, bob):
    queue = make.queue(project, gold_share=1.0)
    known = make.task(project, queue=queue, answers=0, gold=FIRST)
    make.task(project, queue=queue)
    slot = next_assignment(project, alice)
    assert slot.task == known
    skip(slot, meaning="nobody")
    assert next_assignment(project, bob).task != known


def test_what_was_uncertain_when_it_was_flagged_is_asked_again_after_it_is_put_back(
    project, alice, bob, clara
):
    queue = make.queue(project, overlap=2, most_answers=3)
    task = make.task(project, queue=queue, answers=2)
    theirs = next_assignment(project, alice)
    skip(next_assignment(project, bob), meaning="nobody")
    Assignment.objects.filter(state="withheld").delete()
    carol = make.member(project, "carol")
    submit(theirs, FIRST, key="k1")
    make.vote(task, "b", "a", by="w1")
    decide(Flag.objects.get(), put_back=True, actor=clara)
    assert next_assignment(project, carol)


# --- lanes


@pytest.mark.parametrize("before", Queue.Order.values)
@pytest.mark.parametrize("after", Queue.Order.values)
def test_what_comes_back_after_the_order_changed_is_given_at_once(
    project, alice, bob, clara, before, after
):
    queue = make.queue(project, order=before)
    task = make.task(project, queue=queue)
    edit_queue(queue, handling={"order": after}, actor=clara)
    edit_queue(queue, handling={"order": before}, actor=clara)  # its slots stand where they should
    held = next_assignment(project, alice)
    edit_queue(queue, handling={"order": after}, actor=clara)
    prioritise(queue, [task.pk], 5, actor=clara)
    assert next_assignment(project, bob) is None
    added = skip(held)
    queue.refresh_from_db()

    if lanes := lanes_of(queue):
        assert added.lane in lanes
    if after == Queue.Order.PRIORITY:
        assert added.lane == 5
    assert next_assignment(project, bob).task == task


# --- overlap that grows by itself, changed while people work


def test_asking_for_more_certainty_asks_about_what_was_answered_already(project, alice, bob, clara):
    queue = make.queue(project)
    tasks = [make.task(project, queue=queue) for _ in range(3)]
    answer(project, alice), answer(project, alice)
    edit_queue(queue, handling={"most_answers": 3, "confidence": 0.8}, actor=clara)

    def waiting():
        return [task.assignments.filter(state="free").count() for task in tasks]

    assert waiting() == [1, 1, 1]
    for _ in tasks:
        answer(project, bob)
    assert next_assignment(project, bob) is None
    assert waiting() == [0, 0, 1], "two alike are certain enough"
    edit_queue(queue, handling={"confidence": 0.9}, actor=clara)
    assert waiting() == [1, 1, 1]


def test_what_a_reviewer_settled_is_certain(project, clara):
    queue = make.queue(project)
    tasks = [make.task(project, queue=queue, answers=0) for _ in range(3)]
    for task in tasks:
        make.vote(task, "a", "b", by="w0")
        make.vote(task, "b", "a", by="w1")
    settle(tasks[0], FIRST, reason="So.", key="0", replaces=None, actor=clara)
    given = settle(tasks[1], FIRST, reason="So.", key="1", replaces=None, actor=clara)
    reopen(tasks[1], reason="Too fast.", replaces=given.pk, actor=clara)
    edit_queue(queue, handling={"most_answers": 3, "confidence": 0.9}, actor=clara)
    assert [task.assignments.filter(state="free").count() for task in tasks] == [0, 1, 1]


def test_asking_for_less_takes_free_slots_away(project, alice, bob, clara):
    queue = make.queue(project, overlap=1, most_answers=5, confidence=0.99)
    make.task(project, queue=queue)
    answer(project, alice)
    assert Assignment.objects.free().count() == 1
    edit_queue(queue, handling={"most_answers": None}, actor=clara)
    assert not Assignment.objects.free().exists()
    assert next_assignment(project, bob) is None


def test_what_is_no_longer_wanted_is_not_asked_again_when_it_is_skipped(project, alice, bob, clara):
    queue = make.queue(project, overlap=2)
    make.task(project, queue=queue, answers=2)
    held = next_assignment(project, alice)
    answer(project, bob)
    edit_queue(queue, overlap=1, actor=clara)
    assert skip(held) is None
    assert not Assignment.objects.free().exists()


def test_fewer_answers_are_wanted_of_what_waits_for_a_curator_too(project, alice, bob, clara):
    queue = make.queue(project, overlap=3)
    make.task(project, queue=queue, answers=3)
    skip(next_assignment(project, alice), meaning="nobody")
    edit_queue(queue, overlap=1, actor=clara)
    decide(Flag.objects.get(), put_back=True, actor=clara)
    assert Assignment.objects.free().count() == 1


# --- exams


def exam(project, *, questions=4, size=3):
    queue = make.queue(project, "Exam", exam_skill="expertise:law", exam_size=size, exam_share=0.6)
    for _ in range(questions):
        make.task(project, queue=queue, answers=0, gold=FIRST)
    return queue


def test_an_exams_question_that_was_put_off_comes_back(project, alice):
    exam(project, questions=3)
    first = next_assignment(project, alice)
    skip(first, meaning="later")
    answer(project, alice), answer(project, alice)
    again = next_assignment(project, alice)
    assert (again.task, again.purpose) == (first.task, Assignment.Purpose.GOLD)
    submit(again, FIRST, key="last")
    assert Grant.objects.exists()


def test_nobody_picks_the_questions_of_an_exam_that_they_know(project, alice):
    exam(project, questions=9)
    skip(next_assignment(project, alice), meaning="not_me")
    skip(next_assignment(project, alice), meaning="later")
    answer(project, alice)
    put_off = next_assignment(project, alice)
    skip(put_off, meaning="nobody")
    assert next_assignment(project, alice) is None
    assert not Grant.objects.exists(), "one of three is right"


def test_who_skips_the_last_question_may_have_passed(project, alice):
    exam(project, questions=9)
    answer(project, alice), answer(project, alice)
    skip(next_assignment(project, alice))
    assert Grant.objects.exists()


# --- repeats


@pytest.mark.parametrize("type", ["demonstration", "prompt_writing", "edit", "chat"])
def test_nobody_is_asked_to_write_the_same_twice(project, clara, type):
    queue = make.queue(project, type=type)

    with pytest.raises(Invalid):
        edit_queue(queue, handling={"repeat_share": 0.1}, actor=clara)
