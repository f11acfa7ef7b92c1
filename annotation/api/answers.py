"""Answers for programs."""

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.asked_now import about_asked_now
from annotation.models import Annotation, Prompt
from truing.access import Role, project_for
from truing.api.authentication import person
from truing.api.paging import lists, paged
from truing.http import key_of

FILTERS = [
    OpenApiParameter("queue", int, description="The key of a queue."),
    OpenApiParameter("annotator", str, description="A pseudonym."),
    OpenApiParameter("tag", str),
    OpenApiParameter("q", str, description="What the prompt, an output or the reason says."),
]


class AnnotationSerializer(serializers.ModelSerializer[Annotation]):
    annotator = serializers.CharField(source="assignment.annotator.pseudonym")
    queue = serializers.IntegerField(source="assignment.queue_id")
    task = serializers.CharField(source="assignment.task.ref")
    purpose = serializers.CharField(source="assignment.purpose")

    class Meta:
        model = Annotation
        fields = (
            "id",
            "queue",
            "task",
            "annotator",
            "purpose",
            "answer",
            "shown",
            "seconds",
            "reason",
            "at",
            "supersedes",
        )


@lists(AnnotationSerializer, parameters=FILTERS)
@api_view(["GET"])
def annotations(request: Request, slug: str) -> Response:
    """All answers that stand and fit the filters."""
    project = project_for(request, slug, at_least=Role.REVIEWER)
    asked = request.query_params
    found = Annotation.objects.in_project(project).current()
    found = found.exclude(about_asked_now(project, person(request), task="assignment__task"))
    if asked.get("queue"):
        found = found.filter(assignment__queue=key_of(asked["queue"]) or 0)
    if asked.get("annotator"):
        found = found.by(asked["annotator"])
    if asked.get("tag"):
        found = found.about(Prompt.objects.filter(project=project).narrowed(tag=asked["tag"]))
    if asked.get("q"):
        found = found.matching(asked["q"])
    found = found.select_related("assignment__annotator", "assignment__task")
    return paged(request, found, AnnotationSerializer)
