"""Reviewers settle what people disagree on, and their answer outweighs all others."""

import io
import json
import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from annotation.adjudicate import (
    CannotBeSettled,
    ClosedForThem,
    InOtherHands,
    NobodyAnswered,
    OwnText,
    ReasonWanted,
    SettledMeanwhile,
    ask_another,
    leave_as_it_is,
    let_go,
    reopen,
    send_back,
    settle,
    settlement_of,
    take_dispute,
)
from annotation.agree import agreement
from annotation.ask_again import ask_again
from annotation.asked_now import AtYourDesk
from annotation.assign import next_assignment
from annotation.correct import correct
from annotation.create_queue import create_queue
from annotation.export_feedback import export_feedback
from annotation.find_disputes import find_disputes
from annotation.fit_slots import fit_slots
from annotation.flag import decide
from annotation.freeze import freeze, rows_of
from annotation.intake import import_file
from annotation.look_again_from import look_again_from
from annotation.models import (
    Annotation,
    Annotator,
    Assignment,
    Comment,
    Dispute,
    Exemption,
    Flag,
    Lookout,
    Queue,
    Return,
    Standing,
)
from annotation.preview import preview
from annotation.skip import skip
from annotation.stand_by import NotSentBack, stand_by
from annotation.submit import BadAnswer, submit
from annotation.task_types import TASK_TYPES
from annotation.weigh_disputes import weigh_disputes
from tests import make
from truing.errors import Invalid
from truing.models import Event, Membership
from truing.remove_member import remove_member

A, B = {"tiers": [["a"], ["b"]]}, {"tiers": [["b"], ["a"]]}


def disputed(project, *answers, **fields):
    """A task about which w0, w1 ... said these."""
    task = make.task(project, answers=0, **fields)
    for number, tiers in enumerate(answers or ("ab", "ba")):
        make.vote(task, *tiers, by=f"w{number}")
    return task


def settled(task, person, answer=A, *, replaces=None, key=None, reason="It is right."):
    number = Annotation.objects.count()
    return settle(
        task,
        answer,
        reason=reason,
        key=key or f"settled-{number}",
        replaces=replaces,
        actor=person,
    )


def state_of(task):
    return Dispute.objects.get(task=task).state


def answered(project, person, answer):
    number = Annotation.objects.count()
    return submit(next_assignment(project, person), answer, key=f"answer-{number}")


# --- what is in dispute


def test_finds_what_people_disagree_on_the_worst_first(project):
    a_little = disputed(project, "ab", "ab", "ab", "ba")
    disputed(project, "ab", "ab")
    disputed(project, "ab")
    half = disputed(project, "ab", "ba")
    two_to_one = disputed(project, "ab", "ba", "ab")
    assert find_disputes(project)
    found = Dispute.objects.in_project(project).worst_first()
    assert [one.task for one in found] == [half, two_to_one, a_little]
    assert [one.answers for one in found] == [2, 3, 4]


def test_looks_only_at_what_came_since(project, django_assert_max_num_queries):
    disputed(project)
    find_disputes(project)
    late = disputed(project)
    find_disputes(project)
    assert state_of(late) == "open"
    with django_assert_max_num_queries(12):
        assert find_disputes(project)


def test_looks_in_pieces_and_goes_on_where_it_stopped(project, monkeypatch):
    monkeypatch.setattr("annotation.find_disputes.WINDOW", 2)
    monkeypatch.setattr("annotation.find_disputes.MARGIN", 0)
    for _ in range(3):
        disputed(project)
    assert not find_disputes(project, patience_seconds=0)
    assert Dispute.objects.count() == 1
    assert find_disputes(project)
    assert Dispute.objects.count() == 3


