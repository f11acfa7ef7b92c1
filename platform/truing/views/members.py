"""A project's members: who there is, in which role, who is invited. For owners."""

from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from truing.access import Role, invitation_for, member_for, project_for
from truing.change_role import change_role
from truing.errors import Refused
from truing.http import Request, key_of
from truing.invite import invite, revoke
from truing.models import Invitation, Membership, Project
from truing.pages import render
from truing.password_link import make_password_link
from truing.remove_member import remove_member

A_PAGE = 100
ROLES = [(role.name.lower(), role.label) for role in Role]
ABOUT_ROLES = [
    ("annotator", "answers questions at the desk"),
    ("reviewer", "also settles what people disagree on, and reads all answers"),
    ("curator", "also makes queues, imports and freezes datasets"),
    ("engineer", "also trains models, opens reviews and promotes"),
    ("owner", "also decides who is here"),
]


class InviteForm(forms.Form):
    email = forms.CharField(
        label="E-mail address", max_length=254, widget=forms.EmailInput(attrs={"size": 30})
    )
    role = forms.ChoiceField(choices=ROLES, initial="annotator")


@require_GET
@login_required
def members(request: Request, slug: str) -> HttpResponse:
    """Everybody here, by page, and the open invitations."""
    project = project_for(request, slug, at_least=Role.OWNER)
    return _show(request, project, InviteForm())


@never_cache
@require_POST
@login_required
def invitations(request: Request, slug: str) -> HttpResponse:
    """Invite somebody. The link is shown this once."""
    project = project_for(request, slug, at_least=Role.OWNER)
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _show(request, project, form, status=422)
    email, role = form.cleaned_data["email"], Membership.role_named(form.cleaned_data["role"])
    try:
        invitation, secret = invite(project, email, role, actor=request.user)
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return _show(request, project, form, status=422)
    link = {
        "address": request.build_absolute_uri(reverse("invitation", args=[secret])),
        "title": f"Invitation for {invitation.email}",
        "until": invitation.expires_at,
        "text": "Whoever opens it joins the project.",
    }
    return _show(request, project, InviteForm(), link=link)


@require_POST
@login_required
def revoke_invitation(request: Request, slug: str, pk: int) -> HttpResponse:
    invitation = invitation_for(request, slug, pk)
    revoke(invitation, actor=request.user)
    messages.success(request, f"The invitation for {invitation.email} is withdrawn.")
    return redirect("members", slug)


@require_POST
@login_required
def member_role(request: Request, slug: str, pk: int) -> HttpResponse:
    member = member_for(request, slug, pk)
    role = Membership.role_named(request.POST.get("role", ""))
    try:
        change_role(member, role, actor=request.user)
    except Refused as refusal:
        # The page is shown anew, so that the select says again what is so.
        messages.error(request, str(refusal))
        return redirect("members", slug)
    said = {"person": member.user, "role": role.label}
    messages.success(request, gettext("%(person)s is now %(role)s.") % said)
    if member.user == request.user and role < Role.OWNER:
        return redirect("home")
    return redirect("members", slug)


@require_POST
@login_required
def member_remove(request: Request, slug: str, pk: int) -> HttpResponse:
    member = member_for(request, slug, pk)
    remove_member(member, actor=request.user)
    messages.success(request, f"{member.user} is no longer a member. Their answers stay.")
    if member.user == request.user:
        return redirect("home")
    return redirect("members", slug)


@never_cache
@require_POST
@login_required
def member_password_link(request: Request, slug: str, pk: int) -> HttpResponse:
    """A link with which a member sets a new password. It is shown this once."""
    member = member_for(request, slug, pk)
    made, secret = make_password_link(member.user, project=member.project, actor=request.user)
    link = {
        "address": request.build_absolute_uri(reverse("set_password", args=[secret])),
        "title": f"Link for {member.user.email} to set a password",
        "until": made.expires_at,
        "text": "Whoever opens it can sign in as this person.",
    }
    return _show(request, member.project, InviteForm(), link=link)


def _show(
    request: Request,
    project: Project,
    form: InviteForm,
    *,
    link: dict[str, object] | None = None,
    status: int = 200,
) -> HttpResponse:
    search = request.GET.get("q", "").strip()[:254]
    people, after = _page_of_members(project, search, request.GET.get("after", ""))
    address = reverse("members", args=[project.slug])
    context = {
        "members": [_line(member, request) for member in people],
        "q": search,
        "next_url": f"{address}?{urlencode({'q': search, 'after': after})}" if after else "",
        "first_url": f"{address}?{urlencode({'q': search})}" if request.GET.get("after") else "",
        "roles": ROLES,
        "about_roles": ABOUT_ROLES,
        "invitations": Invitation.objects.open().filter(project=project).order_by("email"),
        "form": form,
        "link": link,
    }
    return render(request, "truing/members.html", context, fragment="people", status=status)


def _page_of_members(
    project: Project, search: str, after: str
) -> tuple[list[Membership], int | None]:
    """A page of members, and the key that the next one comes after."""
    found = Membership.objects.matching(search).filter(project=project).select_related("user")
    if (key := key_of(after)) is not None:
        found = found.filter(pk__gt=key)
    people = list(found.order_by("pk")[: A_PAGE + 1])
    return people[:A_PAGE], people[A_PAGE - 1].pk if len(people) > A_PAGE else None


def _line(member: Membership, request: Request) -> dict[str, object]:
    return {
        "pk": member.pk,
        "name": member.user.name,
        "email": member.user.email,
        "is_active": member.user.is_active,
        "role": Membership.Role(member.role).name.lower(),
        "since": member.created_at,
        "is_you": member.user == request.user,
    }
