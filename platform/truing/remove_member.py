"""Taking somebody out of a project: their answers stay, their way in ends."""

from django.db import transaction

from truing.audit import record
from truing.change_role import (
    check_an_owner_remains,
    current,
    lock_members,
    withdraw_invitations_by,
)
from truing.models import Invitation, Membership, User


@transaction.atomic
def remove_member(membership: Membership, *, actor: User | None) -> None:
    """End a membership. From the next request on this person sees 404.

    What they hold comes free when its lease runs out.
    """
    lock_members(membership.project, actor=actor)
    member = current(membership)
    role = Membership.Role(member.role)
    if role == Membership.Role.OWNER:
        check_an_owner_remains(member)
    withdraw_invitations_by(member)
    Invitation.objects.filter(project=member.project, email__iexact=member.user.email).revoke()
    member.delete()
    record(
        "member.remove",
        actor=actor,
        project=member.project,
        on=member.user,
        role=role.name.lower(),
    )
