"""Promoting: a checkpoint goes into force, for a reason, and after people have compared it."""

from django.db import transaction
from django.utils import timezone

from alignment.decide import check_decision
from alignment.models import Checkpoint, Promotion, Review
from truing.audit import record
from truing.errors import Refused
from truing.models import Project, User


class CannotPromote(Refused):
    """This checkpoint cannot be promoted."""


class NeedsReview(Refused):
    """Only a checkpoint that people have compared with the one in force can be promoted."""


@transaction.atomic
def promote(
    checkpoint: Checkpoint, *, reason: str, decided_by: User, review: Review | None = None
) -> Promotion:
    """Put a checkpoint into force.

    The first one of a project, and one that was once in force, need a reason only; any other a
    finished review against the one in force, on which nothing has been decided yet.
    """
    reason = check_decision(checkpoint.project, decided_by, reason)
    # Two at once: the second sees what the first has put into force.
    project = Project.objects.select_for_update().get(pk=checkpoint.project_id)
    before = Promotion.objects.in_force(project)
    if checkpoint.kind != Checkpoint.Kind.POLICY:
        raise CannotPromote(f"{checkpoint} is a reward model: it answers nobody.")
    if before and before.checkpoint_id == checkpoint.pk:
        raise CannotPromote(f"{checkpoint} is in force already.")
    review = _review_for(checkpoint, before, review)
    promotion = Promotion.objects.create(
        project=project, checkpoint=checkpoint, review=review, reason=reason, decided_by=decided_by
    )
    if review:
        _decide(review, promotion)
    record(
        "checkpoint.promote",
        actor=decided_by,
        project=project,
        on=checkpoint,
        reason=reason,
        before=before.checkpoint.name if before else None,
        review=review.pk if review else None,
    )
    return promotion


def _review_for(
    checkpoint: Checkpoint, before: Promotion | None, given: Review | None
) -> Review | None:
    """The review that this decision rests on; None if none is needed."""
    found = Review.objects.undecided().filter(candidate=checkpoint)
    found = found.filter(baseline=before.checkpoint) if before else found
    if given is not None:
        found = found.filter(pk=given.pk)
    review = found.select_for_update(of=("self",)).order_by("pk").last()
    was_in_force = checkpoint.promotions.exists()
    if review is None and given is not None:
        raise NeedsReview(
            "This review decides nothing here: it must be finished, undecided, of this checkpoint "
            "and against the one in force."
        )
    if review is None and before and not was_in_force:
        raise NeedsReview(
            f"{checkpoint} has no finished review against {before.checkpoint}, which is in force: "
            "open one, and let people compare."
        )
    return review


def _decide(review: Review, promotion: Promotion) -> None:
    review.decision = Review.Decision.PROMOTED
    review.reason = promotion.reason
    review.decided_by = promotion.decided_by
    review.decided_at = timezone.now()
    review.save(update_fields=["decision", "reason", "decided_by", "decided_at"])
