"""How annotators work, for programs; and the rules that watch."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.access import firing_for, queue_for
from annotation.conditions import CONDITIONS
from annotation.enforce import undo_firing
from annotation.models import Firing, Rule, Standing
from annotation.set_rules import add_rule
from annotation.show_standing import shown
from truing.access import Role, project_for
from truing.api.authentication import person
from truing.api.body import Body, read
from truing.api.paging import lists, paged


class StandingSerializer(serializers.ModelSerializer[Standing]):
    annotator = serializers.CharField(source="annotator.pseudonym", read_only=True)
    figures = serializers.SerializerMethodField(
        help_text="Shares from 0 to 1; null where they rest on too little."
    )

    class Meta:
        model = Standing
        fields = ("id", "annotator", "queue", "figures")

    def get_figures(self, standing: Standing) -> dict[str, Any]:
        return shown(standing).record()


class RuleSerializer(serializers.ModelSerializer[Rule]):
    class Meta:
        model = Rule
        fields = ("id", "queue", "when", "options", "then", "sentence", "is_on")


class RuleBody(Body):
    when = serializers.ChoiceField(choices=sorted(CONDITIONS))
    options = serializers.DictField(required=False, help_text="Those of the condition.")
    then = serializers.ListField(child=serializers.ChoiceField(choices=Rule.Then.values))
    sentence = serializers.CharField(required=False, allow_blank=True, max_length=250)


class FiringSerializer(serializers.ModelSerializer[Firing]):
    annotator = serializers.CharField(source="standing.annotator.pseudonym", read_only=True)
    queue = serializers.IntegerField(source="standing.queue_id", read_only=True)

    class Meta:
        model = Firing
        fields = ("id", "annotator", "queue", "when", "then", "reason", "at", "undone_at")


class UndoBody(Body):
    pass


@lists(StandingSerializer)
@api_view(["GET"])
def standings(request: Request, slug: str) -> Response:
    """How each annotator stands in each queue."""
    project = project_for(request, slug, at_least=Role.REVIEWER)
    found = Standing.objects.in_project(project).select_related("annotator")
    return paged(request, found, StandingSerializer)


@lists(RuleSerializer)
@extend_schema(methods=["POST"], request=RuleBody, responses={201: RuleSerializer})
@api_view(["GET", "POST"])
def rules(request: Request, slug: str, pk: int) -> Response:
    """The rules of one queue; or another one."""
    queue = queue_for(request, slug, pk, at_least=Role.CURATOR)
    if request.method == "GET":
        return paged(request, Rule.objects.filter(queue=queue), RuleSerializer)
    body = read(request, RuleBody)
    made = add_rule(queue.project, queue=queue, **body, actor=person(request))
    return Response(RuleSerializer(made).data, status=201)


@lists(FiringSerializer)
@api_view(["GET"])
def firings(request: Request, slug: str) -> Response:
    """What rules have done."""
    project = project_for(request, slug, at_least=Role.REVIEWER)
    found = Firing.objects.in_project(project).select_related("standing__annotator")
    return paged(request, found, FiringSerializer)


@extend_schema(request=UndoBody, responses=FiringSerializer)
@api_view(["POST"])
def undo(request: Request, slug: str, pk: int) -> Response:
    """Take back what a rule did."""
    firing = firing_for(request, slug, pk)
    read(request, UndoBody)
    return Response(FiringSerializer(undo_firing(firing, actor=person(request))).data)
