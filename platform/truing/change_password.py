"""Changing one's own password, which needs the present one."""

from truing.errors import Refused
from truing.models import User
from truing.set_password import check_new_password, set_password
from truing.sign_in import NotSignedIn, check_sign_in


class WrongPassword(Refused):
    """That is not your present password."""

    status = 422


def change_password(user: User, *, present: str, password: str, address: str) -> None:
    """Set a new password. A stolen session cannot guess the present one: attempts are counted."""
    check_new_password(password, user)
    try:
        check_sign_in(user.email, present, address=address)
    except NotSignedIn:
        raise WrongPassword from None
    set_password(user, password, actor=user)
