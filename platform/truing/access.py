"""The only way a view gets an object: load it and check the role in one call.

Someone who is not a member gets 404, so that names do not leak; a member whose role is
too low gets 403. Pages and API use the same functions.
"""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from truing.invite import InvitationOver
from truing.models import ApiToken, Invitation, Membership, PasswordLink, Project
from truing.password_link import LinkOver
from truing.secret import digest_of

Role = Membership.Role


def membership_for(
    request: HttpRequest, slug: str, *, at_least: Role = Role.ANNOTATOR
) -> Membership:
    membership = get_object_or_404(
        Membership.objects.select_related("project", "user"),
        project__slug=slug,
        user_id=request.user.pk,
    )
    show_in_frame(request, membership)
    if membership.role < at_least:
        raise PermissionDenied
    return membership


def show_in_frame(request: HttpRequest, membership: Membership) -> None:
    """Let the page say where one is, and as what."""
    # The page's frame shows the project and what this role may open. Django REST framework
    # hands its own wrapper round the request, and the frame knows only the request inside.
    frame: Any = getattr(request, "_request", request)
    frame.project = membership.project
    frame.membership = membership


def project_for(request: HttpRequest, slug: str, *, at_least: Role = Role.ANNOTATOR) -> Project:
    return membership_for(request, slug, at_least=at_least).project


def member_for(request: HttpRequest, slug: str, pk: int) -> Membership:
    """One of the members of a project, for its owners."""
    project = project_for(request, slug, at_least=Role.OWNER)
    return get_object_or_404(
        Membership.objects.select_related("project", "user"), pk=pk, project=project
    )


def invitation_for(request: HttpRequest, slug: str, pk: int) -> Invitation:
    """One of the open invitations of a project, for its owners."""
    project = project_for(request, slug, at_least=Role.OWNER)
    return get_object_or_404(
        Invitation.objects.open().select_related("project"), pk=pk, project=project
    )


def token_for(request: HttpRequest, pk: int) -> ApiToken:
    """One of this person's own tokens that are in use."""
    return get_object_or_404(ApiToken.objects.live(), pk=pk, user_id=request.user.pk)


def invitation_of(secret: str) -> Invitation:
    """The open invitation of this link, for whoever has the link."""
    found = Invitation.objects.open().select_related("project", "created_by")
    try:
        return found.get(digest=digest_of(secret))
    except Invitation.DoesNotExist:
        raise InvitationOver from None


def password_link_of(secret: str) -> PasswordLink:
    """The open link to set a password, for whoever has it."""
    found = PasswordLink.objects.open().select_related("user", "created_by", "project")
    try:
        return found.get(digest=digest_of(secret))
    except PasswordLink.DoesNotExist:
        raise LinkOver from None
