"""One's projects, and new ones."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from truing.access import membership_for
from truing.api.authentication import person
from truing.api.body import Body, read
from truing.api.paging import lists, paged
from truing.create_project import (
    DESCRIPTION_LENGTH,
    NAME_LENGTH,
    SLUG_LENGTH,
    check_may_create,
    create_project,
)
from truing.models import Membership


class ProjectSerializer(serializers.ModelSerializer[Membership]):
    """A project as one of its members sees it."""

    name = serializers.CharField(source="project.name")
    slug = serializers.SlugField(source="project.slug")
    description = serializers.CharField(source="project.description")
    role = serializers.SerializerMethodField()
    eval_percent = serializers.IntegerField(source="project.eval_percent")
    review_percent = serializers.IntegerField(source="project.review_percent")
    created_at = serializers.DateTimeField(source="project.created_at")

    class Meta:
        model = Membership
        fields = (
            "name",
            "slug",
            "description",
            "role",
            "eval_percent",
            "review_percent",
            "created_at",
        )

    def get_role(self, membership: Membership) -> str:
        return Membership.Role(membership.role).name.lower()


class ProjectBody(Body):
    name = serializers.CharField(max_length=NAME_LENGTH)
    slug = serializers.CharField(max_length=SLUG_LENGTH, required=False)
    description = serializers.CharField(
        max_length=DESCRIPTION_LENGTH, required=False, allow_blank=True
    )
    eval_percent = serializers.IntegerField(min_value=0, max_value=100, required=False)
    review_percent = serializers.IntegerField(min_value=0, max_value=100, required=False)


@lists(ProjectSerializer, description="The projects in which you have a role.")
@extend_schema(
    methods=["POST"],
    request=ProjectBody,
    responses={201: ProjectSerializer},
    description="Make a project, which is then yours.",
)
@api_view(["GET", "POST"])
def projects(request: Request) -> Response:
    """One's projects, and a new one."""
    mine = Membership.objects.filter(user=person(request)).select_related("project")
    if request.method == "GET":
        return paged(request, mine, ProjectSerializer)
    check_may_create(person(request))
    project = create_project(**read(request, ProjectBody), actor=person(request))
    return Response(ProjectSerializer(mine.get(project=project)).data, status=201)


@extend_schema(responses=ProjectSerializer)
@api_view(["GET"])
def project(request: Request, slug: str) -> Response:
    """A project and your role in it."""
    return Response(ProjectSerializer(membership_for(request, slug)).data)
