"""The page behind an invitation's link: say yes, with one's account or with a new one."""

from django import forms
from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from truing.access import invitation_of
from truing.add_user import NAME_LENGTH
from truing.errors import Refused
from truing.invite import accept, accept_as_new
from truing.models import Invitation, Membership, User
from truing.pages import render
from truing.views.projects import project_address
from truing.views.sign_in import PASSWORD_HELP, password_field


class NewAccountForm(forms.Form):
    name = forms.CharField(
        label="Your name",
        max_length=NAME_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": True}),
    )
    password = password_field("Choose a password", help=PASSWORD_HELP)


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Show an invitation, or accept it. Looking at the page does not use the link up."""
    found = invitation_of(secret)
    account = User.objects.filter(email__iexact=found.email).first()
    if isinstance(request.user, User) and (request.method == "POST" or account == request.user):
        return _for_account(request, found, request.user)
    if account or request.user.is_authenticated:
        return _show(request, found, account=account)
    return _for_newcomer(request, found)


def _for_account(request: HttpRequest, found: Invitation, user: User) -> HttpResponse:
    if request.method == "POST":
        return _welcome(request, accept(found, user=user))
    return _show(request, found, account=user)


def _for_newcomer(request: HttpRequest, found: Invitation) -> HttpResponse:
    form = NewAccountForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            membership = accept_as_new(found, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            login(request, membership.user)
            return _welcome(request, membership)
    return _show(request, found, form=form, status=422 if form.is_bound else 200)


def _welcome(request: HttpRequest, membership: Membership) -> HttpResponse:
    messages.success(request, f"Welcome to “{membership.project.name}”.")
    return redirect(project_address(membership.project))


def _show(
    request: HttpRequest,
    found: Invitation,
    *,
    account: User | None = None,
    form: NewAccountForm | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        # Not as "project": whoever looks is no member yet, and the frame shows no way in.
        "project_name": found.project.name,
        "email": found.email,
        "role": Membership.Role(found.role).label,
        "inviter": str(found.created_by),
        "form": form,
        "must_sign_in": account is not None and not request.user.is_authenticated,
        "is_for_you": account is not None and account == request.user,
    }
    return render(request, "truing/invitation.html", context, status=status)