def test_finds_what_came_with_a_file_that_was_long_on_its_way(project, monkeypatch):
    monkeypatch.setattr("annotation.find_disputes.MARGIN", 0)
    disputed(project)
    find_disputes(project)
    line = {
        "id": "1",
        "prompt": [{"role": "user", "content": "Why?"}],
        "outputs": [{"id": "a", "text": "1"}, {"id": "b", "text": "2"}],
        "annotations": [
            {"annotator": "x", "answer": A},
            {"annotator": "y", "answer": B},
        ],
    }
    Lookout.objects.update(seen=10**9)  # others answered while the file came in
    import_file(project, io.BytesIO(json.dumps(line).encode()))
    find_disputes(project)
    assert Dispute.objects.count() == 2


def test_who_agrees_by_now_is_in_no_dispute(project):
    task = disputed(project)
    find_disputes(project)
    careless = Annotator.objects.get(name="w1")
    Standing.objects.create(queue=task.queue, annotator=careless, left_out_at=timezone.now())
    look_again_from(project, 1)
    find_disputes(project)
    assert state_of(task) == "agreed"


def test_another_project_has_its_own(project):
    other = make.project("other")
    disputed(other)
    find_disputes(project)
    assert not Dispute.objects.exists()


def test_a_review_is_decided_by_those_who_are_asked_in_it(project):
    queue = make.queue(project, reserved_for="review")
    disputed(project, queue=queue)
    find_disputes(project)
    assert not Dispute.objects.exists()


@pytest.mark.parametrize("name", [name for name, one in TASK_TYPES.items() if one.can_be_settled])
def test_every_type_that_can_be_settled_knows_when_answers_differ(project, rita, name):
    from annotation.doubt import LEAST, doubt

    one = TASK_TYPES[name].example_answer
    others = {
        "tiers": {"tiers": list(reversed(one.get("tiers", [])))},
        "ratings": {
            "ratings": {
                ref: {aspect: 7 if level < 4 else 1 for aspect, level in levels.items()}
                for ref, levels in one.get("ratings", {}).items()
            }
        },
        "labels": {"labels": {} if isinstance(one.get("labels"), dict) else []},
        "verdict": {"verdict": "reject"},
        "spans": {"spans": []},
    }
    different = {key: value for part in one for key, value in others.get(part, {}).items()}
    assert doubt([one, one, one]) == 0
    assert doubt([one, {**one, **different}]) >= LEAST


def test_all_bad_is_another_answer_than_an_order(project):
    task = disputed(project, "ab")
    make.vote(task, by="bad", all_bad=True)
    find_disputes(project)
    assert state_of(task) == "open"


# --- settling


def test_a_settled_answer_outweighs_all_others(project, rita):
    task = disputed(project, "ba", "ba", "ba")
    assert rows(project)[0]["chosen"] == "two"
    given = settled(task, rita, A)
    [row] = rows(project)
    assert (row["chosen"], row["agreement"], row["votes"]) == ("one", 1.0, 1)
    assert given.pk in row["annotations"]
    assert len(row["annotations"]) == 4
    assert state_of(task) == "settled"


@pytest.mark.parametrize(
    "aggregator", ["majority", "bradley_terry", "dawid_skene", "noisy_bradley_terry"]
)
def test_with_every_aggregator(project, rita, aggregator):
    for _ in range(3):
        disputed(project, "ba", "ba", "ba")
    settled(disputed(project, "ba", "ba"), rita, A)
    recipe = {"aggregator": aggregator, "minimum_votes": 2, "minimum_agreement": 0.9}
    chosen = sorted(row["chosen"] for row in rows(project, recipe))
    assert chosen.count("one") == 1


def rows(project, recipe=None):
    from annotation.derive import derive
    from annotation.derived import Left
    from annotation.recipe import read_recipe

    known = read_recipe("preference", recipe or {})
    return [one.row for one in derive(project, "preference", known, Left())]


def test_it_is_no_vote_where_agreement_is_measured(project, rita):
    task = disputed(project, "ab", "ba")
    before = agreement(project)
    settled(task, rita)
    assert agreement(project) == before


