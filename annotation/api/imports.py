"""Imports for programs: send a file, then ask how far it is."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view, parser_classes
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.access import import_for
from annotation.importers import IMPORTERS
from annotation.models import Import, Queue
from annotation.named import queue_named
from annotation.receive_import import receive_import
from annotation.run_import import start_import
from truing.access import Role, project_for
from truing.api.authentication import person
from truing.api.body import Body, read
from truing.api.paging import lists, paged


class ImportSerializer(serializers.ModelSerializer[Import]):
    class Meta:
        model = Import
        fields = (
            "id",
            "name",
            "format",
            "queue",
            "size",
            "bytes_read",
            "state",
            "problem",
            "report",
            "created_at",
            "ended_at",
        )


class ImportBody(Body):
    file = serializers.FileField(help_text="Plain or gzipped.")
    format = serializers.ChoiceField(choices=sorted(IMPORTERS), default="feedback")
    queue = serializers.CharField(
        required=False, max_length=200, help_text="A queue's name; else one is made for the type."
    )


@lists(ImportSerializer)
@extend_schema(
    methods=["POST"],
    request={"multipart/form-data": ImportBody},
    responses={202: ImportSerializer},
)
@api_view(["GET", "POST"])
@parser_classes([MultiPartParser])
def imports(request: Request, slug: str) -> Response:
    """All imports; or send a file, which comes in in the background. A known id changes nothing."""
    project = project_for(request, slug, at_least=Role.CURATOR)
    if request.method == "GET":
        return paged(request, Import.objects.filter(project=project), ImportSerializer)
    sent = read(request, ImportBody)
    queue: Queue | None = queue_named(project, sent["queue"]) if "queue" in sent else None
    one = receive_import(
        project, sent["file"], format=sent["format"], queue=queue, actor=person(request)
    )
    return Response(ImportSerializer(start_import(one, actor=person(request))).data, status=202)


@extend_schema(responses=ImportSerializer)
@api_view(["GET"])
def import_detail(request: Request, slug: str, pk: int) -> Response:
    """How far a file is, or what became of it."""
    return Response(ImportSerializer(import_for(request, slug, pk)).data)
