"""Roles in a project: only owners give and take them, and an owner always remains."""

from django.db import transaction

from truing.audit import record
from truing.errors import Refused
from truing.models import Invitation, Membership, Project, User

Role = Membership.Role


class OnlyOwners(Refused):
    """Only an owner of the project may do this."""

    status = 403


class LastOwner(Refused):
    """A project needs an owner: make somebody else an owner first."""


class NotAMember(Refused):
    """This person is not a member of the project any more."""


@transaction.atomic
def change_role(membership: Membership, role: Role, *, actor: User | None) -> Membership:
    """Give a member another role."""
    lock_members(membership.project, actor=actor)
    member = current(membership)
    before = Role(member.role)
    if before == role:
        return member
    if before == Role.OWNER:
        check_an_owner_remains(member)
        withdraw_invitations_by(member)
    member.role = role
    member.save(update_fields=["role"])
    record(
        "member.change_role",
        actor=actor,
        project=member.project,
        on=member.user,
        before=before.name.lower(),
        after=role.name.lower(),
    )
    return member


def lock_members(project: Project, *, actor: User | None) -> None:
    """Let one change of members happen at a time, and check that the actor is still an owner.

    The command line acts without an actor, and may. Since only owners get past here, nobody
    gives a role above their own.
    """
    # Two owners who remove each other at once would each see the other still there. The weaker
    # lock lets others go on adding rows that point at the project.
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    if actor and not Membership.objects.owners().filter(project=project, user=actor).exists():
        raise OnlyOwners


def current(membership: Membership) -> Membership:
    """The membership as it is now, under the lock."""
    member = Membership.objects.select_related("project", "user").filter(pk=membership.pk).first()
    if member is None:
        raise NotAMember
    return member


def check_an_owner_remains(member: Membership) -> None:
    others = Membership.objects.owners().filter(project=member.project).exclude(pk=member.pk)
    if not others.exists():
        raise LastOwner


def withdraw_invitations_by(member: Membership) -> None:
    # Who is no longer an owner must not come back as one through a link made before.
    Invitation.objects.filter(project=member.project, created_by=member.user).revoke()
