"""API tokens: with one, a program acts as the person who made it, until it is revoked."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from truing.audit import record
from truing.errors import Invalid, Refused
from truing.models import ApiToken, User
from truing.secret import digest_of, new_secret

PREFIX = "truing_"
NAME_LENGTH = 100
TOKENS_A_PERSON = 50
# Every request would otherwise write a row.
USE_IS_NOTED_EVERY = timedelta(minutes=1)


class TooManyTokens(Refused):
    """You have 50 tokens in use. Revoke one that you no longer need."""


class AlreadyRevoked(Refused):
    """This token has already been revoked."""


@transaction.atomic
def make_token(user: User, *, name: str) -> tuple[ApiToken, str]:
    """A new token and its secret, which nobody can see again."""
    name = name.strip()
    if not name:
        raise Invalid("Give the token a name, so that you know later what uses it.")
    if len(name) > NAME_LENGTH:
        raise Invalid(f"A token's name has at most {NAME_LENGTH} characters.")
    # Locked, because it is counted.
    User.objects.select_for_update().get(pk=user.pk)
    if ApiToken.objects.live().filter(user=user).count() >= TOKENS_A_PERSON:
        raise TooManyTokens
    secret = new_secret(PREFIX)
    token = ApiToken.objects.create(
        user=user, name=name, start=secret[:12], digest=digest_of(secret)
    )
    record("token.make", actor=user, project=None, on=token)
    return token, secret


@transaction.atomic
def revoke_token(token: ApiToken, *, actor: User | None) -> None:
    """From now on nothing gets in with it."""
    moved = ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
    if not moved:
        raise AlreadyRevoked
    record("token.revoke", actor=actor, project=None, on=token)


def use_token(secret: str) -> ApiToken | None:
    """The token with this secret, if it is still good; its use is noted."""
    token = ApiToken.objects.live().select_related("user").filter(digest=digest_of(secret)).first()
    if token is None:
        return None
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at >= USE_IS_NOTED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token
