"""Finishing a review: its numbers are written down, and nobody is asked any more."""

from django.db import transaction
from django.utils import timezone

from alignment.models import Review
from alignment.verdict import Verdict, verdict
from annotation.enter import clear_desk
from annotation.models import Queue
from truing.audit import record
from truing.errors import Refused
from truing.models import User


class NotOpen(Refused):
    """This review is not open."""


class NobodyAnswered(Refused):
    """Nobody has answered yet: there is nothing to conclude."""


@transaction.atomic
def finish(review: Review, *, actor: User | None, early: bool = False) -> Verdict:
    """Close the review. Before its last answer only when `early` says so."""
    locked = Review.objects.select_for_update().get(pk=review.pk)
    if locked.state != Review.State.OPEN or locked.queue_id is None:
        raise NotOpen(f"This review is not open: it is {locked.state}.")
    # Closed first: an answer that comes now is refused, and not lost between two counts. Those
    # that were let in before are waited for.
    clear_desk(review.project)
    Queue.objects.filter(pk=locked.queue_id).update(state=Queue.State.CLOSED)
    found = verdict(locked)
    if early and not found.answers and found.identical < found.prompts:
        raise NobodyAnswered
    review.move(
        Review.State.OPEN,
        Review.State.FINISHED,
        verdict={**found.record(), "early": early, "history": found.history},
        finished_at=timezone.now(),
    )
    record(
        "review.finish",
        actor=actor,
        project=review.project,
        on=review,
        early=early,
        **{name: found.record()[name] for name in ("win_rate", "interval", "answers")},
    )
    return found