def test_a_manifest_says_how_many_were_settled(project, rita):
    settled(disputed(project, "ba", "ba"), rita)
    disputed(project, "ab", "ab")
    assert preview(project, "preference").counts()["settled"] == 1
    version = freeze(project, name="settled", kind="preference", actor=None)
    assert version.manifest["counts"]["settled"] == 1
    assert len(list(rows_of(version, "train"))) <= 2


def test_labels_and_ratings_are_settled_too(project, rita):
    task = make.task(project, type="rating", outputs=("one",), answers=0)
    for number, level in enumerate((1, 1, 7)):
        give(task, f"w{number}", {"ratings": {"a": {"Overall": level}}})
    settled(task, rita, {"ratings": {"a": {"Overall": 7}}})
    assert preview(project, "unpaired_preference").counts()["settled"] == 1
    from annotation.derive import derive
    from annotation.derived import Left
    from annotation.recipe import read_recipe

    recipe = read_recipe("unpaired_preference", {"minimum_votes": 3})
    [row] = [one.row for one in derive(project, "unpaired_preference", recipe, Left())]
    assert (row["label"], row["votes"], len(row["annotations"])) == (True, 1, 4)


def give(task, name, answer, purpose="import", round=1):
    person = Annotator.objects.get_or_create(
        project=task.queue.project, source="import", name=name, defaults={"pseudonym": name}
    )[0]
    slot = Assignment.objects.create(
        task=task,
        queue=task.queue,
        annotator=person,
        state="answered",
        purpose=purpose,
        round=round,
    )
    number = next(make.numbers)
    return Annotation.objects.create(assignment=slot, answer=answer, key=f"given-{number}")


def test_a_gate_follows_the_reviewer(project, rita):
    """What most rejected goes into training when a reviewer accepts it."""
    writing = create_queue(project, name="Write", type="demonstration", actor=None)
    prompt = make.prompt(project)
    author = make.annotator(project, "author")
    task = make.task(project, queue=writing, outputs=(), answers=0)
    task.prompt = prompt
    task.save()
    written = give(task, "author", {"text": "Blue."})
    from annotation.keep_written import keep_written
    from annotation.models import Output, TaskOutput

    keep_written(written, task)
    assert written.assignment.annotator == author
    gate = make.task(project, type="validate", outputs=(), answers=0)
    gate.prompt = prompt
    gate.save()
    TaskOutput.objects.create(task=gate, output=Output.objects.get(), position=0, ref="a")
    for name, verdict in (("x", "reject"), ("y", "reject"), ("z", "accept")):
        give(gate, name, {"verdict": verdict})
    recipe = {"validated": True}
    assert preview(project, "instruction", recipe).total == 0
    given = settled(gate, rita, {"verdict": "accept"})
    assert preview(project, "instruction", recipe).total == 1
    reopen(gate, reason="Not yet.", replaces=given.pk, actor=rita)
    assert preview(project, "instruction", recipe).total == 0


def test_tags_follow_the_reviewer(project, rita):
    task = make.task(project, type="classify", outputs=(), answers=0)
    topic, *_ = TASK_TYPES["classify"].example_answer["labels"].items()
    name, values = topic
    for number in range(2):
        give(task, f"w{number}", {"labels": {}})
    settled(task, rita, TASK_TYPES["classify"].example_answer)
    task.prompt.refresh_from_db()
    assert f"{name}:{values[0]}" in task.prompt.judged_tags


def test_needs_a_reason_and_an_answer(project, rita):
    task = disputed(project)
    with pytest.raises(ReasonWanted):
        settled(task, rita, reason="  ")
    with pytest.raises(BadAnswer):
        settled(task, rita, {"tiers": []})
    assert settlement_of(task) is None


def test_sent_twice_it_is_counted_once(project, rita):
    task = disputed(project)
    assert settled(task, rita, key="one") == settled(task, rita, key="one")
    assert Annotation.objects.filter(assignment__purpose="adjudication").count() == 1


def test_nothing_is_settled_where_each_writes_a_text(project, rita):
    task = make.task(project, type="demonstration", outputs=(), answers=0)
    give(task, "w", {"text": "Blue."})
    with pytest.raises(CannotBeSettled):
        settled(task, rita, {"text": "Red."})


