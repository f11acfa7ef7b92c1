"""Checkpoints for programs: register, look, let one answer, promote."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from alignment.access import checkpoint_for, generation_for, review_for
from alignment.cancel import cancel
from alignment.generate import generate
from alignment.models import Checkpoint, Generation, Promotion, Serving
from alignment.promote import promote
from alignment.register import register
from alignment.serve import serve, stop_serving
from annotation.models import Prompt
from truing.access import Role, project_for
from truing.api.authentication import person
from truing.api.body import Body, read
from truing.api.paging import lists, paged


class CheckpointSerializer(serializers.ModelSerializer[Checkpoint]):
    class Meta:
        model = Checkpoint
        fields = ("id", "name", "kind", "run", "parent", "facts", "smoke", "created_at")


class RegisterBody(Body):
    path = serializers.CharField(max_length=200, help_text="A name on the Hugging Face hub.")
    name = serializers.CharField(required=False, allow_blank=True, max_length=200)
    kind = serializers.ChoiceField(required=False, choices=Checkpoint.Kind.choices)


class GenerationSerializer(serializers.ModelSerializer[Generation]):
    class Meta:
        model = Generation
        fields = (
            "id",
            "checkpoint",
            "samples",
            "params",
            "state",
            "step",
            "total_steps",
            "made",
            "problem",
            "created_at",
            "started_at",
            "ended_at",
        )


class ServingSerializer(serializers.ModelSerializer[Serving]):
    state = serializers.CharField(
        source="words",
        help_text="starting, loading, answers, not answering, stopping, stopped or failed",
    )

    class Meta:
        model = Serving
        fields = (
            "id",
            "checkpoint",
            "endpoint",
            "state",
            "answers",
            "problem",
            "created_at",
            "ended_at",
        )


class GenerateBody(Body):
    split = serializers.ChoiceField(required=False, choices=Prompt.Split.choices)
    prompts = serializers.ListField(
        required=False, child=serializers.IntegerField(min_value=1), help_text="Ids of prompts."
    )
    samples = serializers.IntegerField(required=False, min_value=1)
    params = serializers.DictField(
        required=False, help_text="temperature, top_p, max_new_tokens, seed, batch_size"
    )


class PromotionSerializer(serializers.ModelSerializer[Promotion]):
    class Meta:
        model = Promotion
        fields = ("id", "checkpoint", "review", "reason", "decided_by", "at")


class PromoteBody(Body):
    reason = serializers.CharField(max_length=5000)
    review = serializers.IntegerField(required=False, allow_null=True, min_value=1)


@lists(CheckpointSerializer)
@extend_schema(methods=["POST"], request=RegisterBody, responses={201: CheckpointSerializer})
@api_view(["GET", "POST"])
def checkpoints(request: Request, slug: str) -> Response:
    """All checkpoints, the newest first; or register a model of the hub."""
    if request.method == "GET":
        project = project_for(request, slug, at_least=Role.REVIEWER)
        found = Checkpoint.objects.in_project(project)
        return paged(request, found, CheckpointSerializer, newest_first=True)
    project = project_for(request, slug, at_least=Role.ENGINEER)
    asked = read(request, RegisterBody)
    added = register(project, asked.pop("path"), hub_only=True, actor=person(request), **asked)
    return Response(CheckpointSerializer(added).data, status=201)


@extend_schema(request=None, responses=CheckpointSerializer)
@api_view(["GET"])
def checkpoint(request: Request, slug: str, pk: int) -> Response:
    """One checkpoint."""
    found = checkpoint_for(request, slug, pk, at_least=Role.REVIEWER)
    return Response(CheckpointSerializer(found).data)


@extend_schema(request=GenerateBody, responses={201: GenerationSerializer})
@api_view(["POST"])
def generate_outputs(request: Request, slug: str, pk: int) -> Response:
    """Let it answer prompts: those named, or those of one side, or all."""
    found = checkpoint_for(request, slug, pk, at_least=Role.ENGINEER)
    asked = read(request, GenerateBody)
    prompts = Prompt.objects.filter(project=found.project).order_by("pk")
    if "prompts" in asked:
        prompts = prompts.filter(pk__in=asked["prompts"])
    if "split" in asked:
        prompts = prompts.on_side(asked["split"])
    generation = generate(
        found,
        prompts,
        samples=asked.get("samples", 1),
        params=asked.get("params"),
        actor=person(request),
    )
    return Response(GenerationSerializer(generation).data, status=201)


@extend_schema(request=PromoteBody, responses={201: PromotionSerializer})
@api_view(["POST"])
def promote_checkpoint(request: Request, slug: str, pk: int) -> Response:
    """Put it into force, for a reason."""
    found = checkpoint_for(request, slug, pk, at_least=Role.ENGINEER)
    asked = read(request, PromoteBody)
    key = asked.get("review")
    promotion = promote(
        found,
        reason=asked["reason"],
        decided_by=person(request),
        review=review_for(request, slug, key, at_least=Role.ENGINEER) if key else None,
    )
    return Response(PromotionSerializer(promotion).data, status=201)


@lists(PromotionSerializer)
@api_view(["GET"])
def promotions(request: Request, slug: str) -> Response:
    """What was put into force, the newest first: the first of these is in force."""
    project = project_for(request, slug, at_least=Role.REVIEWER)
    found = Promotion.objects.filter(project=project)
    return paged(request, found, PromotionSerializer, newest_first=True)


@lists(GenerationSerializer)
@api_view(["GET"])
def generations(request: Request, slug: str) -> Response:
    """What checkpoints were asked to answer, the newest first."""
    project = project_for(request, slug, at_least=Role.REVIEWER)
    found = Generation.objects.filter(project=project).defer("prompts")
    return paged(request, found, GenerationSerializer, newest_first=True)


@extend_schema(request=None, responses=GenerationSerializer)
@api_view(["GET"])
def generation(request: Request, slug: str, pk: int) -> Response:
    """One generation."""
    found = generation_for(request, slug, pk, at_least=Role.REVIEWER)
    return Response(GenerationSerializer(found).data)


@extend_schema(request=None, responses=GenerationSerializer)
@api_view(["POST"])
def cancel_generation(request: Request, slug: str, pk: int) -> Response:
    """Ask it to end; the answers so far are kept."""
    found = generation_for(request, slug, pk, at_least=Role.ENGINEER)
    cancel(found, actor=person(request))
    return Response(GenerationSerializer(found).data)


@extend_schema(request=None, responses={201: ServingSerializer})
@api_view(["POST"])
def serve_checkpoint(request: Request, slug: str, pk: int) -> Response:
    """Let it answer requests: it becomes an endpoint as soon as it is loaded."""
    found = checkpoint_for(request, slug, pk, at_least=Role.ENGINEER)
    return Response(ServingSerializer(serve(found, actor=person(request))).data, status=201)


@extend_schema(request=None, responses=ServingSerializer)
@api_view(["POST"])
def stop_checkpoint(request: Request, slug: str, pk: int) -> Response:
    """Stop serving it."""
    found = checkpoint_for(request, slug, pk, at_least=Role.ENGINEER)
    return Response(ServingSerializer(stop_serving(found, actor=person(request))).data)


@lists(ServingSerializer)
@api_view(["GET"])
def servings(request: Request, slug: str) -> Response:
    """What is or was served, the newest first."""
    project = project_for(request, slug, at_least=Role.REVIEWER)
    found = Serving.objects.filter(project=project)
    return paged(request, found, ServingSerializer, newest_first=True)
