"""A project's members: their roles, their way out, a link for a forgotten password. For owners."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from truing.access import Role, member_for, project_for
from truing.api.authentication import person
from truing.api.body import Body, read
from truing.api.paging import lists, paged
from truing.api.people import PersonSerializer
from truing.change_role import change_role
from truing.errors import Invalid
from truing.models import Membership
from truing.password_link import make_password_link
from truing.remove_member import remove_member

ROLES = [role.name.lower() for role in Role]


class RoleField(serializers.ChoiceField):
    """A role by its word."""

    def __init__(self) -> None:
        super().__init__(choices=ROLES)

    def to_representation(self, value: int) -> str:  # type: ignore[override]
        return Role(value).name.lower()

    def to_internal_value(self, data: object) -> Role:  # type: ignore[override]
        try:
            return Membership.role_named(str(data))
        except Invalid as refusal:
            raise serializers.ValidationError(str(refusal)) from None


class MemberSerializer(serializers.ModelSerializer[Membership]):
    user = PersonSerializer()
    role = RoleField()

    class Meta:
        model = Membership
        fields = ("id", "user", "role", "created_at")


class RoleBody(Body):
    role = RoleField()


class LinkSerializer(serializers.Serializer[dict[str, object]]):
    """A link to hand over. It cannot be seen again."""

    url = serializers.URLField()
    expires_at = serializers.DateTimeField()


SEARCH = OpenApiParameter("q", str, description="Letters in the name or the e-mail address.")


@lists(MemberSerializer, parameters=[SEARCH])
@api_view(["GET"])
def members(request: Request, slug: str) -> Response:
    """Everybody who has a role in the project."""
    project = project_for(request, slug, at_least=Role.OWNER)
    found = Membership.objects.matching(request.query_params.get("q", "")).filter(project=project)
    return paged(request, found.select_related("user"), MemberSerializer)


@extend_schema(methods=["GET"], responses=MemberSerializer, description="One member.")
@extend_schema(
    methods=["PATCH"],
    request=RoleBody,
    responses=MemberSerializer,
    description="Give a member another role.",
)
@extend_schema(
    methods=["DELETE"],
    request=None,
    responses={204: None},
    description="End a membership. The answers stay.",
)
@api_view(["GET", "PATCH", "DELETE"])
def member(request: Request, slug: str, pk: int) -> Response:
    """A member, another role, or the end of the membership."""
    membership = member_for(request, slug, pk)
    if request.method == "DELETE":
        remove_member(membership, actor=person(request))
        return Response(status=204)
    if request.method == "PATCH":
        role = read(request, RoleBody)["role"]
        membership = change_role(membership, role, actor=person(request))
    return Response(MemberSerializer(membership).data)


@extend_schema(request=None, responses={201: LinkSerializer})
@api_view(["POST"])
def password_link(request: Request, slug: str, pk: int) -> Response:
    """Make a link with which this member sets a new password, once, within seven days."""
    membership = member_for(request, slug, pk)
    link, secret = make_password_link(
        membership.user, project=membership.project, actor=person(request)
    )
    url = reverse("set_password", args=[secret], request=request)
    return Response(LinkSerializer({"url": url, "expires_at": link.expires_at}).data, status=201)
