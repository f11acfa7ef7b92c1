"""Sensitive questions are veiled, harmful ones only for who chose them, and only so many a day."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotation import assign
from annotation.ask import ask
from annotation.assign import come_to_desk, next_assignment
from annotation.create_queue import create_queue
from annotation.edit_queue import edit_queue
from annotation.feedback_line import read_line
from annotation.grant import grant
from annotation.handling import NoSkill
from annotation.models import Annotator, Assignment, Exemption, Grant, Task
from annotation.opt_in import NoSuchCategory, choices_of, opt_in, opt_out
from annotation.retag import retag
from annotation.store_lines import store_lines
from annotation.submit import submit
from tests import make
from truing.errors import Invalid
from truing.models import Event

A = {"tiers": [["a"], ["b"]]}
CARE = {"sensitive": "violence, drugs", "harmful": "violence"}


@pytest.fixture
def queue(project):
    return create_queue(project, name="Q", type="pairwise", handling=CARE, actor=None)


def asked(queue, *tags, meta=None, text=None):
    prompt = make.prompt(
        queue.project, text or f"About {tags} {meta}?", tags=list(tags), meta=meta or {}
    )
    outputs = [make.output(prompt, one) for one in ("one", "two")]
    return ask(queue, prompt, outputs)


def person(project, user):
    return Annotator.objects.member(project, user)


def answer(project, user):
    slot = next_assignment(project, user)
    submit(slot, A, key=f"key {slot.pk}")
    return slot.task


# --- what a task holds


def test_what_is_harmful_is_sensitive_too(project):
    queue = create_queue(
        project, name="Q", type="pairwise", handling={"harmful": " Self-Harm ,x,x"}, actor=None
    )
    assert queue.harmful == queue.sensitive == ["self-harm", "x"]


def test_a_category_has_letters_and_digits(project):
    with pytest.raises(Invalid, match="is no category"):
        create_queue(project, name="Q", type="pairwise", handling={"sensitive": "{a}"}, actor=None)


def test_a_task_holds_what_its_prompt_carries_and_its_queue_names(queue):
    assert asked(queue, "Violence", "weather").categories == []  # as it was before
    found = {task.prompt.text: task.categories for task in Task.objects.select_related("prompt")}
    assert found == {"About ('Violence', 'weather') None?": ["violence"]}
    asked(queue, "Harm:drugs", text="with a colon")
    asked(queue, meta={"category": "DRUGS"}, text="in meta")
    asked(queue, meta={"categories": ["violence", "drugs", 3]}, text="two in meta")
    asked(queue, "weather", meta={"topic": "drugs"}, text="harmless")
    found = {task.prompt.text: task.categories for task in Task.objects.select_related("prompt")}
    assert found["with a colon"] == found["in meta"] == ["drugs"]
    assert found["two in meta"] == ["drugs", "violence"]
    assert found["harmless"] == []


def test_what_comes_with_a_file_is_looked_at_too(queue):
    line = {
        "id": "one",
        "prompt": [{"role": "user", "content": "?"}],
        "tags": ["violence"],
        "task_type": "pairwise",
        "outputs": [{"id": "a", "text": "1"}, {"id": "b", "text": "2"}],
    }
    store_lines(queue.project, [(1, read_line(line))], queue=queue, actor=None)
    assert Task.objects.get().categories == ["violence"]


def test_another_list_counts_for_what_is_there(queue, clara):
    task = asked(queue, "gore")
    edit_queue(queue, handling={"sensitive": "gore", "harmful": ""}, actor=clara)
    task.refresh_from_db()
    assert task.categories == ["gore"]
    edit_queue(queue, handling={"sensitive": ""}, actor=clara)
    task.refresh_from_db()
    assert task.categories == []


def test_what_people_classify_as_sensitive_is(project, queue, alice):
    task = asked(queue, text="What?")
    sorting = create_queue(
        project,
        name="Sort",
        type="classify",
        options={"questions": ["Topic: drugs, weather"]},
        actor=None,
    )
    ask(sorting, task.prompt, [])
    slot = next_assignment(project, alice, queue=sorting)
    submit(slot, {"labels": {"Topic": ["drugs"]}}, key="k")
    task.refresh_from_db()
    assert task.categories == ["drugs"]
    retag([task.prompt_id])


# --- who is given it


def test_harmful_questions_go_only_to_who_chose_them(project, queue, alice, bob):
    harmful, harmless = asked(queue, "violence"), asked(queue, "weather")
    opt_in(person(project, bob), "violence")
    assert answer(project, alice) == harmless
    assert next_assignment(project, alice) is None
    desk = come_to_desk(project, alice)
    assert desk.is_spared
    assert not desk.is_enough
    assert answer(project, bob) == harmful


def test_sensitive_ones_that_do_no_harm_go_to_everybody(project, queue, alice):
    task = asked(queue, "drugs")
    assert answer(project, alice) == task


def test_one_category_is_no_other(project, alice):
    queue = create_queue(
        project, name="Q", type="pairwise", handling={"harmful": "a, b"}, actor=None
    )
    both, _, one = asked(queue, "a", "b"), asked(queue, "b"), asked(queue, "a")
    opt_in(person(project, alice), "a")
    assert answer(project, alice) == one
    assert next_assignment(project, alice) is None
    opt_in(person(project, alice), "b")
    assert answer(project, alice) == both, "what lay behind is found again"


def test_taking_it_back_holds_at_once(project, queue, alice, bob):
    task = asked(queue, "violence")
    me = person(project, alice)
    opt_in(me, "violence")
    held = next_assignment(project, alice)
    opt_out(me, "violence")
    assert next_assignment(project, alice) is None
    assert not Assignment.objects.filter(pk=held.pk).exists()
    opt_in(person(project, bob), "violence")
    assert answer(project, bob) == task
    said = [
        (one.verb, one.details["category"]) for one in Event.objects.filter(verb__startswith="care")
    ]
    assert sorted(said) == [
        ("care.opt_in", "violence"),
        ("care.opt_in", "violence"),
        ("care.opt_out", "violence"),
    ]


def test_what_was_let_go_comes_back_to_who_chooses_anew(project, queue, alice):
    task = asked(queue, "violence")
    me = person(project, alice)
    opt_in(me, "violence")
    next_assignment(project, alice)
    opt_out(me, "violence")
    opt_in(me, "violence")
    assert answer(project, alice) == task


def test_it_is_checked_wherever_a_question_comes_from(project, alice, bob):
    """Lapsed holds, what was put off, checks and repeats."""
    queue = create_queue(
        project,
        name="Q",
        type="pairwise",
        handling={**CARE, "gold_share": 1.0, "repeat_share": 0.5},
        actor=None,
    )
    me, he = person(project, alice), person(project, bob)
    opt_in(he, "violence")
    put_off, lapsed, check = (asked(queue, "violence", str(one)) for one in range(3))
    Task.objects.filter(pk=check.pk).update(gold=A)
    Assignment.objects.filter(task=check).delete()
    Exemption.objects.create(task=put_off, annotator=me, why="later")
    Assignment.objects.filter(task=lapsed).update(
        annotator=he, state="held", held_until=timezone.now() - timedelta(hours=1)
    )
    harmless = asked(queue, "weather")
    assert answer(project, alice) == harmless
    assert next_assignment(project, alice) is None
    opt_in(me, "violence")
    assert {answer(project, alice) for _ in range(2)} <= {put_off, lapsed, check}


def test_a_queue_may_want_it_of_everybody(project, alice):
    queue = create_queue(
        project, name="Q", type="pairwise", handling={"skills": "consent:Violence"}, actor=None
    )
    asked(queue)
    me = person(project, alice)
    assert next_assignment(project, alice) is None
    assert [one.category for one in choices_of(me)] == ["violence"]
    opt_in(me, "violence")
    assert next_assignment(project, alice)
    opt_out(me, "violence")
    assert next_assignment(project, alice) is None


def test_nobody_chooses_for_another(project, queue, alice, clara):
    with pytest.raises(NoSkill):
        grant(person(project, alice), "consent:violence", actor=clara)
    with pytest.raises(NoSuchCategory):
        opt_in(person(project, alice), "weather")
    opt_in(person(project, alice), "violence")
    assert not Grant.objects.standing().given_by_others().exists()


def test_a_choice_is_shown_also_when_no_queue_names_it_now(project, queue, alice, clara):
    me = person(project, alice)
    opt_in(me, "violence")
    edit_queue(queue, handling={"harmful": ""}, actor=clara)
    assert [(one.category, one.is_chosen) for one in choices_of(me)] == [("violence", True)]


# --- only so many a day


@pytest.fixture
def capped(project):
    handling = {"sensitive": "drugs", "sensitive_cap": 2}
    return create_queue(project, name="Q", type="pairwise", handling=handling, actor=None)


def test_only_so_many_a_day_and_then_others(project, capped, alice):
    sensitive = [asked(capped, "drugs", str(one)) for one in range(4)]
    harmless = asked(capped, "weather")
    assert [answer(project, alice) for _ in range(3)] == [*sensitive[:2], harmless]
    desk = come_to_desk(project, alice)
    assert desk.assignment is None
    assert desk.is_enough


def test_those_of_other_queues_count_too(project, capped, alice):
    other = create_queue(
        project, name="R", type="pairwise", handling={"sensitive": "gore"}, actor=None
    )
    for one in range(2):
        asked(other, "gore", str(one))
    for _ in range(2):
        answer(project, alice)
    asked(capped, "drugs")
    assert next_assignment(project, alice) is None


def test_one_in_hand_is_not_counted_twice(project, capped, alice):
    for one in range(2):
        asked(capped, "drugs", str(one))
    for _ in range(3):
        next_assignment(project, alice)
    assert person(project, alice).sensitive_that_day == 1


def test_tomorrow_it_goes_on_where_it_was(project, capped, alice, monkeypatch):
    monkeypatch.setattr(assign, "is_far", lambda stretch, slot: True)  # every bookmark moves
    tasks = [asked(capped, "drugs", str(one)) for one in range(4)]
    others = [asked(capped, "weather", str(one)) for one in range(2)]
    assert [answer(project, alice) for _ in range(4)] == [*tasks[:2], *others]
    assert next_assignment(project, alice) is None
    yesterday = timezone.now().date() - timedelta(days=1)
    Annotator.objects.update(sensitive_day=yesterday)
    assert answer(project, alice) == tasks[2]
    assert person(project, alice).sensitive_that_day == 1
