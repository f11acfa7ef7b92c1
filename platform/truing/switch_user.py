"""Switching an account off and on: the operator's answer to a lost laptop or a person who left."""

from django.db import transaction

from truing.audit import record
from truing.models import PasswordLink, User


@transaction.atomic
def switch_user(user: User, *, active: bool, actor: User | None) -> None:
    """Off: no sign-in, and sessions, tokens and links stop at the next request. On: all is back.

    Links to set a password stay dead.
    """
    User.objects.filter(pk=user.pk).update(is_active=active)
    user.is_active = active
    PasswordLink.objects.filter(user=user).expire()
    record("user.activate" if active else "user.deactivate", actor=actor, project=None, on=user)
