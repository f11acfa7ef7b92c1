"""How annotators work, for programs; and the rules that watch."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.access import annotator_for, firing_for, queue_for, rule_for
from annotation.conditions import CONDITIONS
from annotation.enforce import undo_firing
from annotation.models import Annotator, Firing, Rule, Standing
from annotation.pause import REASON_LENGTH, pause
from annotation.resume import resume
from annotation.set_rules import add_rule, edit_rule, remove_rule
from annotation.show_standing import shown
from truing.access import Role, project_for
from truing.api.authentication import person
from truing.api.body import Body, read
from truing.api.paging import lists, paged


class StandingSerializer(serializers.ModelSerializer[Standing]):
    annotator = serializers.CharField(source="annotator.pseudonym", read_only=True)
    figures = serializers.SerializerMethodField(
        help_text="Shares from 0 to 1; null where they rest on too little. Agreement is that with "
        "what others had answered before."
    )

    class Meta:
        model = Standing
        fields = ("id", "annotator", "queue", "figures")

    def get_figures(self, standing: Standing) -> dict[str, Any]:
        return shown(standing).record()


class RuleSerializer(serializers.ModelSerializer[Rule]):
    class Meta:
        model = Rule
        fields = ("id", "queue", "when", "options", "then", "skill", "sentence", "is_on")


class RuleBody(Body):
    when = serializers.ChoiceField(choices=sorted(CONDITIONS))
    options = serializers.DictField(required=False, help_text="Those of the condition.")
    then = serializers.ListField(child=serializers.ChoiceField(choices=Rule.Then.values))
    skill = serializers.CharField(
        required=False, allow_blank=True, max_length=100, help_text="What take_skill takes."
    )
    sentence = serializers.CharField(required=False, allow_blank=True, max_length=250)
    in_all_queues = serializers.BooleanField(
        required=False, help_text="Of the project; else the rule holds in this queue alone."
    )


class RuleEditBody(Body):
    options = serializers.DictField(
        required=False, help_text="Those of the condition; what is not named stays."
    )
    then = serializers.ListField(
        required=False, child=serializers.ChoiceField(choices=Rule.Then.values)
    )
    skill = serializers.CharField(
        required=False, allow_blank=True, max_length=100, help_text="What take_skill takes."
    )
    sentence = serializers.CharField(required=False, allow_blank=True, max_length=250)


class FiringSerializer(serializers.ModelSerializer[Firing]):
    annotator = serializers.CharField(source="standing.annotator.pseudonym", read_only=True)
    queue = serializers.IntegerField(source="standing.queue_id", read_only=True)

    class Meta:
        model = Firing
        fields = ("id", "annotator", "queue", "when", "then", "skill", "reason", "at", "undone_at")


class UndoBody(Body):
    pass


class AnnotatorSerializer(serializers.ModelSerializer[Annotator]):
    class Meta:
        model = Annotator
        fields = ("id", "pseudonym", "paused_at", "paused_because", "paused_by_hand")


class PauseBody(Body):
    because = serializers.CharField(max_length=REASON_LENGTH, help_text="They read it.")


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
    """The rules that hold in a queue, those of all queues among them; or another one."""
    queue = queue_for(request, slug, pk, at_least=Role.CURATOR)
    if request.method == "GET":
        return paged(request, Rule.objects.over(queue), RuleSerializer)
    body = read(request, RuleBody)
    only = None if body.pop("in_all_queues", False) else queue
    made = add_rule(queue.project, queue=only, **body, actor=person(request))
    return Response(RuleSerializer(made).data, status=201)


@extend_schema(methods=["PATCH"], request=RuleEditBody, responses=RuleSerializer)
@extend_schema(methods=["DELETE"], responses={204: None})
@api_view(["PATCH", "DELETE"])
def rule(request: Request, slug: str, pk: int) -> Response:
    """Change a rule, or remove it. What it has done stays, and can still be undone."""
    found = rule_for(request, slug, pk)
    if request.method == "DELETE":
        remove_rule(found, actor=person(request))
        return Response(status=204)
    changed = edit_rule(found, **read(request, RuleEditBody), actor=person(request))
    return Response(RuleSerializer(changed).data)


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


@lists(AnnotatorSerializer)
@api_view(["GET"])
def annotators(request: Request, slug: str) -> Response:
    """Whoever answers here, and who of them is paused."""
    project = project_for(request, slug, at_least=Role.REVIEWER)
    return paged(request, Annotator.objects.filter(project=project), AnnotatorSerializer)


@extend_schema(request=PauseBody, responses=AnnotatorSerializer)
@api_view(["POST"])
def pause_annotator(request: Request, slug: str, pk: int) -> Response:
    """Ask somebody nothing until they are resumed."""
    found = annotator_for(request, slug, pk, at_least=Role.REVIEWER)
    pause(found, **read(request, PauseBody), actor=person(request))
    found.refresh_from_db()
    return Response(AnnotatorSerializer(found).data)


@extend_schema(request=UndoBody, responses=AnnotatorSerializer)
@api_view(["POST"])
def resume_annotator(request: Request, slug: str, pk: int) -> Response:
    """Ask somebody again who was paused."""
    found = annotator_for(request, slug, pk, at_least=Role.REVIEWER)
    read(request, UndoBody)
    resume(found, actor=person(request))
    found.refresh_from_db()
    return Response(AnnotatorSerializer(found).data)
