"""Reviews for programs: open one, see how it stands, finish it, reject its candidate."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from alignment.access import checkpoint_chosen, checkpoint_for, review_for
from alignment.finish import finish
from alignment.models import Review
from alignment.reject import reject
from alignment.review import open_review
from alignment.verdict import verdict
from annotation.models import Prompt
from truing.access import Role, project_for
from truing.api.authentication import person
from truing.api.body import Body, read
from truing.api.paging import lists, paged
from truing.errors import Invalid


class ReviewSerializer(serializers.ModelSerializer[Review]):
    verdict = serializers.SerializerMethodField()

    class Meta:
        model = Review
        fields = (
            "id",
            "candidate",
            "baseline",
            "state",
            "overlap",
            "params",
            "problem",
            "verdict",
            "decision",
            "reason",
            "decided_by",
            "decided_at",
            "created_at",
            "finished_at",
        )

    def get_verdict(self, review: Review) -> dict[str, Any]:
        """As it was when the review ended; of an open one, only where it is asked for alone."""
        found = review.verdict or self.context.get("running") or {}
        return {name: value for name, value in found.items() if name != "history"}


class OpenBody(Body):
    candidate = serializers.IntegerField(min_value=1)
    baseline = serializers.IntegerField(required=False, allow_null=True, min_value=1)
    prompts = serializers.ListField(
        required=False,
        child=serializers.IntegerField(min_value=1),
        help_text="Ids of prompts; without them, those on the review side.",
    )
    overlap = serializers.IntegerField(required=False, min_value=1, max_value=100)
    params = serializers.DictField(required=False, help_text="How both are sampled.")


class RejectBody(Body):
    reason = serializers.CharField(max_length=5000)


@lists(ReviewSerializer)
@extend_schema(methods=["POST"], request=OpenBody, responses={201: ReviewSerializer})
@api_view(["GET", "POST"])
def reviews(request: Request, slug: str) -> Response:
    """All reviews, the newest first; or open one."""
    if request.method == "GET":
        project = project_for(request, slug, at_least=Role.REVIEWER)
        return paged(
            request, Review.objects.filter(project=project), ReviewSerializer, newest_first=True
        )
    project = project_for(request, slug, at_least=Role.ENGINEER)
    asked = read(request, OpenBody)
    prompts = None
    if "prompts" in asked:
        prompts = list(Prompt.objects.filter(project=project, pk__in=asked["prompts"]))
        if len(prompts) != len(set(asked["prompts"])):
            raise Invalid("Some of these prompts are not in this project.")
    review = open_review(
        checkpoint_for(request, slug, asked["candidate"], at_least=Role.ENGINEER),
        baseline=checkpoint_chosen(project, [asked.get("baseline")]),
        prompts=prompts,
        overlap=asked.get("overlap", 1),
        params=asked.get("params"),
        actor=person(request),
    )
    return Response(_shown(review), status=201)


@extend_schema(request=None, responses=ReviewSerializer)
@api_view(["GET"])
def review(request: Request, slug: str, pk: int) -> Response:
    """One review, with the verdict as it is now."""
    return Response(_shown(review_for(request, slug, pk, at_least=Role.REVIEWER)))


@extend_schema(request=None, responses=ReviewSerializer)
@api_view(["POST"])
def finish_review(request: Request, slug: str, pk: int) -> Response:
    """End it before its last answer."""
    found = review_for(request, slug, pk, at_least=Role.ENGINEER)
    finish(found, actor=person(request), early=True)
    return Response(_shown(found))


@extend_schema(request=RejectBody, responses=ReviewSerializer)
@api_view(["POST"])
def reject_candidate(request: Request, slug: str, pk: int) -> Response:
    """Leave what is in force as it is, for a reason."""
    found = review_for(request, slug, pk, at_least=Role.ENGINEER)
    asked = read(request, RejectBody)
    return Response(_shown(reject(found, reason=asked["reason"], decided_by=person(request))))


def _shown(review: Review) -> Any:
    running = verdict(review).record()
    return ReviewSerializer(review, context={"running": running}).data
