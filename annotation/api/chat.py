"""The chat for programs: where it stands, say something, fetch the answers, judge, go on, end.

A program sees what a person sees: texts at places that are drawn anew each turn, never a source.
"""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from annotation import judge_turn
from annotation.access import assignment_for
from annotation.api.desk import AnnotationSerializer
from annotation.chat import Chat, NoChat
from annotation.end_chat import end_chat
from annotation.models import Annotator, Assignment
from annotation.say import LONGEST_MESSAGE, chat_begun
from annotation.say import say as say_it
from annotation.stream_replies import stream_replies
from truing.api.body import Body, read


class PaneSerializer(serializers.Serializer[Any]):
    position = serializers.IntegerField(help_text="Where it is shown; drawn anew each turn.")
    text = serializers.CharField(allow_blank=True)
    has_answer = serializers.BooleanField()
    problem = serializers.CharField(allow_blank=True, help_text="Why there is no answer.")


class SaidTurnSerializer(serializers.Serializer[Any]):
    said = serializers.CharField()
    text = serializers.CharField(allow_blank=True, help_text="The answer that went on.")
    words = serializers.CharField(help_text="The verdict.")
    went_on = serializers.BooleanField(help_text="False where all were bad.")


class ChatSerializer(serializers.Serializer[Any]):
    turns = SaidTurnSerializer(many=True)
    opening = serializers.ListField(child=serializers.DictField())
    number = serializers.IntegerField(help_text="Of the turn that is open or comes next.")
    is_open = serializers.BooleanField(help_text="Whether a turn waits for its verdict.")
    said = serializers.CharField(allow_blank=True)
    panes = PaneSerializer(many=True)
    may_say = serializers.BooleanField()
    may_end = serializers.BooleanField()
    problem = serializers.CharField(allow_blank=True)


class SayBody(Body):
    text = serializers.CharField(max_length=LONGEST_MESSAGE)
    key = serializers.CharField(
        required=False, max_length=64, help_text="Yours, and new: sent twice, said once."
    )


class RepliesBody(Body):
    position = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=9, help_text="Only the one there."
    )


class JudgeBody(Body):
    choice = serializers.CharField(
        max_length=10, help_text="The position of the best answer, “tie” or “all_bad”."
    )
    key = serializers.CharField(
        max_length=64, help_text="Yours, and new for each turn: sent twice, counted once."
    )
    seconds = serializers.FloatField(required=False, allow_null=True)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=10_000)


@extend_schema(responses=ChatSerializer)
@api_view(["GET"])
def chat(request: Request, slug: str, pk: int) -> Response:
    """Where a chat stands that one has taken."""
    return _state(*_chat_for(request, slug, pk))


@extend_schema(request=SayBody, responses=ChatSerializer)
@api_view(["POST"])
def say(request: Request, slug: str, pk: int) -> Response:
    """Say something. The answers are fetched by `replies`."""
    assignment, annotator = _chat_for(request, slug, pk)
    body = read(request, SayBody)
    say_it(assignment, body["text"], annotator=annotator, key=body.get("key", ""))
    return _state(assignment, annotator)


@extend_schema(request=RepliesBody, responses=ChatSerializer)
@api_view(["POST"])
def replies(request: Request, slug: str, pk: int) -> Response:
    """Wait until each model that is asked has answered or failed."""
    assignment, annotator = _chat_for(request, slug, pk)
    position = read(request, RepliesBody).get("position")
    for _ in stream_replies(assignment, annotator, position=position):
        pass  # they are kept on the way
    return _state(assignment, annotator)


@extend_schema(request=JudgeBody, responses={201: AnnotationSerializer})
@api_view(["POST"])
def judge(request: Request, slug: str, pk: int) -> Response:
    """Say which answer is best: the chat goes on with it."""
    assignment, annotator = _chat_for(request, slug, pk)
    body = read(request, JudgeBody)
    given = judge_turn.judge_turn(assignment, body.pop("choice"), annotator=annotator, **body)
    return Response(AnnotationSerializer(given).data, status=201)


@extend_schema(request=None, responses=ChatSerializer)
@api_view(["POST"])
def regenerate(request: Request, slug: str, pk: int) -> Response:
    """Ask the models of the open turn once more."""
    assignment, annotator = _chat_for(request, slug, pk)
    judge_turn.regenerate(assignment, annotator=annotator)
    return _state(assignment, annotator)


@extend_schema(request=None, responses={204: None})
@api_view(["POST"])
def end(request: Request, slug: str, pk: int) -> Response:
    """End the chat."""
    assignment, annotator = _chat_for(request, slug, pk)
    end_chat(assignment, annotator=annotator)
    return Response(status=204)


def _chat_for(request: Request, slug: str, pk: int) -> tuple[Assignment, Annotator]:
    assignment, annotator = assignment_for(request, slug, pk)
    if not assignment.queue.task_type.has_turns:
        raise NoChat
    return assignment, annotator


def _state(assignment: Assignment, annotator: Annotator) -> Response:
    found: Chat = chat_begun(assignment, annotator)
    return Response(ChatSerializer(asdict(found)).data)
