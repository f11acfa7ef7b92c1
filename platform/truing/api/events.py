"""A project's audit log. For owners."""

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from truing.access import Role, project_for
from truing.api.paging import lists, paged
from truing.api.people import PersonSerializer
from truing.errors import Invalid
from truing.http import key_of
from truing.models import Event


class EventSerializer(serializers.ModelSerializer[Event]):
    actor = PersonSerializer(allow_null=True)

    class Meta:
        model = Event
        fields = ("id", "at", "actor", "verb", "noun", "noun_id", "label", "details")


FILTERS = [
    OpenApiParameter("verb", str, description="Events of this verb alone: “member.add”."),
    OpenApiParameter("person", int, description="Events of the person with this id alone."),
]


@lists(EventSerializer, parameters=FILTERS)
@api_view(["GET"])
def events(request: Request, slug: str) -> Response:
    """Who did what to what, and when, newest first."""
    project = project_for(request, slug, at_least=Role.OWNER)
    person = request.query_params.get("person", "")
    if person and key_of(person) is None:
        raise Invalid(f"“person” must be a whole number, not “{person[:40]}”.")
    found = Event.objects.in_project(project).narrowed(
        verb=request.query_params.get("verb", ""), actor_id=key_of(person)
    )
    return paged(request, found, EventSerializer, newest_first=True)
