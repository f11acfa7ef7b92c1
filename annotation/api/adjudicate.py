"""Adjudication for programs: what people disagree on, settling it, and what is said about it."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.access import own_task_for, queue_for, task_for
from annotation.adjudicate import (
    ask_another,
    may_see,
    reopen,
    send_back,
    settle,
    settlement_of,
)
from annotation.ask_guideline_again import ask_guideline_again
from annotation.asked_now import about_asked_now
from annotation.comment import comment, refuse_before_them
from annotation.exempt import see_answers
from annotation.find_disputes import find_disputes
from annotation.models import Annotation, Annotator, Comment, Dispute, Task, TaskOutput
from truing.access import Role, membership_for, project_for
from truing.api.authentication import person
from truing.api.body import Body, read
from truing.api.paging import lists, paged
from truing.errors import Invalid
from truing.http import key_of


class DisputeSerializer(serializers.ModelSerializer[Dispute]):
    ref = serializers.CharField(source="task.ref", read_only=True)

    class Meta:
        model = Dispute
        fields = ("id", "task", "ref", "queue", "state", "doubt", "answers", "changed_at")


class SaidSerializer(serializers.ModelSerializer[Annotation]):
    annotator = serializers.CharField(source="assignment.annotator.pseudonym", read_only=True)
    purpose = serializers.CharField(source="assignment.purpose", read_only=True)
    round = serializers.IntegerField(source="assignment.round", read_only=True)
    guideline = serializers.IntegerField(
        source="assignment.guideline.number", read_only=True, allow_null=True, default=None
    )

    class Meta:
        model = Annotation
        fields = ("id", "annotator", "purpose", "round", "guideline", "answer", "reason", "at")


class TaskOutputSerializer(serializers.ModelSerializer[TaskOutput]):
    text = serializers.CharField(source="output.text", read_only=True)

    class Meta:
        model = TaskOutput
        fields = ("ref", "text")


class DisputedSerializer(serializers.Serializer[Any]):
    task = serializers.IntegerField()
    queue = serializers.IntegerField()
    prompt = serializers.ListField(child=serializers.DictField())
    outputs = TaskOutputSerializer(many=True)
    answers = SaidSerializer(many=True, help_text="All that stand, those that count and others.")
    settled = serializers.IntegerField(
        allow_null=True, help_text="The answer that settles it; `replaces` of the next one."
    )


class SettleBody(Body):
    answer = serializers.DictField(help_text="As in the list of answers, with outputs by ref.")
    reason = serializers.CharField(max_length=10_000)
    key = serializers.CharField(
        max_length=64, help_text="Yours, and new for each answer: sent twice, counted once."
    )
    replaces = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        help_text="The settled answer that you have seen, if there is one.",
    )


class ReopenBody(Body):
    reason = serializers.CharField(max_length=300)
    replaces = serializers.IntegerField(
        min_value=1, help_text="The settled answer that is taken back: `settled` of the question."
    )


class SendBackBody(Body):
    annotations = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), max_length=100
    )
    text = serializers.CharField(max_length=10_000, help_text="All that they read.")


class NothingBody(Body):
    pass


class CommentSerializer(serializers.ModelSerializer[Comment]):
    annotator = serializers.CharField(
        source="annotator.pseudonym", read_only=True, allow_null=True, default=None
    )
    by_annotator = serializers.SerializerMethodField()

    class Meta:
        model = Comment
        fields = ("id", "task", "annotator", "by_annotator", "text", "at")

    def get_by_annotator(self, made: Comment) -> bool:
        return made.annotator_id == made.author_id


class CommentBody(Body):
    text = serializers.CharField(max_length=10_000)
    annotator = serializers.CharField(
        required=False,
        allow_null=True,
        max_length=200,
        help_text="A pseudonym: whom a reviewer writes to. Without it, among reviewers; "
        "annotators write in their own thread.",
    )


class AskAgainBody(Body):
    guideline = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    or_earlier = serializers.BooleanField(required=False, default=False)
    why = serializers.CharField(required=False, allow_blank=True, max_length=300)
    dry_run = serializers.BooleanField(required=False, default=False, help_text="Only count.")


class AskedAgainSerializer(serializers.Serializer[Any]):
    tasks = serializers.IntegerField()
    slots = serializers.IntegerField(help_text="Answers that are wanted.")
    answers = serializers.IntegerField(help_text="Those that will count no more.")


FILTERS = [
    OpenApiParameter("queue", int, description="The key of a queue."),
    OpenApiParameter("state", str, enum=Dispute.State.values),
]


@lists(DisputeSerializer, parameters=FILTERS)
@api_view(["GET"])
def disputes(request: Request, slug: str) -> Response:
    """Questions on which people disagree; `doubt` says how much, half being an even split."""
    project = project_for(request, slug, at_least=Role.REVIEWER)
    find_disputes(project)
    found = Dispute.objects.in_project(project).exclude(about_asked_now(project, person(request)))
    found = found.select_related("task")
    asked = request.query_params
    if asked.get("queue"):
        found = found.filter(queue=key_of(asked["queue"]) or 0)
    if asked.get("state") in Dispute.State.values:
        found = found.filter(state=asked["state"])
    return paged(request, found, DisputeSerializer)


@extend_schema(responses=DisputedSerializer)
@api_view(["GET"])
def dispute(request: Request, slug: str, pk: int) -> Response:
    """One question with all that was answered."""
    task = task_for(request, slug, pk)
    may_see(task, person(request))
    see_answers(task, person(request))
    return Response(_record(task))


@extend_schema(request=SettleBody, responses={201: SaidSerializer})
@api_view(["POST"])
def settle_task(request: Request, slug: str, pk: int) -> Response:
    """Settle it: this answer outweighs all others."""
    task = task_for(request, slug, pk)
    given = settle(task, **read(request, SettleBody), actor=person(request))
    return Response(SaidSerializer(given).data, status=201)


@extend_schema(request=ReopenBody, responses=DisputeSerializer)
@api_view(["POST"])
def reopen_task(request: Request, slug: str, pk: int) -> Response:
    """Take the settled answer back: the votes count again."""
    task = task_for(request, slug, pk)
    found = reopen(task, **read(request, ReopenBody), actor=person(request))
    return Response(DisputeSerializer(found).data)


@extend_schema(request=SendBackBody, responses=DisputeSerializer)
@api_view(["POST"])
def send_back_task(request: Request, slug: str, pk: int) -> Response:
    """Ask those who gave these answers to look again."""
    task = task_for(request, slug, pk)
    send_back(task, **read(request, SendBackBody), actor=person(request))
    return Response(DisputeSerializer(task.dispute).data)


@extend_schema(request=NothingBody, responses={204: None})
@api_view(["POST"])
def ask_another_person(request: Request, slug: str, pk: int) -> Response:
    """Ask one more person."""
    task = task_for(request, slug, pk)
    read(request, NothingBody)
    ask_another(task, actor=person(request))
    return Response(status=204)


@lists(CommentSerializer)
@extend_schema(methods=["POST"], request=CommentBody, responses={201: CommentSerializer})
@api_view(["GET", "POST"])
def comments(request: Request, slug: str, pk: int) -> Response:
    """What was written about a question. An annotator has the thread about their own answer."""
    membership = membership_for(request, slug)
    who = person(request)
    me: Annotator | None = None
    if membership.role >= Role.REVIEWER:
        task = task_for(request, slug, pk)
        may_see(task, who)
    else:
        task, me = own_task_for(request, slug, pk)
        refuse_before_them(task, me)
    if request.method == "GET":
        found = Comment.objects.filter(task=task).select_related("annotator")
        return paged(request, found.filter(annotator=me) if me else found, CommentSerializer)
    body = read(request, CommentBody)
    name = body.get("annotator")
    thread = me
    if name and me is None:
        thread = membership.project.annotators.filter(pseudonym=name).first()
        if thread is None:
            raise Invalid("Nobody is called so here.")
    made = comment(task, body["text"], annotator=thread, actor=who)
    return Response(CommentSerializer(made).data, status=201)


@extend_schema(request=AskAgainBody, responses=AskedAgainSerializer)
@api_view(["POST"])
def ask_again(request: Request, slug: str, pk: int) -> Response:
    """Ask again what was answered under an earlier guideline; a dry run only counts."""
    queue = queue_for(request, slug, pk, at_least=Role.CURATOR)
    body = read(request, AskAgainBody)
    found = ask_guideline_again(queue, body.pop("guideline"), **body, actor=person(request))
    return Response(AskedAgainSerializer(found).data)


def _record(task: Task) -> dict[str, Any]:
    given = settlement_of(task)
    answers = Annotation.objects.current().filter(assignment__task=task)
    found = DisputedSerializer(
        {
            "task": task.pk,
            "queue": task.queue_id,
            "prompt": task.prompt.messages if task.prompt else [],
            "outputs": task.task_outputs.select_related("output").order_by("position"),
            "answers": answers.select_related(
                "assignment__annotator", "assignment__guideline"
            ).order_by("pk")[:200],
            "settled": given.pk if given else None,
        }
    )
    return found.data
