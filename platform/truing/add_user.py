"""Making an account: one for each e-mail address, without a password until its person sets one."""

import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from truing.audit import record
from truing.errors import Invalid, Refused
from truing.models import User

NAME_LENGTH = 200


class AccountExists(Refused):
    """There is already an account with this e-mail address."""


@transaction.atomic
def add_user(
    email: str, *, name: str = "", may_create_projects: bool = False, actor: User | None
) -> User:
    """A new account. Nobody can sign in to it before a password is set."""
    email = checked_email(email)
    name = name.strip()
    if len(name) > NAME_LENGTH or "\x00" in name:
        raise Invalid(f"A name has at most {NAME_LENGTH} characters.")
    try:
        with transaction.atomic():
            user = User.objects.create_user(
                email, None, name=name, may_create_projects=may_create_projects
            )
    except IntegrityError:
        raise AccountExists from None
    record("user.add", actor=actor, project=None, on=user, may_create_projects=may_create_projects)
    return user


def checked_email(email: str) -> str:
    """The address without spaces around it. Raises Invalid if it cannot be one."""
    # Letters that only look different would make two accounts of one address.
    email = User.objects.normalize_email(unicodedata.normalize("NFKC", email).strip())
    try:
        validate_email(email)
    except ValidationError:
        raise Invalid(f"“{email[:100]}” is not an e-mail address.") from None
    if len(email) > 254:
        raise Invalid("An e-mail address has at most 254 characters.")
    return email