def test_nothing_is_settled_that_nobody_answered(project, rita):
    with pytest.raises(NobodyAnswered):
        take_dispute(make.task(project), rita)


def test_nobody_else_is_asked_then_and_who_has_it_may_finish(project, rita, alice):
    queue = make.queue(project, overlap=4)
    task = disputed(project, queue=queue)
    Assignment.objects.bulk_create(Assignment(task=task, queue=queue) for _ in range(2))
    slot = next_assignment(project, alice)
    settled(task, rita)
    assert not Assignment.objects.free().exists()
    submit(slot, B, key="late")
    assert settlement_of(task).answer == A
    with transaction.atomic():
        fit_slots(queue)
    assert not Assignment.objects.free().exists()


def test_nor_when_who_has_it_skips_it_or_a_flag_is_put_back(project, rita, alice, bob, clara):
    queue = make.queue(project, overlap=5)
    task = disputed(project, queue=queue)
    Assignment.objects.bulk_create(Assignment(task=task, queue=queue) for _ in range(3))
    of_alice, of_bob = next_assignment(project, alice), next_assignment(project, bob)
    skip(of_bob, meaning="nobody", reason="Really?")
    settled(task, rita)
    skip(of_alice, reason="Not mine.")
    decide(Flag.objects.get(), put_back=True, actor=clara)
    assert not Assignment.objects.filter(state__in=["free", "withheld"]).exists()
    # Taken back, as many are asked as ever.
    reopen(task, reason="Too fast.", replaces=settlement_of(task).pk, actor=rita)
    assert Assignment.objects.free().count() == 3


def test_a_reviewer_may_settle_what_they_answered_and_the_log_says_so(project, rita, alice):
    make.task(project, answers=2)
    task = answered(project, rita, A).assignment.task
    answered(project, alice, B)
    settled(task, rita, A)
    assert Event.objects.get(verb="task.settle").details["answered_it_too"] is True
    assert [event.label for event in Event.objects.filter(verb="task.settle")] == [str(task)]


# --- two reviewers


def test_only_one_holds_it(project, rita, owen):
    task = disputed(project)
    dispute, is_mine = take_dispute(task, rita)
    assert is_mine
    assert take_dispute(task, owen)[1] is False
    with pytest.raises(InOtherHands):
        settled(task, owen)
    let_go(task, rita)
    assert take_dispute(task, owen)[1]
    Dispute.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    assert take_dispute(task, rita)[1]


def test_what_another_settled_meanwhile_is_not_overwritten_unseen(project, rita, owen):
    task = disputed(project)
    first = settled(task, rita, A)
    with pytest.raises(SettledMeanwhile):
        settled(task, owen, B)
    second = settled(task, owen, B, replaces=first.pk)
    assert settlement_of(task) == second
    # What the first one said stays, and counts no more.
    assert first.assignment.purpose == "adjudication"
    again = settled(task, rita, A, replaces=second.pk)
    assert settlement_of(task) == again
    assert again.supersedes == first


@pytest.mark.django_db(transaction=True)
def test_two_at_once_settle_it_once(project, rita, owen):
    task = disputed(project)
    outcomes = []

    def settle_it(person, answer):
        try:
            settled(task, person, answer, key=f"of-{person.name}")
            outcomes.append("settled")
        except (SettledMeanwhile, InOtherHands):
            outcomes.append("refused")
        finally:
            connection.close()

    # The first is under way, and has not committed.
    with transaction.atomic():
        settled(task, rita, A, key="first")
        other = threading.Thread(target=settle_it, args=(owen, B))
        other.start()
        other.join(0.5)
        assert other.is_alive(), "the second waits for the first"
    other.join()
    assert outcomes == ["refused"]
    assert settlement_of(task).answer == A


# --- taking back


