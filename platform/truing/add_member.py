"""Somebody becomes a member: through an invitation, or by the operator's hand."""

from django.db import IntegrityError, transaction

from truing.audit import record
from truing.errors import Refused
from truing.models import Membership, Project, User


class AlreadyAMember(Refused):
    """This person is already a member of the project."""


@transaction.atomic
def add_member(
    project: Project, user: User, role: Membership.Role, *, actor: User | None
) -> Membership:
    """Give a person a role in a project.

    For the operator only, and for `accept`: an owner invites, because whoever made an account
    under somebody's address must not get in before the one who was meant has said yes.
    """
    try:
        with transaction.atomic():
            membership = Membership.objects.create(project=project, user=user, role=role)
    except IntegrityError:
        raise AlreadyAMember from None
    record("member.add", actor=actor, project=project, on=user, role=role.name.lower())
    return membership
