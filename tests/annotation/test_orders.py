"""In which order questions come, what is mixed in between, and who gets none."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotation.ask import ask
from annotation.assign import next_assignment
from annotation.draft import save_draft
from annotation.flag import AlreadyDecided, decide
from annotation.models import Annotator, Assignment, Bookmark, Flag, Grant, Queue
from annotation.skip import skip
from annotation.submit import submit
from tests import make

TIERS = {"tiers": [["a"], ["b"]]}


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