def test_reopened_the_votes_count_again(project, rita):
    queue = make.queue(project, overlap=3)
    task = disputed(project, "ba", "ba", queue=queue)
    given = settled(task, rita, A)
    reopen(task, reason="Too fast.", replaces=given.pk, actor=rita)
    assert settlement_of(task) is None
    assert rows(project)[0]["chosen"] == "two"
    assert Assignment.objects.free().count() == 1  # the third answer is wanted again
    again = settled(task, rita, B)
    assert (again.supersedes, settlement_of(task)) == (given, again)


def test_what_is_taken_back_is_what_they_have_seen(project, rita, owen):
    task = disputed(project)
    first = settled(task, rita, B)
    second = settled(task, owen, A, replaces=first.pk)
    for seen in (first.pk, None):
        with pytest.raises(SettledMeanwhile):
            reopen(task, reason="Too fast.", replaces=seen, actor=rita)
    assert settlement_of(task) == second


def test_a_correction_by_the_same_reviewer_follows(project, rita):
    task = disputed(project)
    first = settled(task, rita, A)
    second = settled(task, rita, B, replaces=first.pk)
    assert second.supersedes == first
    assert settlement_of(task) == second


# --- blindness


def test_who_is_asked_the_same_sees_nothing(project, rita):
    task = disputed(project)
    Assignment.objects.create(task=task, queue=task.queue)
    next_assignment(project, rita)
    with pytest.raises(AtYourDesk):
        take_dispute(task, rita)
    with pytest.raises(AtYourDesk):
        settled(task, rita)


def test_who_has_seen_the_answers_is_asked_no_more(project, rita):
    task = disputed(project)
    Assignment.objects.create(task=task, queue=task.queue)
    take_dispute(task, rita)
    assert next_assignment(project, rita) is None


def test_who_wrote_it_does_not_settle_it(project, rita):
    task = disputed(project)
    me = Annotator.objects.member(project, rita)
    Exemption.objects.create(task=task, annotator=me, why="wrote")
    with pytest.raises(OwnText):
        settled(task, rita)


# --- a new round


def test_the_newest_round_counts_once_somebody_has_answered_in_it(project, alice, clara):
    task = disputed(project, "ba", "ba", queue=make.queue(project))
    ask_again(task.queue, [task.pk], actor=clara)
    assert rows(project)[0]["chosen"] == "two"
    answered(project, alice, A)
    [row] = rows(project)
    assert (row["chosen"], row["votes"]) == ("one", 1)


def test_a_new_round_outweighs_what_was_settled_before(project, alice, rita, clara):
    task = disputed(project, "ba", "ba", queue=make.queue(project))
    settled(task, rita, B)
    ask_again(task.queue, [task.pk], actor=clara)
    assert settlement_of(task)
    answered(project, alice, A)
    assert settlement_of(task) is None
    assert rows(project)[0]["chosen"] == "one"
    settled(task, rita, B)
    assert Assignment.objects.filter(purpose="adjudication").count() == 2
    assert rows(project)[0]["chosen"] == "two"


def test_what_is_left_out_of_merges_makes_no_new_round(project, alice, clara):
    task = disputed(project, "ba", "ba", queue=make.queue(project))
    ask_again(task.queue, [task.pk], actor=clara)
    answered(project, alice, A)
    who = Annotator.objects.get(user=alice)
    Standing.objects.update_or_create(
        queue=task.queue, annotator=who, defaults={"left_out_at": timezone.now()}
    )
    assert rows(project)[0]["chosen"] == "two"


def test_asked_again_the_new_round_is_what_is_wanted(project, clara):
    from annotation.edit_queue import edit_queue

    queue = make.queue(project, overlap=2)
    task = disputed(project, "ab", queue=queue)
    Assignment.objects.create(task=task, queue=queue)
    ask_again(queue, [task.pk], actor=clara)
    rounds = Assignment.objects.free().values_list("round", flat=True)
    assert list(rounds) == [2, 2]
    edit_queue(queue, overlap=3, actor=clara)
    assert list(rounds.all()) == [2, 2, 2]
    edit_queue(queue, overlap=1, actor=clara)
    assert list(rounds.all()) == [2]


