"""One's own API tokens."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from truing.access import token_for
from truing.api.authentication import person
from truing.api.body import Body, read
from truing.api.paging import lists, paged
from truing.errors import Refused
from truing.make_token import NAME_LENGTH, make_token, revoke_token
from truing.models import ApiToken


class TokenMakesNoToken(Refused):
    """A token cannot make another one. Sign in on the page for that."""

    status = 403


class TokenSerializer(serializers.ModelSerializer[ApiToken]):
    class Meta:
        model = ApiToken
        fields = ("id", "name", "start", "created_at", "last_used_at")


class NewTokenSerializer(TokenSerializer):
    """With the token itself, which cannot be seen again."""

    token = serializers.SerializerMethodField()

    class Meta(TokenSerializer.Meta):
        fields = (*TokenSerializer.Meta.fields, "token")  # type: ignore[assignment]

    def get_token(self, token: ApiToken) -> str:
        return str(self.context["secret"])


class TokenBody(Body):
    name = serializers.CharField(max_length=NAME_LENGTH)


@lists(TokenSerializer, description="Your tokens in use.")
@extend_schema(
    methods=["POST"],
    request=TokenBody,
    responses={201: NewTokenSerializer},
    description="Make a token. It needs a signed-in session: a token cannot make another one.",
)
@api_view(["GET", "POST"])
def tokens(request: Request) -> Response:
    """One's tokens in use, and a new one."""
    if request.method == "GET":
        return paged(request, ApiToken.objects.live().filter(user=person(request)), TokenSerializer)
    # Whoever finds a token must not be able to outlive its revocation.
    if isinstance(request.auth, ApiToken):
        raise TokenMakesNoToken
    token, secret = make_token(person(request), **read(request, TokenBody))
    return Response(NewTokenSerializer(token, context={"secret": secret}).data, status=201)


@extend_schema(request=None, responses={204: None})
@api_view(["DELETE"])
def token(request: Request, pk: int) -> Response:
    """Revoke one of your tokens."""
    revoke_token(token_for(request, pk), actor=person(request))
    return Response(status=204)
