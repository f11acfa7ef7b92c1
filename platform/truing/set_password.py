"""What a new password has to be, and what ends when there is one."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from truing.audit import record
from truing.errors import Invalid
from truing.models import PasswordLink, User

SHORTEST = 10
LENGTH = 1000


def check_new_password(password: str, user: User) -> None:
    """Raise Invalid with the first thing that speaks against this password."""
    if len(password) < SHORTEST:
        raise Invalid(f"A password has at least {SHORTEST} characters.")
    if len(password) > LENGTH:
        raise Invalid(f"A password has at most {LENGTH} characters.")
    try:
        validate_password(password, user)
    except ValidationError as problem:
        raise Invalid(problem.messages[0]) from None


@transaction.atomic
def set_password(user: User, password: str, *, actor: User | None) -> None:
    """Give this person a new password. Their other sessions and all links to set one end."""
    check_new_password(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])
    PasswordLink.objects.filter(user=user).expire()
    record("user.set_password", actor=actor, project=None, on=user)
