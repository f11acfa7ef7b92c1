"""Runs for programs: launch one, see how it goes, cancel it, resume it."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from alignment.access import chosen_for, run_for
from alignment.backends import BACKENDS
from alignment.cancel import cancel
from alignment.launch import launch
from alignment.methods import METHODS
from alignment.metrics import curves, seconds_left
from alignment.models import Run
from alignment.resume import resume
from truing.access import Role, project_for
from truing.api.authentication import person
from truing.api.body import Body, read
from truing.api.paging import lists, paged
from truing.options import json_schema


class RunSerializer(serializers.ModelSerializer[Run]):
    name = serializers.CharField(source="__str__")
    datasets = serializers.StringRelatedField[Any](many=True, help_text="project/dataset@number")
    checkpoint = serializers.SerializerMethodField()

    class Meta:
        model = Run
        fields = (
            "id",
            "name",
            "method",
            "options",
            "datasets",
            "base",
            "reward",
            "backend",
            "state",
            "attempt",
            "step",
            "total_steps",
            "problem",
            "result",
            "checkpoint",
            "review_after",
            "created_at",
            "started_at",
            "ended_at",
        )

    def get_checkpoint(self, run: Run) -> int | None:
        checkpoint = getattr(run, "checkpoint", None)
        return checkpoint.pk if checkpoint else None


class LaunchBody(Body):
    method = serializers.ChoiceField(choices=list(METHODS))
    datasets = serializers.ListField(
        child=serializers.IntegerField(min_value=1), help_text="Ids of dataset versions."
    )
    base = serializers.IntegerField(required=False, allow_null=True, min_value=1)
    reward = serializers.IntegerField(required=False, allow_null=True, min_value=1)
    options = serializers.DictField(
        required=False, help_text="What they may be, `methods` says as a JSON schema."
    )
    name = serializers.CharField(required=False, allow_blank=True, max_length=200)
    backend = serializers.ChoiceField(required=False, choices=list(BACKENDS))
    review_after = serializers.BooleanField(required=False)


class MethodSerializer(serializers.Serializer[dict[str, Any]]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    reads = serializers.CharField(help_text="The export format that it trains on.")
    makes = serializers.CharField(help_text="policy or reward")
    needs_base = serializers.BooleanField()
    needs_reward = serializers.BooleanField()
    options = serializers.DictField(help_text="A JSON schema.")


class MetricsSerializer(serializers.Serializer[dict[str, Any]]):
    series = serializers.DictField(help_text="For each metric, pairs of step and value.")
    done = serializers.BooleanField()
    seconds_left = serializers.FloatField(allow_null=True)


@lists(RunSerializer)
@extend_schema(methods=["POST"], request=LaunchBody, responses={201: RunSerializer})
@api_view(["GET", "POST"])
def runs(request: Request, slug: str) -> Response:
    """All runs, the newest first; or launch one."""
    if request.method == "GET":
        project = project_for(request, slug, at_least=Role.REVIEWER)
        found = Run.objects.for_lists(project)
        return paged(request, found, RunSerializer, newest_first=True)
    project = project_for(request, slug, at_least=Role.ENGINEER)
    asked = read(request, LaunchBody)
    chosen = chosen_for(
        project,
        {
            "datasets": asked.pop("datasets"),
            "base": [asked.pop("base", None)],
            "reward": [asked.pop("reward", None)],
        },
    )
    run = launch(
        project,
        datasets=chosen.datasets,
        base=chosen.base,
        reward=chosen.reward,
        actor=person(request),
        **asked,
    )
    return Response(RunSerializer(run).data, status=201)


@extend_schema(request=None, responses=RunSerializer)
@api_view(["GET"])
def run(request: Request, slug: str, pk: int) -> Response:
    """One run."""
    found = run_for(request, slug, pk, at_least=Role.REVIEWER)
    return Response(RunSerializer(found).data)


@extend_schema(request=None, responses=MetricsSerializer)
@api_view(["GET"])
def metrics(request: Request, slug: str, pk: int) -> Response:
    """Its curves, thinned where it is long."""
    found = run_for(request, slug, pk, at_least=Role.REVIEWER)
    left = None if found.has_ended else seconds_left(found.folder)
    return Response({"series": curves(found.folder), "done": found.has_ended, "seconds_left": left})


@extend_schema(request=None, responses=RunSerializer)
@api_view(["POST"])
def cancel_run(request: Request, slug: str, pk: int) -> Response:
    """Ask it to end; it saves a checkpoint first."""
    found = run_for(request, slug, pk, at_least=Role.ENGINEER)
    cancel(found, actor=person(request))
    return Response(RunSerializer(found).data)


@extend_schema(request=None, responses=RunSerializer)
@api_view(["POST"])
def resume_run(request: Request, slug: str, pk: int) -> Response:
    """Queue a run that failed or was cancelled again, from its last whole checkpoint."""
    found = run_for(request, slug, pk, at_least=Role.ENGINEER)
    resume(found, actor=person(request))
    return Response(RunSerializer(found).data)


@extend_schema(request=None, responses=MethodSerializer(many=True))
@api_view(["GET"])
def methods(request: Request, slug: str) -> Response:
    """The ways to train, and the options of each."""
    project_for(request, slug, at_least=Role.REVIEWER)
    return Response(
        [
            {
                "name": name,
                "label": method.label,
                "reads": method.reads,
                "makes": method.makes,
                "needs_base": method.needs_base,
                "needs_reward": method.needs_reward,
                "options": json_schema(method.Options),
            }
            for name, method in METHODS.items()
        ]
    )
