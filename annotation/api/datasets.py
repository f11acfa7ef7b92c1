"""Datasets for programs: freeze, look, and read the rows."""

from typing import Any

from django.http import Http404, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.access import dataset_for, version_for
from annotation.export import lines_of
from annotation.exports import EXPORTS
from annotation.freeze import freeze
from annotation.models import Dataset, DatasetVersion
from annotation.preview import preview, preview_record
from annotation.recipe import KINDS
from truing.access import Role, project_for
from truing.api.authentication import person
from truing.api.body import Body, read
from truing.api.paging import lists, paged


class DatasetSerializer(serializers.ModelSerializer[Dataset]):
    class Meta:
        model = Dataset
        fields = ("id", "name", "kind", "recipe", "created_at")


class VersionSerializer(serializers.ModelSerializer[DatasetVersion]):
    version = serializers.CharField(source="__str__", help_text="project/dataset@number")
    rows = serializers.DictField(source="manifest.rows", child=serializers.IntegerField())

    class Meta:
        model = DatasetVersion
        fields = (
            "id",
            "version",
            "number",
            "kind",
            "digest",
            "rows",
            "recipe",
            "note",
            "manifest",
            "created_at",
        )


class RecipeBody(Body):
    kind = serializers.ChoiceField(choices=list(KINDS))
    recipe = serializers.DictField(
        required=False, help_text="Without it, the dataset's last recipe, or the defaults."
    )


class FreezeBody(RecipeBody):
    name = serializers.CharField(max_length=80)
    note = serializers.CharField(required=False, allow_blank=True, max_length=10_000)


class PreviewSerializer(serializers.Serializer[dict[str, Any]]):
    kind = serializers.CharField()
    recipe = serializers.DictField()
    counts = serializers.DictField()
    agreement = serializers.DictField(allow_null=True)


@lists(DatasetSerializer)
@extend_schema(methods=["POST"], request=FreezeBody, responses={201: VersionSerializer})
@api_view(["GET", "POST"])
def datasets(request: Request, slug: str) -> Response:
    """All datasets; or freeze what a recipe selects into a dataset's next version.

    When the newest version has the same recipe and rows already, that version is the answer.
    """
    project = project_for(request, slug, at_least=Role.CURATOR)
    if request.method == "GET":
        return paged(request, Dataset.objects.filter(project=project), DatasetSerializer)
    asked = read(request, FreezeBody)
    version = freeze(project, **{"recipe": None, **asked}, actor=person(request))
    return Response(VersionSerializer(version).data, status=201)


@extend_schema(request=RecipeBody, responses=PreviewSerializer)
@api_view(["POST"])
def dataset_preview(request: Request, slug: str) -> Response:
    """Count what a recipe would give. Nothing is frozen."""
    project = project_for(request, slug, at_least=Role.CURATOR)
    asked = read(request, RecipeBody)
    return Response(preview_record(preview(project, asked["kind"], asked.get("recipe"))))


@lists(VersionSerializer)
@api_view(["GET"])
def versions(request: Request, slug: str, name: str) -> Response:
    """A dataset's versions, the newest first."""
    dataset = dataset_for(request, slug, name, at_least=Role.CURATOR)
    found = dataset.versions.select_related("dataset__project")
    return paged(request, found, VersionSerializer, newest_first=True)


@extend_schema(request=None, responses=VersionSerializer)
@api_view(["GET"])
def version(request: Request, slug: str, name: str, number: int) -> Response:
    """One version with its manifest."""
    found = version_for(request, slug, name, number, at_least=Role.CURATOR)
    return Response(VersionSerializer(found).data)


@extend_schema(request=None, responses={(200, "application/x-ndjson"): OpenApiTypes.STR})
@api_view(["GET"])
def rows(
    request: Request, slug: str, name: str, number: int, written_as: str, split: str
) -> StreamingHttpResponse:
    """The rows of a split as an export format writes them, one JSON object a line."""
    found = version_for(request, slug, name, number, at_least=Role.CURATOR)
    if split not in found.manifest["files"] or written_as not in EXPORTS:
        raise Http404
    lines = lines_of(found, written_as, split)
    return StreamingHttpResponse(lines, content_type="application/x-ndjson")
