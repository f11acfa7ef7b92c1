"""Who may decide about a checkpoint, and what a decision must say."""

from truing.errors import Invalid, Refused
from truing.models import Membership, Project, User

REASON_LENGTH = 5000


class MayNotDecide(Refused):
    """Only an engineer or the owner of the project decides this."""

    status = 403


class NeedsReason(Invalid):
    """A decision needs a reason."""


def check_decision(project: Project, decided_by: User, reason: str) -> str:
    """The reason as it is kept. Raises a refusal where this person or reason will not do."""
    may = Membership.objects.filter(
        project=project, user=decided_by, role__gte=Membership.Role.ENGINEER
    )
    if not may.exists():
        raise MayNotDecide
    reason = reason.strip().replace("\x00", "")
    if not reason:
        raise NeedsReason
    if len(reason) > REASON_LENGTH:
        raise NeedsReason(f"A reason has at most {REASON_LENGTH:,} characters.")
    return reason
