"""Invitations: a link that gives a role in a project, once, to the person it was made for."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from truing.add_member import AlreadyAMember, add_member
from truing.add_user import add_user, checked_email
from truing.audit import record
from truing.change_role import lock_members
from truing.errors import Refused
from truing.models import Invitation, Membership, Project, User
from truing.secret import digest_of, new_secret
from truing.set_password import set_password

LASTS = timedelta(days=7)
OPEN_AT_MOST = 1000


class InvitationOver(Refused):
    """This invitation has been used or withdrawn, or it is too old. Ask for a new one."""

    status = 410


class SomebodyElse(Refused):
    """This invitation is for somebody else."""

    status = 403


class TooManyInvitations(Refused):
    """The project has 1000 open invitations. Withdraw some first."""


@transaction.atomic
def invite(
    project: Project, email: str, role: Membership.Role, *, actor: User
) -> tuple[Invitation, str]:
    """An invitation and the secret of its link, which nobody can see again.

    An earlier one for the same address is withdrawn.
    """
    email = checked_email(email)
    lock_members(project, actor=actor)
    if Membership.objects.filter(project=project, user__email__iexact=email).exists():
        raise AlreadyAMember
    Invitation.objects.filter(project=project, email__iexact=email).revoke()
    if Invitation.objects.open().filter(project=project).count() >= OPEN_AT_MOST:
        raise TooManyInvitations
    secret = new_secret()
    invitation = Invitation.objects.create(
        project=project,
        email=email,
        role=role,
        digest=digest_of(secret),
        created_by=actor,
        expires_at=timezone.now() + LASTS,
    )
    record("invitation.make", actor=actor, project=project, on=invitation, role=role.name.lower())
    return invitation, secret


@transaction.atomic
def accept(invitation: Invitation, *, user: User) -> Membership:
    """The person it was made for becomes a member."""
    if user.email.lower() != invitation.email.lower():
        raise SomebodyElse(
            f"This invitation is for {invitation.email}, and you are signed in as {user.email}."
        )
    return _use(invitation, user)


@transaction.atomic
def accept_as_new(invitation: Invitation, *, name: str, password: str) -> Membership:
    """Make the account it was made for, with this password, and let it in.

    Refused when there is such an account already: then its own person has to accept.
    """
    user = add_user(invitation.email, name=name, actor=invitation.created_by)
    set_password(user, password, actor=user)
    return _use(invitation, user)


@transaction.atomic
def revoke(invitation: Invitation, *, actor: User) -> None:
    """Withdraw it: its link opens nothing any more."""
    lock_members(invitation.project, actor=actor)
    if not Invitation.objects.filter(pk=invitation.pk).revoke():
        raise InvitationOver("This invitation is no longer open.")
    record("invitation.revoke", actor=actor, project=invitation.project, on=invitation)


def _use(invitation: Invitation, user: User) -> Membership:
    """Move it from open to accepted, once, while whoever made it is still an owner."""
    # In the order in which members are changed: first the project, then the invitation.
    Project.objects.select_for_update(no_key=True).get(pk=invitation.project_id)
    inviter = invitation.created_by
    still_owner = Membership.objects.owners().filter(project=invitation.project, user=inviter)
    one = Invitation.objects.open().filter(pk=invitation.pk)
    if not (still_owner.exists() and one.update(accepted_at=timezone.now())):
        raise InvitationOver
    role = Membership.Role(invitation.role)
    record(
        "invitation.accept",
        actor=user,
        project=invitation.project,
        on=invitation,
        role=role.name.lower(),
    )
    return add_member(invitation.project, user, role, actor=inviter)
