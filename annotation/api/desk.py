"""The desk for programs: the next question, its answer, a skip, a correction.

A program sees what a person sees: texts in the order drawn, never a source or an output's id.
Answers name outputs by the positions at which they were shown, from 0.
"""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.access import annotation_for, assignment_for, queue_for
from annotation.assign import extend_hold, next_assignment
from annotation.correct import correct
from annotation.models import Annotation, Annotator, Assignment
from annotation.question import question_of, shown_to
from annotation.skip import Meaning, skip
from annotation.submit import BadAnswer, submit
from truing.access import Role, membership_for
from truing.api.body import Body, read
from truing.errors import Refused


class HoldLost(Refused):
    """Somebody else has this question now."""

    status = 410


class NextBody(Body):
    queue = serializers.IntegerField(required=False, allow_null=True, min_value=1)


class AnswerBody(Body):
    answer = serializers.DictField(
        help_text="What the task type takes, with outputs by position as shown: "
        '{"tiers": [[1], [0, 2]], "strength": 2}, {"ratings": {"0": {"Overall": 5}}}, '
        '{"spans": [{"output": 0, "start": 4, "end": 9, "label": "Wrong"}]}, '
        '{"text": "What one wrote."}.'
    )
    key = serializers.CharField(
        max_length=64, help_text="Yours, and new for each answer: sent twice, counted once."
    )
    seconds = serializers.FloatField(required=False, allow_null=True)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=10_000)


class SkipBody(Body):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=300)
    meaning = serializers.ChoiceField(
        choices=Meaning.choices,
        required=False,
        help_text="Not for me, not for anyone (a curator decides), or later.",
    )


class HoldBody(Body):
    pass


class GuidelineSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    text = serializers.CharField()


class QuestionSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(help_text="Of the assignment.")
    queue = serializers.IntegerField()
    type = serializers.CharField()
    options = serializers.DictField()
    prompt = serializers.ListField(child=serializers.DictField())
    brief = serializers.DictField(help_text="What is wanted, where there is no prompt.")
    outputs = serializers.ListField(child=serializers.CharField(allow_blank=True))
    guideline = GuidelineSerializer(allow_null=True)
    categories = serializers.ListField(
        child=serializers.CharField(),
        help_text="Of sensitive content that it holds: veil it until its reader uncovers it.",
    )
    held_until = serializers.DateTimeField(allow_null=True)


class NextSerializer(serializers.Serializer[Any]):
    question = QuestionSerializer(allow_null=True)
    notice = serializers.CharField(
        help_text="What the annotator is to be told, such as why they are paused; often nothing."
    )


class AnnotationSerializer(serializers.ModelSerializer[Annotation]):
    class Meta:
        model = Annotation
        fields = ("id", "assignment", "seconds", "reason", "supersedes", "at")


@extend_schema(request=NextBody, responses=NextSerializer)
@api_view(["POST"])
def next_question(request: Request, slug: str) -> Response:
    """The question that one holds, or the next one; null when nothing is left."""
    membership = membership_for(request, slug)
    pk = read(request, NextBody).get("queue")
    queue = queue_for(request, slug, pk, at_least=Role.ANNOTATOR) if pk else None
    assignment = next_assignment(membership.project, membership.user, queue=queue)
    question = record_of_question(assignment) if assignment else None
    annotator = Annotator.objects.member(membership.project, membership.user)
    notice = annotator.paused_because if annotator.paused_at else annotator.notice
    return Response({"question": question, "notice": notice})


@extend_schema(request=AnswerBody, responses={201: AnnotationSerializer})
@api_view(["POST"])
def answer(request: Request, slug: str, pk: int) -> Response:
    """Answer a question that one took. The same key again gives the same answer back."""
    assignment, annotator = assignment_for(request, slug, pk)
    body = read(request, AnswerBody)
    body["answer"] = with_refs(body["answer"], shown_to(assignment, annotator))
    annotation = submit(assignment, annotator=annotator, **body)
    return Response(AnnotationSerializer(annotation).data, status=201)


@extend_schema(request=SkipBody, responses={204: None})
@api_view(["POST"])
def skip_question(request: Request, slug: str, pk: int) -> Response:
    """Let a question go; somebody else is asked."""
    assignment, annotator = assignment_for(request, slug, pk)
    skip(assignment, annotator=annotator, **read(request, SkipBody))
    return Response(status=204)


@extend_schema(request=HoldBody, responses={204: None})
@api_view(["POST"])
def hold(request: Request, slug: str, pk: int) -> Response:
    """Hold a question for longer; 410 when somebody else has it by now."""
    assignment, annotator = assignment_for(request, slug, pk)
    read(request, HoldBody)
    if not extend_hold(assignment, annotator):
        raise HoldLost
    return Response(status=204)


@extend_schema(request=AnswerBody, responses={201: AnnotationSerializer})
@api_view(["POST"])
def correct_answer(request: Request, slug: str, pk: int) -> Response:
    """Correct an answer of one's own: a new one follows it."""
    annotation = annotation_for(request, slug, pk)
    body = read(request, AnswerBody)
    body["answer"] = with_refs(body["answer"], annotation.shown)
    return Response(AnnotationSerializer(correct(annotation, **body)).data, status=201)


def record_of_question(assignment: Assignment) -> dict[str, Any]:
    assert assignment.annotator is not None, "a question is given to somebody"
    question = question_of(assignment, assignment.annotator)
    guideline = question.guideline
    return {
        "id": assignment.pk,
        "queue": question.queue.pk,
        "type": question.type,
        "options": question.options,
        "prompt": question.prompt,
        "brief": question.brief,
        "outputs": [output.text for output in question.outputs],
        "guideline": {"number": guideline.number, "text": guideline.text} if guideline else None,
        "categories": question.categories,
        "held_until": assignment.held_until,
    }


def with_refs(answer: dict[str, Any], shown: list[str]) -> dict[str, Any]:
    """The answer as it is stored, where outputs have refs and no positions.

    Positions stand in the tiers, are the names in `ratings` and `flags`, and the `output` of a
    span. What has another form than these is left to the task type, which refuses it.
    """
    refs = {str(position): ref for position, ref in enumerate(shown)}

    def ref_at(position: Any) -> str:
        # In JSON the names of an object are texts.
        if isinstance(position, bool) or str(position) not in refs:
            raise BadAnswer(f"There is no output at position {position!r}.")
        return refs[str(position)]

    read = dict(answer)
    tiers = answer.get("tiers")
    if tiers is not None:
        if not isinstance(tiers, list) or not all(isinstance(tier, list) for tier in tiers):
            raise BadAnswer("Tiers must be a list of lists of positions.")
        read["tiers"] = [[ref_at(position) for position in tier] for tier in tiers]
    for name in ("ratings", "flags"):
        if isinstance(by_output := answer.get(name), dict):
            read[name] = {ref_at(position): said for position, said in by_output.items()}
    if isinstance(spans := answer.get("spans"), list):
        read["spans"] = [
            {**span, "output": ref_at(span["output"])}
            if isinstance(span, dict) and "output" in span
            else span
            for span in spans
        ]
    return read
