"""How far annotators agree, for programs."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.agree import agreement as agree
from annotation.named import queue_named
from truing.access import Role, project_for

QUEUE = OpenApiParameter("queue", str, description="A queue's name; without it, all of them.")


class AgreementSerializer(serializers.Serializer[dict[str, object]]):
    """A value is null where it is not defined: too few answers, or all of them the same."""

    tasks = serializers.IntegerField()
    annotations = serializers.IntegerField()
    annotators = serializers.IntegerField()
    compared = serializers.IntegerField(help_text="Questions with two answers or more.")
    answers = serializers.DictField(child=serializers.IntegerField())
    alpha_nominal = serializers.FloatField(allow_null=True)
    alpha_ordinal = serializers.FloatField(allow_null=True)
    percent_agreement = serializers.FloatField(allow_null=True)
    cohen_kappa = serializers.DictField(child=serializers.FloatField(allow_null=True))


@extend_schema(request=None, responses=AgreementSerializer, parameters=[QUEUE])
@api_view(["GET"])
def agreement(request: Request, slug: str) -> Response:
    """Krippendorff's alpha, per cent agreement, and Cohen's kappa for at most five annotators."""
    project = project_for(request, slug, at_least=Role.REVIEWER)
    name = request.query_params.get("queue")
    return Response(agree(project, queue_named(project, name) if name else None).record())
