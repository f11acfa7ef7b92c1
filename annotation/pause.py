"""Pause somebody by hand: they are asked nothing until a person says so."""

from django.db import transaction
from django.utils import timezone

from annotation.enter import enter_as
from annotation.models import Annotator
from truing.audit import record
from truing.errors import Invalid, Refused
from truing.models import User

REASON_LENGTH = 250


class NoReason(Invalid):
    """Say why: they read it at their desk."""


class AlreadyPaused(Refused):
    """They are paused already."""


@transaction.atomic
def pause(annotator: Annotator, *, because: str, actor: User | None) -> None:
    """They keep what they have in hand and typed, and are asked nothing; they read why.

    What rules do later, and undoing it, leaves this pause as it is.
    """
    because = " ".join(because.split())
    if not because or len(because) > REASON_LENGTH or "\x00" in because:
        raise NoReason(f"Say why, in at most {REASON_LENGTH} characters: they read it.")
    person = enter_as(annotator)
    if person.paused_at and person.paused_by_hand:
        raise AlreadyPaused
    person.paused_at = person.paused_at or timezone.now()
    person.paused_because, person.paused_by, person.paused_by_hand = because, actor, True
    person.save(update_fields=["paused_at", "paused_because", "paused_by", "paused_by_hand"])
    record("annotator.pause", actor=actor, project=person.project, on=person, because=because)
