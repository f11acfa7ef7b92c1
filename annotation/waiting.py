"""What waits for somebody in a project, as far as a look tells. Nothing is taken."""

import random
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from annotation.enter import enter
from annotation.lanes import RANDOM_LANES
from annotation.models import Annotator
from annotation.pick import AHEAD, open_queues, pick
from truing.models import Project, User


@dataclass(frozen=True)
class Waiting:
    """What is 0 may still be found at the desk, which looks further: put off, or far behind."""

    questions: int
    is_more: bool
    sent_back: int
    comments: int
    is_paused: bool


@transaction.atomic  # what is looked at is locked until it ends, so that others pass it by
def waiting_for(project: Project, user: User) -> Waiting:
    # Alone, as at the desk: else they would pass by what they hold, and be given a second one.
    annotator = enter(project, user)
    questions, is_more = (0, False) if annotator.paused_at else _questions(annotator)
    return Waiting(
        questions=min(questions, AHEAD),
        is_more=is_more,
        sent_back=annotator.sent_back,
        comments=annotator.unread,
        is_paused=annotator.paused_at is not None,
    )


def _questions(annotator: Annotator) -> tuple[int, bool]:
    """What they hold or would be given next, what lies ahead of that, and whether there is more."""
    now = timezone.now()
    found = open_queues(annotator, now)
    free = [one for one in found if not one.is_capped and not one.queue.exam_skill]
    chance = random.randrange(RANDOM_LANES)
    stretches = [stretch for one in free for stretch in one.stretches(chance)]
    picked = pick(annotator, found, stretches, now) if found else None
    return (1 + picked.ahead, picked.is_more) if picked else (0, False)
