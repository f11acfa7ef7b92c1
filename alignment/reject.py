"""Rejecting: a finished review ends without a promotion, for a reason."""

from django.db import transaction
from django.utils import timezone

from alignment.decide import check_decision
from alignment.models import Review
from truing.audit import record
from truing.errors import Refused
from truing.models import User


class NothingToDecide(Refused):
    """There is nothing to decide about this review."""


@transaction.atomic
def reject(review: Review, *, reason: str, decided_by: User) -> Review:
    """Decide that the candidate does not go into force."""
    reason = check_decision(review.project, decided_by, reason)
    locked = Review.objects.select_for_update(of=("self",)).get(pk=review.pk)
    if locked.state != Review.State.FINISHED:
        raise NothingToDecide(f"This review is {locked.state}: let it finish first.")
    if locked.decision:
        raise NothingToDecide(f"This review has been decided: the candidate was {locked.decision}.")
    locked.decision = Review.Decision.REJECTED
    locked.reason = reason
    locked.decided_by = decided_by
    locked.decided_at = timezone.now()
    locked.save(update_fields=["decision", "reason", "decided_by", "decided_at"])
    record(
        "review.reject",
        actor=decided_by,
        project=locked.project,
        on=locked,
        reason=reason,
        candidate=locked.candidate.name,
    )
    return locked
