"""How work is watched as it comes in, what rules do about it, and how that is undone."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.assign import next_assignment
from annotation.correct import correct
from annotation.create_queue import create_queue
from annotation.enforce import AlreadyUndone, undo_firing
from annotation.grant import grant
from annotation.models import Annotation, Annotator, Assignment, Firing, Grant, Rule, Standing
from annotation.pause import AlreadyPaused, NoReason, pause
from annotation.resume import resume
from annotation.select import Selection
from annotation.set_rules import add_rule, edit_rule
from annotation.skip import skip
from annotation.submit import submit
from benchmarks.crowd import simulate, total
from tests import make
from truing.errors import Invalid
from truing.models import Event

A, B = {"tiers": [["a"], ["b"]]}, {"tiers": [["b"], ["a"]]}


def answer(project, person, answer=A, seconds=20):
    slot = next_assignment(project, person)
    return submit(slot, answer, key=f"key {slot.pk}", seconds=seconds)


def standing_of(person):
    return Standing.objects.get(annotator__user=person)


def rule(queue, when, *then, **options):
    return Rule.objects.create(
        project=queue.project, queue=queue, when=when, then=list(then), options=options
    )


def test_counts_what_an_answer_says_of_its_annotator(project, alice, bob):
    task = make.task(project, answers=2, outputs=("short", "a longer one"))
    answer(project, alice, B)
    given = answer(project, bob, A, seconds=10)
    seen = standing_of(bob)
    assert (seen.answers, seen.compared, seen.agreed) == (1, 1, 0)
    assert (seen.longer, seen.shorter) == (0, 1)
    assert seen.lefts == (given.shown[0] == "a")
    assert seen.lefts + seen.rights == 1
    assert seen.figures().usual_seconds == pytest.approx(10)
    assert standing_of(alice).longer == 1
    assert task.assignments.count() == 2


def test_a_known_answer_is_compared_with_that_alone(project, alice, bob):
    make.task(project, answers=2, gold=A)
    answer(project, alice, A)
    answer(project, bob, B)
    assert (standing_of(alice).gold, standing_of(alice).gold_right) == (1, 1)
    assert (standing_of(bob).gold, standing_of(bob).gold_right) == (1, 0)
    assert standing_of(bob).compared == 0
    assert standing_of(bob).suspicion > 0 > standing_of(alice).suspicion


def test_a_failed_check_weighs_more_than_a_known_answer(project, alice, bob):
    make.task(project, gold=A)
    answer(project, alice, B)
    make.task(project, gold=A, is_check=True)
    answer(project, bob, B)
    assert standing_of(bob).checks_failed == 1
    assert standing_of(bob).suspicion > standing_of(alice).suspicion


def test_a_repeat_is_compared_with_ones_own_answer(project, alice):
    task = make.task(project)
    answer(project, alice, A)
    me = Annotator.objects.get(user=alice)
    again = Assignment.objects.create(
        task=task,
        queue=task.queue,
        annotator=me,
        state="held",
        purpose="repeat",
        round=0,
        shown=["b", "a"],
    )
    submit(again, B, key="again", annotator=me)
    seen = standing_of(alice)
    assert (seen.repeats, seen.consistent) == (1, 0)


def test_three_preferences_that_go_in_a_circle_are_seen(project, alice):
    queue = make.queue(project)
    texts = ["one", "two", "three"]
    for pair in ((0, 1), (1, 2), (2, 0)):
        make.task(project, queue=queue, outputs=(), prompt_text="The same?", answers=1)
        task = queue.tasks.order_by("-pk").first()
        for position, place in enumerate(pair):
            task.task_outputs.create(
                output=make.output(task.prompt, texts[place]), position=position, ref="ab"[position]
            )
    for _ in range(3):
        answer(project, alice, A)
    seen = standing_of(alice)
    assert (seen.triads, seen.circles) == (1, 1)


def test_skips_in_a_row_are_told_once_and_nobody_is_stopped(project, alice):
    queue = make.queue(project)
    rule(queue, "skipped_in_row", "tell", number=3)
    for _ in range(5):
        make.task(project, queue=queue)
    for _ in range(4):
        skip(next_assignment(project, alice))
    me = Annotator.objects.get(user=alice)
    assert "skipped" in me.notice
    assert me.paused_at is None
    assert Firing.objects.count() == 1
    assert answer(project, alice)
    assert standing_of(alice).skips_in_row == 0


@pytest.fixture
def stopped(project, alice, bob):
    """Alice failed what nobody fails: she is paused, and her answers are left out."""
    queue = make.queue(project, overlap=1)
    rule(queue, "check_failed", "pause", "leave_out", failed=1)
    ordinary = make.task(project, queue=queue)
    make.task(project, queue=queue, gold=A, is_check=True)
    make.task(project, queue=queue)
    answer(project, alice)
    answer(project, alice, B)
    return ordinary


def test_who_is_paused_is_asked_nothing_and_told_why_kindly(project, alice, stopped):
    assert next_assignment(project, alice) is None
    me = Annotator.objects.get(user=alice)
    assert me.paused_at
    assert me.paused_because.startswith("A reviewer is looking at your work")
    event = Event.objects.get(verb="rule.fire")
    assert event.details["annotator"] == me.pseudonym
    assert event.details["then"] == ["pause", "leave_out"]


def test_who_is_left_out_has_no_vote(project, bob, stopped):
    assert not Annotation.objects.votes().exists()
    [question] = [one for one in Selection(stopped.queue.tasks.all()) if one.task == stopped.pk]
    assert question.votes == ()


def test_undoing_gives_the_work_and_the_votes_back(project, alice, rita, stopped):
    firing = Firing.objects.get()
    undo_firing(firing, actor=rita)
    assert Annotation.objects.votes().count() == 2
    assert next_assignment(project, alice)
    assert Event.objects.get(verb="rule.undo").actor == rita
    with pytest.raises(AlreadyUndone):
        undo_firing(firing, actor=rita)


def test_what_was_undone_does_not_fire_again_for_the_same_work(project, alice, rita, stopped):
    undo_firing(Firing.objects.get(), actor=rita)
    answer(project, alice)
    assert Firing.objects.in_force().count() == 0
    make.task(project, queue=stopped.queue, gold=A, is_check=True)
    answer(project, alice, B)
    assert Firing.objects.in_force().count() == 1


def test_who_works_on_and_is_careless_again_is_stopped_again(project, alice, rita, stopped):
    resume(Annotator.objects.get(user=alice), actor=rita)
    answer(project, alice)
    assert Firing.objects.count() == 1
    make.task(project, queue=stopped.queue, gold=A, is_check=True)
    answer(project, alice, B)
    assert Firing.objects.count() == 2
    assert next_assignment(project, alice) is None


def test_asking_again_asks_others_and_undoing_takes_free_slots_away(project, alice, bob, rita):
    queue = make.queue(project, overlap=1)
    rule(queue, "check_failed", "ask_again", failed=1)
    ordinary = make.task(project, queue=queue)
    make.task(project, queue=queue, gold=A, is_check=True)
    answer(project, alice)
    answer(project, alice, B)
    free = Assignment.objects.filter(task=ordinary, state="free")
    assert free.count() == 1
    undo_firing(Firing.objects.get(), actor=rita)
    assert not free.exists()


def test_a_projects_rule_holds_in_all_its_queues_and_one_that_is_off_in_none(project, alice):
    task = make.task(project, gold=A, is_check=True)
    off = rule(task.queue, "check_failed", "pause", failed=1)
    off.is_on = False
    off.save()
    Rule.objects.create(
        project=project, when="check_failed", then=["tell"], options={"failed": 1}, sentence="Hm."
    )
    answer(project, alice, B)
    assert Annotator.objects.get(user=alice).notice == "Hm."
    assert Annotator.objects.get(user=alice).paused_at is None


def test_every_new_queue_gets_rules_unless_it_is_said(project):
    with_rules = create_queue(project, name="One", type="pairwise", actor=None)
    without = create_queue(project, name="Two", type="pairwise", rules=False, actor=None)
    assert {one.when for one in with_rules.rules.all()} == {
        "careless",
        "one_side",
        "too_fast",
        "skipped_in_row",
    }
    assert not without.rules.exists()


def test_watching_costs_the_same_however_much_was_answered(project, alice, bob):
    def statements():
        make.task(project)
        slot = next_assignment(project, alice)
        with CaptureQueriesContext(connection) as seen:
            submit(slot, A, key=f"key {slot.pk}")
        return len(seen)

    counted = [statements() for _ in range(20)]
    assert len(set(counted)) == 1  # also with every fifth, when they are weighed


def test_a_crowd_is_sorted(db):
    """Of six careless people chance hides two now and then, of fifteen it does not hide four."""
    run = simulate(3, people=50, tasks=720, accuracy=0.85)
    found = total([run])
    assert found["found_share"] >= 0.8
    assert found["wrongly_stopped_share"] <= 0.06  # of thirty-five


# --- a skill is taken away


@pytest.fixture
def trusted(project, alice, clara):
    """Alice has the skill that the queue wants, and fails a check there."""
    queue = make.queue(project, skills=["expertise:medicine"])
    add_rule(
        project,
        queue=queue,
        when="check_failed",
        options={"failed": 1},
        then=["take_skill"],
        skill="medicine",
        actor=clara,
    )
    grant(Annotator.objects.member(project, alice), "medicine", how="exam", actor=clara)
    make.task(project, queue=queue, gold=A, is_check=True)
    make.task(project, queue=queue)
    answer(project, alice, B)
    return queue


def test_a_rule_takes_a_skill_away_and_the_queue_is_closed_to_them(project, alice, trusted):
    assert next_assignment(project, alice) is None
    taken = Grant.objects.get()
    assert taken.taken_at
    assert taken.taken_because == "1 of 1 attention checks were failed."
    assert Firing.objects.get().skill == "expertise:medicine"
    assert Event.objects.filter(verb="skill.take_away").exists()


def test_undoing_gives_the_skill_back_as_it_was(project, alice, rita, trusted):
    undo_firing(Firing.objects.get(), actor=rita)
    held = Grant.objects.standing().get()
    assert (held.skill, held.how) == ("expertise:medicine", "exam")
    assert next_assignment(project, alice)


def test_who_did_not_have_it_is_not_given_it(project, alice, rita, clara):
    queue = make.queue(project)
    add_rule(
        project,
        queue=queue,
        when="check_failed",
        options={"failed": 1},
        then=["take_skill"],
        skill="medicine",
        actor=clara,
    )
    make.task(project, queue=queue, gold=A, is_check=True)
    answer(project, alice, B)
    undo_firing(Firing.objects.get(), actor=rita)
    assert not Grant.objects.exists()


def test_a_changed_rule_takes_another_skill_once(project, alice, clara, trusted):
    watches = Firing.objects.get().rule
    me = Annotator.objects.member(project, alice)
    for skill in ("medicine", "law"):
        grant(me, skill, how="hand", actor=clara)
    edit_rule(watches, skill="law", actor=clara)
    for _ in range(2):
        make.task(project, queue=trusted)
        answer(project, alice, A)
    taken = watches.firings.order_by("pk").values_list("skill", flat=True)
    assert list(taken) == ["expertise:medicine", "expertise:law"]


def test_a_rule_that_takes_says_what(project, clara):
    queue = make.queue(project)
    with pytest.raises(Invalid, match="Say which skill"):
        add_rule(project, queue=queue, when="too_fast", then=["take_skill"], actor=clara)


# --- by hand


def test_a_person_pauses_a_person_who_reads_why(project, alice, rita):
    make.task(project)
    me = Annotator.objects.member(project, alice)
    pause(me, because="Let us  talk first.", actor=rita)
    assert next_assignment(project, alice) is None
    me.refresh_from_db()
    assert (me.paused_because, me.paused_by) == ("Let us talk first.", rita)
    event = Event.objects.get(verb="annotator.pause")
    assert (event.actor, event.details["because"]) == (rita, "Let us talk first.")
    with pytest.raises(AlreadyPaused):
        pause(me, because="Again.", actor=rita)
    resume(me, actor=rita)
    assert next_assignment(project, alice)


@pytest.mark.parametrize("because", ["", "  ", "x" * 251])
def test_a_pause_by_hand_says_why(project, alice, rita, because):
    with pytest.raises(NoReason):
        pause(Annotator.objects.member(project, alice), because=because, actor=rita)


def test_undoing_a_rule_leaves_a_pause_by_hand(project, alice, rita, stopped):
    me = Annotator.objects.get(user=alice)
    pause(me, because="I want to look, too.", actor=rita)
    undo_firing(Firing.objects.get(), actor=rita)
    me.refresh_from_db()
    assert me.paused_at
    assert me.paused_because == "I want to look, too."


def test_a_rule_leaves_the_reason_that_a_person_gave(project, alice, rita):
    queue = make.queue(project)
    rule(queue, "check_failed", "pause", failed=1)
    make.task(project, queue=queue, gold=A, is_check=True)
    slot = next_assignment(project, alice)
    me = Annotator.objects.get(user=alice)
    pause(me, because="By hand.", actor=rita)
    submit(slot, B, key="k", annotator=me)
    me.refresh_from_db()
    assert me.paused_because == "By hand."


# --- corrections


def test_a_correction_is_counted_in_place_of_what_was_said(project, alice, bob):
    queue = make.queue(project)
    make.task(project, queue=queue, gold=A)
    make.task(project, queue=queue, gold=A, is_check=True)
    make.task(project, queue=queue, answers=2, outputs=("short", "a longer one"))
    answer(project, bob, A)
    answer(project, bob, A)
    answer(project, bob, A)
    Assignment.objects.filter(purpose="answer", state="free").exclude(task__gold=None).delete()
    make_again = [Assignment(task=task, queue=queue) for task in queue.tasks.exclude(gold=None)]
    Assignment.objects.bulk_create(make_again)
    given = [answer(project, alice, B) for _ in range(3)]
    before = standing_of(alice)
    assert (before.gold_right, before.checks_failed, before.agreed) == (0, 1, 0)
    assert (before.longer, before.shorter) == (3, 0) or before.longer == 1
    for number, one in enumerate(given):
        correct(one, A, key=f"corrected {number}")
    after = standing_of(alice)
    assert (after.gold, after.gold_right) == (1, 1)
    assert (after.checks, after.checks_failed) == (1, 0)
    assert (after.compared, after.agreed) == (before.compared, 1)
    assert after.answers == 3
    assert after.timed == before.timed
    assert after.lefts + after.rights == before.lefts + before.rights
    assert after.suspicion < before.suspicion


def test_in_training_the_first_answer_counts(project, alice):
    queue = make.queue(project, is_training=True)
    make.task(project, queue=queue, gold=A)
    given = answer(project, alice, B)
    correct(given, A, key="corrected")
    assert standing_of(alice).gold_right == 0


def test_a_correction_may_meet_a_rule(project, alice):
    queue = make.queue(project)
    rule(queue, "check_failed", "pause", failed=1)
    make.task(project, queue=queue, gold=A, is_check=True)
    correct(answer(project, alice, A), B, key="corrected")
    assert Annotator.objects.get(user=alice).paused_at