# --- asking others, and sending back


@pytest.fixture
def differing(project, alice, bob):
    """Alice and Bob answered, each otherwise."""
    queue = make.queue(project, overlap=2)
    task = make.task(project, queue=queue, answers=2)
    return task, answered(project, alice, A), answered(project, bob, B)


def test_one_more_person_is_asked(project, differing, rita):
    task, *_ = differing
    ask_another(task, actor=rita)
    assert state_of(task) == "waiting"
    dora = make.member(project, "dora")
    answered(project, dora, A)
    find_disputes(project)
    assert state_of(task) == "open"
    assert Dispute.objects.get().answers == 3


def test_sent_back_it_waits_for_who_answered(project, differing, alice, bob, rita):
    task, of_alice, of_bob = differing
    send_back(task, [of_alice.pk], text="Read the second to its end.", actor=rita)
    assert state_of(task) == "waiting"
    assert Annotator.objects.get(user=alice).sent_back == 1
    assert Annotator.objects.get(user=bob).sent_back == 0
    find_disputes(project)
    assert state_of(task) == "waiting"
    correct(of_alice, B, key="corrected")
    assert Annotator.objects.get(user=alice).sent_back == 0
    assert Return.objects.get().state == "corrected"
    assert state_of(task) == "agreed"


def test_who_stands_by_it_says_so(project, differing, alice, rita):
    task, of_alice, _ = differing
    send_back(task, [of_alice.pk], text="Look again.", actor=rita)
    stand_by(of_alice, text="I did.", actor=alice)
    assert (Return.objects.get().state, state_of(task)) == ("kept", "open")
    assert [one.text for one in Comment.objects.order_by("pk")] == ["Look again.", "I did."]
    with pytest.raises(NotSentBack):
        stand_by(of_alice, actor=alice)


def test_what_was_sent_back_to_who_left_waits_no_more(project, differing, alice, rita):
    task, of_alice, of_bob = differing
    send_back(task, [of_alice.pk], text="Look again.", actor=rita)
    weigh_disputes([task.pk])
    assert state_of(task) == "waiting"
    remove_member(Membership.objects.get(user=alice), actor=None)
    weigh_disputes([task.pk])
    assert state_of(task) == "open"
    with pytest.raises(Invalid, match="somebody has left"):
        send_back(task, [of_alice.pk, of_bob.pk], text="Look again.", actor=rita)
    assert Return.objects.count() == 1


def test_in_a_closed_queue_nothing_waits(project, differing, rita):
    task, of_alice, _ = differing
    send_back(task, [of_alice.pk], text="Look again.", actor=rita)
    ask_another(task, actor=rita)
    Queue.objects.update(state="closed")
    weigh_disputes([task.pk])
    assert state_of(task) == "open"


def test_what_cannot_be_settled_is_in_no_dispute(project, rita):
    task = make.task(project, type="demonstration", outputs=())
    given = submit(next_assignment(project, make.member(project)), {"text": "So."}, key="k")
    for attempt in (
        lambda: leave_as_it_is(task, actor=rita),
        lambda: ask_another(task, actor=rita),
        lambda: send_back(task, [given.pk], text="Look again.", actor=rita),
        lambda: reopen(task, reason="No.", replaces=None, actor=rita),
    ):
        with pytest.raises(CannotBeSettled):
            attempt()
    assert not Dispute.objects.exists()


def test_settled_meanwhile_nobody_is_to_look_again(project, differing, alice, rita):
    task, of_alice, _ = differing
    send_back(task, [of_alice.pk], text="Look again.", actor=rita)
    settled(task, rita)
    assert (Return.objects.get().state, Annotator.objects.get(user=alice).sent_back) == ("over", 0)


