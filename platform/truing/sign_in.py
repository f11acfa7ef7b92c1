"""Who may sign in: the right password, and not too many wrong ones before it."""

from datetime import timedelta

from django.contrib.auth import authenticate
from django.utils import timezone

from truing.errors import Refused
from truing.models import SignInAttempt, User

WINDOW = timedelta(minutes=15)
# For one account from one place: somebody else cannot lock a person out from elsewhere.
ATTEMPTS = 10
# From one place for all accounts together: one password tried on everybody.
ATTEMPTS_FROM_AN_ADDRESS = 100


class TooManyAttempts(Refused):
    """Too many wrong passwords. Try again in a quarter of an hour."""

    status = 429


class NotSignedIn(Refused):
    """The e-mail address or the password is not right."""

    status = 422


def check_sign_in(email: str, password: str, *, address: str) -> User:
    """The person with this e-mail address and password.

    The refusal does not tell which of the two is wrong, nor that an account is switched off.
    """
    email = email.strip()
    # Written before the password is looked at: many attempts at once do not slip past the count.
    attempt = SignInAttempt.objects.create(email=email.lower()[:254], address=address)
    recent = SignInAttempt.objects.since(timezone.now() - WINDOW)
    if (
        recent.by(attempt.email, address).count() > ATTEMPTS
        or recent.filter(address=address).count() > ATTEMPTS_FROM_AN_ADDRESS
    ):
        # Not counted, or trying again and again would never end the waiting.
        attempt.delete()
        raise TooManyAttempts
    user = authenticate(username=email, password=password)
    if not isinstance(user, User):
        SignInAttempt.objects.filter(at__lte=timezone.now() - WINDOW).delete()
        raise NotSignedIn
    SignInAttempt.objects.by(attempt.email, address).delete()
    return user
