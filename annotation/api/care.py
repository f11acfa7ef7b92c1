"""For programs: what one chooses about harmful content. Nobody chooses for another."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.models import Annotator
from annotation.opt_in import choices_of, opt_in, opt_out
from truing.access import membership_for
from truing.api.body import Body, read


class ChoiceSerializer(serializers.Serializer[Any]):
    category = serializers.CharField()
    is_chosen = serializers.BooleanField()


class CareSerializer(serializers.Serializer[Any]):
    choices = ChoiceSerializer(
        many=True, help_text="What is harmful here; it is given only to who has chosen it."
    )


class ChoiceBody(Body):
    category = serializers.CharField(max_length=100)
    wanted = serializers.BooleanField(help_text="False: from now on it is not given any more.")


@extend_schema(methods=["GET"], responses=CareSerializer)
@extend_schema(methods=["POST"], request=ChoiceBody, responses=CareSerializer)
@api_view(["GET", "POST"])
def care(request: Request, slug: str) -> Response:
    """What one has chosen, for oneself; or choose."""
    membership = membership_for(request, slug)
    me = Annotator.objects.member(membership.project, membership.user)
    if request.method == "POST":
        body = read(request, ChoiceBody)
        (opt_in if body["wanted"] else opt_out)(me, body["category"])
    return Response({"choices": [vars(one) for one in choices_of(me)]})
