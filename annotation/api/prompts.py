"""Prompts and outputs for programs, and all of a project as feedback lines."""

from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.access import prompt_for
from annotation.asked_now import prompts_asked_now
from annotation.export_feedback import as_jsonl, export_feedback
from annotation.models import Prompt
from annotation.views.prompts import outputs_shown
from truing.access import Role, project_for
from truing.api.authentication import person
from truing.api.paging import lists, paged

MOST_OUTPUTS = 500
FILTERS = [
    OpenApiParameter("q", str, description="What the prompt or an output says."),
    OpenApiParameter("tag", str),
    OpenApiParameter("language", str),
    OpenApiParameter("source", str, description="Of the prompt or of an output."),
    OpenApiParameter("split", str, enum=Prompt.Split.values),
    OpenApiParameter("answered", str, enum=["yes", "no"]),
]


class PromptSerializer(serializers.ModelSerializer[Prompt]):
    judged_tags = serializers.SerializerMethodField(
        help_text="What most people say of it; nothing while you are asked about it."
    )

    class Meta:
        model = Prompt
        fields = (
            "id",
            "messages",
            "language",
            "source",
            "tags",
            "judged_tags",
            "meta",
            "split",
            "created_at",
        )

    def get_judged_tags(self, prompt: Prompt) -> list[str]:
        is_asked = getattr(prompt, "is_asked", False) or self.context.get("is_asked")
        return [] if is_asked else prompt.judged_tags


class OutputSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    text = serializers.CharField()
    source = serializers.CharField(  # type: ignore[assignment]  # its own name in the framework
        help_text="Empty while a review must not be told."
    )
    params = serializers.DictField()
    is_hidden = serializers.BooleanField(help_text="Whether a review hides the source.")


class PromptDetailSerializer(PromptSerializer):
    outputs = serializers.SerializerMethodField()

    class Meta(PromptSerializer.Meta):
        fields = (*PromptSerializer.Meta.fields, "outputs")  # type: ignore[assignment]

    @extend_schema(responses=OutputSerializer(many=True))
    def get_outputs(self, prompt: Prompt) -> list[dict[str, Any]]:
        if self.context.get("is_asked"):
            return []
        outputs = list(prompt.outputs.order_by("pk")[:MOST_OUTPUTS])
        return list(OutputSerializer(outputs_shown(outputs), many=True).data)


@lists(PromptSerializer, parameters=FILTERS)
@api_view(["GET"])
def prompts(request: Request, slug: str) -> Response:
    """All prompts that fit the filters."""
    project = project_for(request, slug, at_least=Role.REVIEWER)
    asked = request.query_params
    asked_now = prompts_asked_now(project, person(request))
    found = Prompt.objects.filter(project=project).marked(asked_now)
    found = found.narrowed(
        **{name: asked.get(name, "") for name in ("tag", "language", "source", "split")},
        asked_now=asked_now,
    )
    if asked.get("q"):
        found = found.matching(asked["q"])
    if asked.get("answered") in ("yes", "no"):
        found = found.answered(asked["answered"] == "yes")
    return paged(request, found, PromptSerializer)


@extend_schema(responses=PromptDetailSerializer)
@api_view(["GET"])
def prompt(request: Request, slug: str, pk: int) -> Response:
    """One prompt with its outputs; without them while one has a question about it in hand."""
    prompt = prompt_for(request, slug, pk, at_least=Role.REVIEWER)
    asked_now = prompts_asked_now(prompt.project, person(request))
    context = {"is_asked": asked_now.filter(pk=pk).exists()}
    return Response(PromptDetailSerializer(prompt, context=context).data)


@extend_schema(responses={(200, "application/jsonl"): OpenApiTypes.BINARY})
@api_view(["GET"])
def feedback(request: Request, slug: str) -> StreamingHttpResponse:
    """All tasks, outputs and answers as feedback JSONL, one line a task, streamed."""
    project = project_for(request, slug, at_least=Role.CURATOR)
    lines = as_jsonl(export_feedback(project))
    return StreamingHttpResponse(lines, content_type="application/jsonl")
