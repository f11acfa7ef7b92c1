"""Endpoints for programs: add one, change it, see whether it answers. Keys never appear."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.access import endpoint_for
from annotation.add_endpoint import (
    ADDRESS_LENGTH,
    LONGEST_SILENCE_SECONDS,
    MODEL_LENGTH,
    NAME_LENGTH,
    add_endpoint,
    edit_endpoint,
)
from annotation.check_endpoint import check_endpoint
from annotation.models import Endpoint
from truing.access import Role, project_for
from truing.api.authentication import person
from truing.api.body import Body, read
from truing.api.paging import lists, paged

KEY_HELP = "The server's environment variable with the key: TRUING_KEY_ and more."


class EndpointSerializer(serializers.ModelSerializer[Endpoint]):
    source = serializers.CharField(  # type: ignore[assignment]
        read_only=True, help_text="What its outputs are marked with."
    )

    class Meta:
        model = Endpoint
        fields = (
            "id",
            "name",
            "model",
            "base_url",
            "key_name",
            "params",
            "timeout_seconds",
            "is_on",
            "source",
            "checked_at",
            "problem",
            "created_at",
        )


class EndpointBody(Body):
    name = serializers.CharField(max_length=NAME_LENGTH)
    base_url = serializers.CharField(
        max_length=ADDRESS_LENGTH, help_text="Up to where “/chat/completions” begins."
    )
    model = serializers.CharField(max_length=MODEL_LENGTH)
    key_name = serializers.CharField(
        required=False, allow_blank=True, max_length=100, help_text=KEY_HELP
    )
    params = serializers.DictField(
        required=False, help_text="temperature, top_p, max_tokens and seed, as far as wanted."
    )
    timeout_seconds = serializers.IntegerField(
        required=False, min_value=1, max_value=LONGEST_SILENCE_SECONDS
    )


class EndpointEditBody(Body):
    base_url = serializers.CharField(required=False, max_length=ADDRESS_LENGTH)
    key_name = serializers.CharField(
        required=False, allow_blank=True, max_length=100, help_text=KEY_HELP
    )
    params = serializers.DictField(required=False)
    timeout_seconds = serializers.IntegerField(
        required=False, min_value=1, max_value=LONGEST_SILENCE_SECONDS
    )
    is_on = serializers.BooleanField(required=False)


class CheckSerializer(serializers.Serializer[Any]):
    answers = serializers.BooleanField()
    problem = serializers.CharField(
        allow_blank=True, help_text="What is wrong, in one sentence; empty when it answers."
    )


@lists(EndpointSerializer)
@extend_schema(methods=["POST"], request=EndpointBody, responses={201: EndpointSerializer})
@api_view(["GET", "POST"])
def endpoints(request: Request, slug: str) -> Response:
    """All endpoints; or add one."""
    project = project_for(request, slug, at_least=Role.ENGINEER)
    if request.method == "GET":
        return paged(request, Endpoint.objects.filter(project=project), EndpointSerializer)
    made = add_endpoint(project, **read(request, EndpointBody), actor=person(request))
    return Response(EndpointSerializer(made).data, status=201)


@extend_schema(methods=["GET"], responses=EndpointSerializer)
@extend_schema(methods=["PATCH"], request=EndpointEditBody, responses=EndpointSerializer)
@api_view(["GET", "PATCH"])
def endpoint(request: Request, slug: str, pk: int) -> Response:
    """One endpoint; or change it. Its name and model stay: another model is another endpoint."""
    found = endpoint_for(request, slug, pk)
    if request.method == "PATCH":
        found = edit_endpoint(found, **read(request, EndpointEditBody), actor=person(request))
    return Response(EndpointSerializer(found).data)


@extend_schema(request=None, responses=CheckSerializer)
@api_view(["POST"])
def check(request: Request, slug: str, pk: int) -> Response:
    """Ask it one short question, and say what is wrong."""
    problem = check_endpoint(endpoint_for(request, slug, pk), actor=person(request))
    return Response({"answers": not problem, "problem": problem})
