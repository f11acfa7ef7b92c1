"""Whose outputs people prefer, for programs."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.api.agreement import QUEUE
from annotation.leaderboard import leaderboard as rank
from annotation.named import queue_named
from truing.access import Role, project_for


class StandingOfSourceSerializer(serializers.Serializer[dict[str, object]]):
    source = serializers.CharField()  # type: ignore[assignment]  # its own name in the framework
    score = serializers.FloatField(help_text="400 more is preferred ten times as often.")
    low = serializers.FloatField(help_text="Of the 95 % interval.")
    high = serializers.FloatField()
    rank = serializers.IntegerField(help_text="One more than those whose interval lies above.")
    won = serializers.FloatField(help_text="Share of comparisons, ties counting half.")
    comparisons = serializers.IntegerField()
    questions = serializers.IntegerField()


class LeaderboardSerializer(serializers.Serializer[dict[str, object]]):
    comparisons = serializers.IntegerField()
    questions = serializers.IntegerField()
    rounds = serializers.IntegerField(help_text="How often questions were drawn again.")
    sources = StandingOfSourceSerializer(many=True)


@extend_schema(request=None, responses=LeaderboardSerializer, parameters=[QUEUE])
@api_view(["GET"])
def leaderboard(request: Request, slug: str) -> Response:
    """Bradley-Terry scores of the outputs' sources, with bootstrap intervals; the best first."""
    project = project_for(request, slug, at_least=Role.REVIEWER)
    name = request.query_params.get("queue")
    return Response(rank(project, queue_named(project, name) if name else None).record())
