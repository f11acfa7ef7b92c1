"""Whoever changes things while people work waits for them, or they for it; never for each other."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotation.ask import ask
from annotation.assign import extend_hold, next_assignment
from annotation.correct import correct
from annotation.create_queue import create_queue
from annotation.edit_queue import edit_queue, locked
from annotation.end_chat import end_left_chats
from annotation.enforce import undo_firing
from annotation.enter import clear_desk, enter
from annotation.export_feedback import export_feedback
from annotation.feedback_line import read_line
from annotation.flag import flag
from annotation.models import (
    Annotation,
    Annotator,
    Assignment,
    Bookmark,
    Draft,
    Firing,
    Output,
    Rule,
    Standing,
    Task,
)
from annotation.store_lines import store_lines
from annotation.submit import submit
from annotation.waiting import waiting_for
from tests import make
from tests.together import crossing

pytestmark = pytest.mark.django_db(transaction=True)
A = {"tiers": [["a"], ["b"]]}


def test_undoing_waits_for_whoever_is_being_served(project, alice, rita):
    queue = make.queue(project)
    rule = Rule.objects.create(project=project, queue=queue, when="too_fast", then=["pause"])
    make.task(project, queue=queue)
    submit(next_assignment(project, alice), A, key="k1")
    standing = Standing.objects.get()
    firing = Firing.objects.create(
        rule=rule, standing=standing, when="too_fast", then=["pause"], reason="Fast."
    )
    crossing(
        lambda: enter(project, alice),
        lambda: undo_firing(firing, actor=rita),
        lambda: Standing.objects.select_for_update().get(),
    )


def test_a_correction_waits_for_whoever_closes_the_queue_that_judges_it(project, alice, bob):
    writing = create_queue(project, name="Write", type="demonstration", actor=None)
    gate = create_queue(project, name="Validate", type="validate", actor=None)
    prompt = make.prompt(project)
    ask(writing, prompt, [])
    given = submit(next_assignment(project, alice), {"text": "Green."}, key="written")
    ask(gate, prompt, [Output.objects.get()])
    crossing(
        lambda: locked(gate),
        lambda: correct(given, {"text": "Blue."}, key="corrected"),
        lambda: clear_desk(project),
    )


def test_a_flag_waits_for_nobody_who_takes_another_slot_of_its_task(project, alice, bob):
    task = make.task(project, answers=2)
    queue = task.queue
    one = Annotator.objects.member(project, alice)
    two = Annotator.objects.member(project, bob)

    crossing(
        lambda: task.assignments.select_for_update(no_key=True).order_by("pk").first(),
        lambda: flag(task, one),
        # As whoever takes a slot does: its draft refers to the task, its bookmark to the queue.
        lambda: (
            Draft.objects.create(task=task, annotator=two, content={"shown": []}),
            queue.bookmarks.create(annotator=two),
        ),
    )


def test_a_chat_that_was_left_ends_after_whoever_goes_on_with_it(project, alice):
    make.endpoint(project)
    make.task(project, type="chat", outputs=())
    slot = next_assignment(project, alice)
    long_ago = timezone.now() - timedelta(days=2)
    Annotation.objects.create(assignment=slot, answer=A, turn=1, key="k", at=long_ago)
    Assignment.objects.filter(pk=slot.pk).update(held_until=None)
    judged = {"assignment": slot, "answer": A, "turn": 2, "key": "k2"}

    def goes_on():
        Assignment.objects.select_for_update().get(pk=slot.pk)
        Annotation.objects.create(**judged)

    crossing(lambda: enter(project, alice), end_left_chats, goes_on)
    slot.refresh_from_db()
    assert slot.state == "held", "it is not left any more"


def test_who_is_being_served_may_wait_for_a_task_whose_categories_change(project, alice):
    queue = create_queue(project, name="Q", type="pairwise", overlap=1, actor=None)
    prompt = make.prompt(project, tags=["drugs"])
    task = ask(queue, prompt, [make.output(prompt, one) for one in ("one", "two")])
    assert next_assignment(project, alice)
    crossing(
        lambda: Bookmark.objects.select_for_update().get(annotator__user=alice),
        lambda: edit_queue(queue, handling={"sensitive": "drugs"}, actor=None),
        lambda: Task.objects.select_for_update(no_key=True).get(pk=task.pk),
    )
    task.refresh_from_db()
    assert task.categories == ["drugs"]


def test_a_look_at_what_waits_gives_nobody_a_second_question(project, alice):
    make.task(project)
    make.task(project)
    held = next_assignment(project, alice)
    given = []
    crossing(
        lambda: waiting_for(project, alice),
        lambda: given.append(next_assignment(project, alice)),
        lambda: None,
    )
    assert given == [held]


def test_what_one_holds_is_waited_for_while_the_page_says_that_it_is_open(project, alice):
    make.task(project)
    make.task(project)
    held = next_assignment(project, alice)
    given = []
    crossing(
        lambda: extend_hold(held, held.annotator),
        lambda: given.append(next_assignment(project, alice)),
        lambda: None,
    )
    assert given == [held]


def test_a_file_that_writes_to_somebody_waits_for_who_is_being_served(project, alice):
    task = make.task(project, queue=make.queue(project, overlap=2), answers=2)
    who = submit(next_assignment(project, alice), A, key="k").assignment.annotator
    at = "2026-01-02T03:04:05Z"
    [line] = export_feedback(project)
    line["annotations"].append({"annotator": "w9", "answer": A})
    line["comments"] = [{"by": "w9", "with": who.pseudonym, "text": "Why?", "at": at}]
    stored = []
    crossing(
        lambda: enter(project, alice),
        # The answer in the file makes the free slot one too many.
        lambda: stored.append(store_lines(project, [(1, read_line(line))], queue=None, actor=None)),
        lambda: list(task.assignments.free().select_for_update(no_key=True)),
    )
    assert (stored[0].refused, stored[0].annotations) == ([], 1)
    assert not task.assignments.free().exists()
    who.refresh_from_db()
    assert who.unread == 1


def test_a_file_for_two_queues_holds_them_in_their_order(project):
    """As a correction does whose text two queues judge."""
    queues = [make.queue(project, name) for name in ("One", "Two")]
    for queue in queues:
        make.task(project, queue=queue, answers=1)
    lines = list(export_feedback(project))
    for line in lines:
        line["annotations"] = [{"annotator": "w9", "answer": A}]
    second_first = list(enumerate(map(read_line, reversed(lines))))
    stored = []
    crossing(
        lambda: locked(queues[0]),
        lambda: stored.append(store_lines(project, second_first, queue=None, actor=None)),
        lambda: locked(queues[1]),
    )
    assert (stored[0].refused, stored[0].annotations) == ([], 2)
