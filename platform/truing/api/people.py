"""Who is asking."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from truing.api.authentication import person
from truing.models import User


class PersonSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ("id", "email", "name")


class MeSerializer(PersonSerializer):
    may_create_projects = serializers.BooleanField(source="may_make_projects")

    class Meta(PersonSerializer.Meta):
        fields = (*PersonSerializer.Meta.fields, "may_create_projects")  # type: ignore[assignment]


@extend_schema(responses=MeSerializer)
@api_view(["GET"])
def me(request: Request) -> Response:
    """The person whose token or session this is."""
    return Response(MeSerializer(person(request)).data)
