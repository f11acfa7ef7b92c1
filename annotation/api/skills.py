"""Skills and flags for programs: who has which skill; which questions nobody can answer."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.access import flag_for, grant_for
from annotation.asked_now import about_asked_now
from annotation.flag import decide
from annotation.grant import annotator_with_email, grant, take_away
from annotation.models import Flag, Grant
from truing.access import Role, project_for
from truing.api.authentication import person
from truing.api.body import Body, read
from truing.api.paging import lists, paged


class GrantSerializer(serializers.ModelSerializer[Grant]):
    annotator = serializers.CharField(source="annotator.pseudonym", read_only=True)
    email = serializers.CharField(source="annotator.user.email", read_only=True, default="")

    class Meta:
        model = Grant
        fields = ("id", "annotator", "email", "skill", "how", "given_at")


class GrantBody(Body):
    email = serializers.EmailField(help_text="Of a member of the project.")
    skill = serializers.CharField(
        max_length=100, help_text="language:de, country:ch, expertise:medicine."
    )


class FlagSerializer(serializers.ModelSerializer[Flag]):
    annotator = serializers.CharField(source="annotator.pseudonym", read_only=True, default="")

    class Meta:
        model = Flag
        fields = ("id", "task", "annotator", "reason", "state", "note", "created_at", "decided_at")


class DecisionBody(Body):
    put_back = serializers.BooleanField(help_text="False: nobody is asked it any more.")
    note = serializers.CharField(required=False, allow_blank=True, max_length=300)


@lists(GrantSerializer)
@extend_schema(methods=["POST"], request=GrantBody, responses={201: GrantSerializer})
@api_view(["GET", "POST"])
def skills(request: Request, slug: str) -> Response:
    """The skills that people have; or give one."""
    project = project_for(request, slug, at_least=Role.CURATOR)
    if request.method == "GET":
        found = Grant.objects.in_project(project).standing().given_by_others()
        found = found.select_related("annotator__user")
        return paged(request, found, GrantSerializer)
    wanted = read(request, GrantBody)
    annotator = annotator_with_email(project, wanted["email"])
    made = grant(annotator, wanted["skill"], actor=person(request))
    return Response(GrantSerializer(made).data, status=201)


@extend_schema(responses={204: None})
@api_view(["DELETE"])
def skill(request: Request, slug: str, pk: int) -> Response:
    """Take a skill away."""
    take_away(grant_for(request, slug, pk), actor=person(request))
    return Response(status=204)


@lists(FlagSerializer)
@api_view(["GET"])
def flags(request: Request, slug: str) -> Response:
    """Questions that somebody says nobody can answer, decided or not."""
    project = project_for(request, slug, at_least=Role.CURATOR)
    found = Flag.objects.filter(task__queue__project=project).select_related("annotator")
    found = found.exclude(about_asked_now(project, person(request)))
    return paged(request, found, FlagSerializer)


@extend_schema(request=DecisionBody, responses=FlagSerializer)
@api_view(["POST"])
def flag_decision(request: Request, slug: str, pk: int) -> Response:
    """Ask a flagged question again, or set it aside."""
    flagged = flag_for(request, slug, pk)
    wanted: dict[str, Any] = read(request, DecisionBody)
    decide(flagged, **wanted, actor=person(request))
    flagged.refresh_from_db()
    return Response(FlagSerializer(flagged).data)
