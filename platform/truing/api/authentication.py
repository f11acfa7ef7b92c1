"""How a program says who it is: `Authorization: Bearer TOKEN`."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from truing.make_token import use_token
from truing.models import ApiToken, User


class TokenAuthentication(BaseAuthentication):
    """A token acts as the person who made it. `request.auth` is the token."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        if len(words) != 2:
            raise AuthenticationFailed("Write the header as “Authorization: Bearer TOKEN”.")
        token = use_token(words[1].decode("latin-1"))
        if token is None:
            raise AuthenticationFailed("This token is not valid, or it has been revoked.")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        # With it, a request without a sign-in gets 401, as HTTP wants it, and not 403.
        return "Bearer"


def person(request: Request) -> User:
    """Who asks. Nobody gets as far as a view without having signed in."""
    assert isinstance(request.user, User)
    return request.user


class TokenScheme(OpenApiAuthenticationExtension):
    """What the OpenAPI document says about it."""

    target_class = "truing.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A token from “API tokens”."}
