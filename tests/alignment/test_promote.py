"""Promotion: for a reason, by an engineer, after people have compared; one at a time."""

import pytest
from django.db import DatabaseError, transaction

from alignment.decide import MayNotDecide, NeedsReason
from alignment.models import Promotion, Review
from alignment.promote import CannotPromote, NeedsReview, promote
from alignment.reject import NothingToDecide, reject
from tests.together import with_a_transaction_open
from truing.models import Event, Project


@pytest.fixture
def old(checkpoint, erin):
    made = checkpoint("old")
    promote(made, reason="The first.", decided_by=erin)
    return made


@pytest.fixture
def new(checkpoint):
    return checkpoint("new")


def reviewed(candidate, baseline, state="finished", **fields):
    return Review.objects.create(
        project=candidate.project,
        candidate=candidate,
        baseline=baseline,
        prompts=[],
        state=state,
        **fields,
    )


def in_force(project):
    return Promotion.objects.in_force(project).checkpoint


def test_the_first_needs_a_reason_only(new, project, erin):
    promotion = promote(new, reason=" It speaks. ", decided_by=erin)
    assert in_force(project) == new
    assert promotion.reason == "It speaks."
    assert promotion.review is None
    assert Event.objects.get(verb="checkpoint.promote").details["reason"] == "It speaks."


def test_any_other_needs_a_finished_review(old, new, project, erin):
    with pytest.raises(NeedsReview, match="new has no finished review against old"):
        promote(new, reason="I like it.", decided_by=erin)
    reviewed(new, old, state="open")
    with pytest.raises(NeedsReview):
        promote(new, reason="I like it.", decided_by=erin)
    assert in_force(project) == old


def test_a_finished_review_lets_it_through_and_is_decided(old, new, project, erin):
    review = reviewed(new, old)
    promotion = promote(new, reason="It won.", decided_by=erin)
    assert in_force(project) == new
    assert promotion.review == review
    review.refresh_from_db()
    assert (review.decision, review.reason, review.decided_by) == ("promoted", "It won.", erin)


def test_a_review_against_something_else_does_not(old, new, checkpoint, erin):
    reviewed(new, checkpoint("a third"))
    with pytest.raises(NeedsReview):
        promote(new, reason="It won.", decided_by=erin)


def test_a_review_of_something_else_does_not(old, new, checkpoint, erin):
    other = reviewed(checkpoint("a third"), old)
    with pytest.raises(NeedsReview, match="This review decides nothing here"):
        promote(new, reason="It won.", decided_by=erin, review=other)


def test_a_rejected_candidate_needs_another_review(old, new, project, erin):
    reject(reviewed(new, old), reason="Too rude.", decided_by=erin)
    with pytest.raises(NeedsReview):
        promote(new, reason="After all.", decided_by=erin)
    reviewed(new, old)
    promote(new, reason="People changed their minds.", decided_by=erin)
    assert in_force(project) == new


def test_going_back_needs_a_reason_only(old, new, project, erin):
    reviewed(new, old)
    promote(new, reason="It won.", decided_by=erin)
    promotion = promote(old, reason="The new one is slow.", decided_by=erin)
    assert in_force(project) == old
    assert promotion.review is None


def test_what_is_in_force_is_not_promoted_again(old, erin):
    with pytest.raises(CannotPromote, match="old is in force already"):
        promote(old, reason="Again.", decided_by=erin)


def test_a_reward_model_is_not_promoted(checkpoint, erin):
    with pytest.raises(CannotPromote, match="is a reward model"):
        promote(checkpoint("judge", kind="reward"), reason="It judges.", decided_by=erin)


@pytest.mark.parametrize("reason", ["", "  \n ", "x" * 5001])
def test_a_decision_needs_a_reason(new, old, erin, reason):
    review = reviewed(new, old)
    with pytest.raises(NeedsReason):
        promote(new, reason=reason, decided_by=erin)
    with pytest.raises(NeedsReason):
        reject(review, reason=reason, decided_by=erin)
    assert Promotion.objects.count() == 1


@pytest.mark.parametrize("who", ["clara", "rita", "alice", "mallory"])
def test_only_an_engineer_or_the_owner_decides(new, who, request):
    person = request.getfixturevalue(who)
    with pytest.raises(MayNotDecide):
        promote(new, reason="Mine.", decided_by=person)
    assert not Promotion.objects.exists()


def test_the_owner_decides_too(new, owen):
    assert promote(new, reason="Mine.", decided_by=owen)


def test_only_a_finished_review_is_rejected_and_only_once(new, old, erin):
    with pytest.raises(NothingToDecide, match="let it finish first"):
        reject(reviewed(new, old, state="open"), reason="No.", decided_by=erin)
    Review.objects.all().delete()
    review = reviewed(new, old)
    reject(review, reason="No.", decided_by=erin)
    with pytest.raises(NothingToDecide, match="was rejected"):
        reject(review, reason="No, no.", decided_by=erin)
    assert Event.objects.filter(verb="review.reject").count() == 1


def test_promotions_are_never_changed_or_deleted(old):
    for change in (
        lambda: Promotion.objects.update(reason="Another."),
        lambda: Promotion.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert Promotion.objects.get().reason == "The first."


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_the_second_is_refused(old, new, checkpoint, project, erin):
    """Both won against the old one; when the first is in force, the other has not met it."""
    other = checkpoint("other")
    reviewed(new, old)
    reviewed(other, old)
    _, refusal = with_a_transaction_open(
        lambda: promote(new, reason="It won.", decided_by=erin),
        lambda: promote(other, reason="It won too.", decided_by=erin),
    )
    assert isinstance(refusal, NeedsReview)
    assert str(refusal) == (
        "other has no finished review against new, which is in force: open one, "
        "and let people compare."
    )
    assert in_force(Project.objects.get()) == new
