"""Queues for programs: make them, change them, and ask questions in them."""

from typing import Any

from django.db.models import BooleanField, ExpressionWrapper
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.access import queue_for, task_for
from annotation.ask import NoQuestion, ask
from annotation.asked_now import about_asked_now
from annotation.count_queue import count_queues
from annotation.create_queue import create_queue
from annotation.edit_queue import edit_queue, refuse_reserved, set_queue_state
from annotation.handling import handling_of
from annotation.models import Output, Prompt, Queue, Task, TaskOutput
from annotation.models.queue import HIGHEST_PRIORITY
from annotation.prioritise import prioritise
from annotation.set_known import forget_known, set_known
from annotation.task_types import TASK_TYPES
from truing.access import Role, project_for
from truing.api.authentication import person
from truing.api.body import Body, read
from truing.api.paging import lists, paged
from truing.options import record_of

LARGEST_KEY = 2**63 - 1


class QueueSerializer(serializers.ModelSerializer[Queue]):
    class Meta:
        model = Queue
        fields = (
            "id",
            "name",
            "type",
            "options",
            "overlap",
            "is_training",
            "state",
            "reserved_for",
            "created_at",
        )


class ProgressSerializer(serializers.Serializer[Any]):
    tasks = serializers.IntegerField()
    answered = serializers.IntegerField()
    wanted = serializers.IntegerField()


class QueueDetailSerializer(QueueSerializer):
    guideline = serializers.SerializerMethodField(help_text="The instructions in force.")
    progress = serializers.SerializerMethodField()
    handling = serializers.SerializerMethodField(help_text="How questions are handed out.")

    class Meta(QueueSerializer.Meta):
        fields = (*QueueSerializer.Meta.fields, "handling", "guideline", "progress")  # type: ignore[assignment]

    def get_guideline(self, queue: Queue) -> str:
        newest = queue.guidelines.order_by("-number").first()
        return newest.text if newest else ""

    def get_handling(self, queue: Queue) -> dict[str, Any]:
        return record_of(handling_of(queue))

    @extend_schema(responses=ProgressSerializer)
    def get_progress(self, queue: Queue) -> dict[str, int]:
        counted = count_queues([queue])[queue.pk]
        return {
            "tasks": counted.tasks,
            "answered": counted.answered,
            "wanted": counted.wanted,
        }


class QueueEditBody(Body):
    name = serializers.CharField(max_length=200, required=False)
    options = serializers.DictField(required=False, help_text="Those of the task type.")
    overlap = serializers.IntegerField(
        required=False, min_value=1, max_value=100, help_text="Answers wanted a task."
    )
    handling = serializers.DictField(
        required=False,
        help_text="order, most_answers, confidence, daily_cap, gold_share, repeat_share, skills, "
        "sensitive, harmful, sensitive_cap, exam_skill, exam_size, exam_share: what is left out "
        "stays.",
    )
    guideline = serializers.CharField(required=False, allow_blank=True, max_length=100_000)
    is_training = serializers.BooleanField(
        required=False, help_text="Show a known answer after it was given."
    )
    state = serializers.ChoiceField(choices=Queue.State.values, required=False)


class QueueBody(QueueEditBody):
    name = serializers.CharField(max_length=200)
    type = serializers.ChoiceField(choices=sorted(TASK_TYPES))


class PlaceSerializer(serializers.ModelSerializer[TaskOutput]):
    class Meta:
        model = TaskOutput
        fields = ("ref", "output")


class TaskSerializer(serializers.ModelSerializer[Task]):
    outputs = PlaceSerializer(source="task_outputs", many=True, read_only=True)
    gold = serializers.SerializerMethodField(
        help_text="Its known answer; nothing while you have the question in hand."
    )
    gold_kind = serializers.SerializerMethodField()

    class Meta:
        model = Task
        fields = (
            "id", "ref", "prompt", "brief", "outputs", "gold", "gold_kind", "categories",
            "created_at",
        )  # fmt: skip

    def get_gold(self, task: Task) -> dict[str, Any] | None:
        return None if getattr(task, "is_asked", False) else task.gold

    @extend_schema_field(serializers.ChoiceField(choices=["gold", "attention", ""]))
    def get_gold_kind(self, task: Task) -> str:
        if task.gold is None or getattr(task, "is_asked", False):
            return ""
        return "attention" if task.is_check else "gold"


class TaskBody(Body):
    prompt = serializers.IntegerField(
        min_value=1,
        max_value=LARGEST_KEY,
        required=False,
        help_text="May be missing where somebody is to write one.",
    )
    outputs = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST_KEY),
        max_length=100,
        required=False,
    )
    brief = serializers.DictField(
        required=False, help_text="What is wanted, where there is no prompt."
    )
    ref = serializers.CharField(
        required=False, max_length=200, help_text="The id of its feedback line; else one is made."
    )


