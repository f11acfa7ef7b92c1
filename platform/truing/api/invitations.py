"""Invitations into a project. For owners."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from truing.access import Role, invitation_for, project_for
from truing.api.authentication import person
from truing.api.body import Body, read
from truing.api.members import RoleField
from truing.api.paging import lists, paged
from truing.invite import invite, revoke
from truing.models import Invitation


class InvitationSerializer(serializers.ModelSerializer[Invitation]):
    role = RoleField()

    class Meta:
        model = Invitation
        fields = ("id", "email", "role", "created_at", "expires_at")


class NewInvitationSerializer(InvitationSerializer):
    """With the link, which cannot be seen again."""

    url = serializers.SerializerMethodField()

    class Meta(InvitationSerializer.Meta):
        fields = (*InvitationSerializer.Meta.fields, "url")  # type: ignore[assignment]

    def get_url(self, invitation: Invitation) -> str:
        return str(self.context["url"])


class InvitationBody(Body):
    email = serializers.EmailField()
    role = RoleField()


@lists(InvitationSerializer, description="The open invitations.")
@extend_schema(
    methods=["POST"],
    request=InvitationBody,
    responses={201: NewInvitationSerializer},
    description="Invite somebody, by a link that works once, within seven days.",
)
@api_view(["GET", "POST"])
def invitations(request: Request, slug: str) -> Response:
    """The open invitations, and a new one."""
    project = project_for(request, slug, at_least=Role.OWNER)
    if request.method == "GET":
        return paged(
            request, Invitation.objects.open().filter(project=project), InvitationSerializer
        )
    invitation, secret = invite(project, **read(request, InvitationBody), actor=person(request))
    url = reverse("invitation", args=[secret], request=request)
    return Response(NewInvitationSerializer(invitation, context={"url": url}).data, status=201)


@extend_schema(request=None, responses={204: None})
@api_view(["DELETE"])
def invitation(request: Request, slug: str, pk: int) -> Response:
    """Withdraw an invitation."""
    revoke(invitation_for(request, slug, pk), actor=person(request))
    return Response(status=204)
