"""Settling: a reviewer's answer outweighs all others, and can be taken back."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from annotation.adjudicate import (
    CannotBeSettled,
    InOtherHands,
    NobodyAnswered,
    OwnText,
    ReasonWanted,
    SettledMeanwhile,
    let_go,
    reopen,
    settlement_of,
    take_dispute,
)
from annotation.agree import agreement
from annotation.asked_now import AtYourDesk
from annotation.assign import next_assignment
from annotation.create_queue import create_queue
from annotation.fit_slots import fit_slots
from annotation.flag import decide
from annotation.freeze import freeze, rows_of
from annotation.models import Annotation, Annotator, Assignment, Dispute, Exemption, Flag
from annotation.preview import preview
from annotation.skip import skip
from annotation.submit import BadAnswer, submit
from annotation.task_types import TASK_TYPES
from tests import make
from tests.annotation.disputes import A, B, answered, disputed, rows, settled, state_of
from tests.together import with_a_transaction_open
from truing.models import Event


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
    _, refusal = with_a_transaction_open(
        lambda: settled(task, rita, A, key="first"), lambda: settled(task, owen, B, key="second")
    )
    assert isinstance(refusal, (SettledMeanwhile, InOtherHands))
    assert settlement_of(task).answer == A


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