class KnownBody(Body):
    answer = serializers.DictField(help_text="As people give it, with outputs by their refs.")
    kind = serializers.ChoiceField(
        choices=["gold", "attention"],
        default="gold",
        help_text="Gold measures; an attention check is failed by nobody who reads.",
    )
    why = serializers.CharField(
        required=False, allow_blank=True, max_length=2000, help_text="Shown in training."
    )


class PriorityBody(Body):
    tasks = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST_KEY), max_length=10_000
    )
    priority = serializers.IntegerField(min_value=-HIGHEST_PRIORITY, max_value=HIGHEST_PRIORITY)


class PrioritySerializer(serializers.Serializer[Any]):
    changed = serializers.IntegerField()


@lists(QueueSerializer)
@extend_schema(methods=["POST"], request=QueueBody, responses={201: QueueDetailSerializer})
@api_view(["GET", "POST"])
def queues(request: Request, slug: str) -> Response:
    """All queues; or open a new one."""
    project = project_for(request, slug, at_least=Role.CURATOR)
    if request.method == "GET":
        return paged(request, Queue.objects.filter(project=project), QueueSerializer)
    made = create_queue(project, **read(request, QueueBody), actor=person(request))
    return Response(QueueDetailSerializer(made).data, status=201)


@extend_schema(methods=["GET"], responses=QueueDetailSerializer)
@extend_schema(methods=["PATCH"], request=QueueEditBody, responses=QueueDetailSerializer)
@api_view(["GET", "PATCH"])
def queue(request: Request, slug: str, pk: int) -> Response:
    """One queue with its progress; or change it. More answers wanted adds free slots."""
    queue = queue_for(request, slug, pk, at_least=Role.CURATOR)
    if request.method == "PATCH":
        changes = read(request, QueueEditBody)
        state = changes.pop("state", None)
        queue = edit_queue(queue, **changes, actor=person(request))
        if state:
            queue = set_queue_state(queue, state, actor=person(request))
    return Response(QueueDetailSerializer(queue).data)


@extend_schema(request=PriorityBody, responses=PrioritySerializer)
@api_view(["POST"])
def priority(request: Request, slug: str, pk: int) -> Response:
    """Give tasks of a queue another priority; the higher, the sooner."""
    queue = queue_for(request, slug, pk, at_least=Role.CURATOR)
    refuse_reserved(queue)
    number = prioritise(queue, **read(request, PriorityBody), actor=person(request))
    return Response({"changed": number})


@lists(TaskSerializer)
@extend_schema(methods=["POST"], request=TaskBody, responses={201: TaskSerializer})
@api_view(["GET", "POST"])
def tasks(request: Request, slug: str, pk: int) -> Response:
    """The questions of a queue; or ask another one about a prompt and its outputs."""
    queue = queue_for(request, slug, pk, at_least=Role.CURATOR)
    if request.method == "GET":
        asked = about_asked_now(queue.project, person(request), task="")
        found = Task.objects.filter(queue=queue).annotate(
            is_asked=ExpressionWrapper(asked, output_field=BooleanField())
        )
        found = found.prefetch_related("task_outputs")
        return paged(request, found, TaskSerializer)
    refuse_reserved(queue)
    wanted = read(request, TaskBody)
    keys = wanted.get("outputs", [])
    prompt = Prompt.objects.filter(project=queue.project, pk=wanted.get("prompt", 0)).first()
    found_outputs = Output.objects.filter(prompt=prompt).in_bulk(keys) if prompt else {}
    if (prompt is None and "prompt" in wanted) or len(found_outputs) < len(keys):
        raise NoQuestion("There is no such prompt here, or it has no such outputs.")
    outputs = [found_outputs[key] for key in keys]
    task = ask(queue, prompt, outputs, ref=wanted.get("ref", ""), brief=wanted.get("brief"))
    return Response(TaskSerializer(task).data, status=201)


@extend_schema(methods=["PUT"], request=KnownBody, responses=TaskSerializer)
@extend_schema(methods=["DELETE"], responses={204: None})
@api_view(["PUT", "DELETE"])
def known(request: Request, slug: str, pk: int) -> Response:
    """Set a task's known answer, or forget it."""
    task = task_for(request, slug, pk, at_least=Role.CURATOR)
    if request.method == "DELETE":
        forget_known(task, actor=person(request))
        return Response(status=204)
    body = read(request, KnownBody)
    task = set_known(
        task,
        body["answer"],
        is_check=body["kind"] == "attention",
        why=body.get("why", ""),
        actor=person(request),
    )
    return Response(TaskSerializer(task).data)