def test_what_is_sent_back_are_answers_to_this_question_that_stand(project, differing, rita):
    task, of_alice, _ = differing
    other = disputed(project)
    with pytest.raises(Invalid, match="Choose answers"):
        send_back(other, [of_alice.pk], text="Look.", actor=rita)
    with pytest.raises(Invalid, match="came with a file"):
        send_back(other, [other.assignments.first().annotations.get().pk], text="x", actor=rita)
    with pytest.raises(Invalid, match="Say what"):
        send_back(task, [of_alice.pk], text=" ", actor=rita)
    Queue.objects.update(state="closed")
    with pytest.raises(ClosedForThem):
        send_back(task, [of_alice.pk], text="Look.", actor=rita)


def test_left_as_it_is_it_comes_back_with_another_answer(project, rita):
    task = disputed(project)
    leave_as_it_is(task, note="A matter of taste.", actor=rita)
    find_disputes(project)
    assert state_of(task) == "left"
    make.vote(task, "b", "a", by="another")
    find_disputes(project)
    assert state_of(task) == "open"


@pytest.mark.django_db(transaction=True)
def test_a_correction_and_a_settlement_at_once_do_not_lock_each_other_out(
    project, differing, rita, alice
):
    task, of_alice, _ = differing
    send_back(task, [of_alice.pk], text="Look again.", actor=rita)
    problems = []

    def correct_it():
        try:
            correct(of_alice, B, key="corrected")
        except Exception as problem:
            problems.append(problem)
        finally:
            connection.close()

    with transaction.atomic():
        settled(task, rita)
        other = threading.Thread(target=correct_it)
        other.start()
        other.join(0.5)
    other.join()
    assert problems == []
    assert Return.objects.get().state == "over"
    assert Annotator.objects.get(user=alice).sent_back == 0


def test_weighing_costs_the_same_with_more_tasks(project, django_assert_num_queries):
    from django.test.utils import CaptureQueriesContext

    def queries(number):
        tasks = [disputed(project).pk for _ in range(number)]
        with CaptureQueriesContext(connection) as seen:
            weigh_disputes(tasks)
        return len(seen)

    assert queries(2) == queries(20)


# --- out and in again


def test_settlements_come_out_and_go_in_again(project, rita, owen, alice, clara):
    task = disputed(project, "ba", "ba", queue=make.queue(project))
    first = settled(task, rita, A, reason="So.")
    settled(task, rita, B, replaces=first.pk)
    other = disputed(project, "ab", "ba")
    given = settled(other, owen, A)
    reopen(other, reason="Too fast.", replaces=given.pk, actor=owen)
    third = disputed(project, "ab", "ba")
    one = settled(third, owen, A)
    settled(third, rita, B, replaces=one.pk)
    # Rita has also answered one herself.
    make.task(project, answers=1)
    mine = answered(project, rita, A).assignment.task
    settled(mine, rita, B)
    lines = list(export_feedback(project))
    assert "purpose" in json.dumps(lines)
    into = make.project("into")
    text = "\n".join(json.dumps(line) for line in lines)
    report = import_file(into, io.BytesIO(text.encode()))
    assert report.problems == []
    assert list(export_feedback(into)) == lines
    again = import_file(into, io.BytesIO(text.encode()))
    assert (again.problems, again.annotations) == ([], 0)
    counted = {
        line["id"]: settlement_of(into.queues.first().tasks.get(ref=line["id"]))
        for line in lines[:1]
    }
    assert counted[task.ref].answer == B
    assert {one["chosen"] for one in rows(into)} == {one["chosen"] for one in rows(project)}
    find_disputes(into)
    states = dict(Dispute.objects.filter(queue__project=into).values_list("task__ref", "state"))
    assert (states[task.ref], states[other.ref], states[third.ref]) == (
        "settled",
        "open",
        "settled",
    )


def test_repeats_come_out_and_go_in_again(project):
    task = disputed(project)
    make.vote(task, "a", "b", by="w0", purpose="repeat", round=0)
    lines = list(export_feedback(project))
    into = make.project("into")
    assert import_file(into, io.BytesIO(json.dumps(lines[0]).encode())).problems == []
    assert list(export_feedback(into)) == lines
