"""Links to set a password, handed over without e-mail: who may make one for whom.

Whoever has the link has the account. So an owner makes one only for people who have no rights
beyond the owner's own projects; for everybody else the operator does.
"""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from truing.audit import record
from truing.errors import Refused
from truing.models import Membership, PasswordLink, Project, User
from truing.secret import digest_of, new_secret
from truing.set_password import set_password

LASTS = timedelta(days=7)


class LinkOver(Refused):
    """This link has been used, or it is too old. Ask for a new one."""

    status = 410


class YourOwnPassword(Refused):
    """You change your own password on your account page."""


class NotYoursToReset(Refused):
    """This person has rights beyond your projects: only the operator of this server can help."""

    status = 403


@transaction.atomic
def make_password_link(
    user: User, *, project: Project | None, actor: User | None
) -> tuple[PasswordLink, str]:
    """A link for this person and its secret, which nobody can see again. Earlier links end.

    An owner acts for one of their projects; the operator for none.
    """
    if actor == user:
        raise YourOwnPassword
    if actor and not may_reset(actor, user):
        raise NotYoursToReset
    PasswordLink.objects.filter(user=user).expire()
    secret = new_secret()
    link = PasswordLink.objects.create(
        user=user,
        digest=digest_of(secret),
        created_by=actor,
        project=project,
        expires_at=timezone.now() + LASTS,
    )
    record("password_link.make", actor=actor, project=project, on=user)
    return link, secret


@transaction.atomic
def use_password_link(link: PasswordLink, password: str) -> User:
    """Set the password, once."""
    # A new membership of this person waits for the lock, so that none comes in between.
    user = User.objects.select_for_update().get(pk=link.user_id)
    # Asked again: since the link was made, this person may have been given rights elsewhere.
    if link.created_by and not may_reset(link.created_by, user):
        raise LinkOver
    if not PasswordLink.objects.open().filter(pk=link.pk).update(used_at=timezone.now()):
        raise LinkOver
    set_password(user, password, actor=None)
    record("password_link.use", actor=user, project=link.project, on=user)
    return user


def may_reset(owner: User, user: User) -> bool:
    """True if all that this person may do is within projects of this owner."""
    if not owner.is_active or user.is_staff or user.is_superuser:
        return False
    if user.may_create_projects and not owner.may_make_projects:
        return False
    memberships = Membership.objects.filter(user=user)
    owned = Membership.objects.owners().filter(user=owner).values("project")
    return memberships.exists() and not memberships.exclude(project__in=owned).exists()
