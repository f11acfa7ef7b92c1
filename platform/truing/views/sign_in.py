"""Signing in and out, one's own account, and setting a password by a link."""

from typing import TYPE_CHECKING

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from truing.access import password_link_of
from truing.change_password import change_password
from truing.choose_language import choose_language
from truing.errors import Refused
from truing.http import Request
from truing.pages import render
from truing.password_link import use_password_link
from truing.set_password import LENGTH
from truing.sign_in import check_sign_in
from truing.translated import translated

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def password_field(
    label: "StrOrPromise", *, autocomplete: str = "new-password", help: "StrOrPromise" = ""
) -> forms.Field:
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(
        label=label, widget=widget, strip=False, max_length=LENGTH, help_text=help
    )


PASSWORD_HELP = _("At least ten characters, and none of the passwords that everybody uses.")


class SignInForm(forms.Form):
    email = forms.CharField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = password_field(_("Password"), autocomplete="current-password")


class NewPasswordForm(forms.Form):
    password = password_field(_("New password"), help=PASSWORD_HELP)


class ChangePasswordForm(forms.Form):
    present = password_field(_("Present password"), autocomplete="current-password")
    password = password_field(_("New password"), help=PASSWORD_HELP)


class LanguageForm(forms.Form):
    language = forms.ChoiceField(
        label=_("Language"),
        required=False,
        choices=lambda: [("", _("As my browser says")), *settings.LANGUAGES],
    )


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in, and go on to where one wanted to."""
    target = _target(request)
    if request.user.is_authenticated:
        return redirect(target)
    form = SignInForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        values = form.cleaned_data
        try:
            user = check_sign_in(values["email"], values["password"], address=_address(request))
        except Refused as refusal:
            form.add_error(None, translated(str(refusal)))
            return _show_sign_in(request, form, target, refusal.status)
        login(request, user)
        return redirect(target)
    return _show_sign_in(request, form, target, 422 if form.is_bound else 200)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("sign_in")


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def set_password(request: HttpRequest, secret: str) -> HttpResponse:
    """Set a password with a link. Looking at the page does not use the link up."""
    link = password_link_of(secret)
    form = NewPasswordForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            use_password_link(link, form.cleaned_data["password"])
        except Refused as refusal:
            form.add_error("password", translated(str(refusal)))
        else:
            # Whoever is signed in here may be somebody else.
            logout(request)
            messages.success(request, gettext("Your password is set. Sign in with it."))
            return redirect("sign_in")
    return render(
        request,
        "truing/set_password.html",
        {"form": form, "person": link.user},
        status=422 if form.is_bound else 200,
    )


@sensitive_post_parameters("present", "password")
@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def account(request: Request) -> HttpResponse:
    """Who one is here, and a change of one's password."""
    form = ChangePasswordForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        values = form.cleaned_data
        try:
            change_password(
                request.user,
                present=values["present"],
                password=values["password"],
                address=_address(request),
            )
        except Refused as refusal:
            form.add_error(None, translated(str(refusal)))
        else:
            # This session goes on; all others of this person have just ended.
            update_session_auth_hash(request, request.user)
            messages.success(
                request, gettext("Your password is changed. You are signed out elsewhere.")
            )
            return redirect("account")
    language = LanguageForm(initial={"language": request.user.language})
    return render(
        request,
        "truing/account.html",
        {"form": form, "language": language},
        status=422 if form.is_bound else 200,
    )


@require_POST
@login_required
def language(request: Request) -> HttpResponse:
    """Choose the language of one's pages."""
    choose_language(request.user, request.POST.get("language", ""))
    return redirect("account")


def _show_sign_in(request: HttpRequest, form: SignInForm, target: str, status: int) -> HttpResponse:
    return render(request, "truing/sign_in.html", {"form": form, "next": target}, status=status)


def _target(request: HttpRequest) -> str:
    """Where to go after signing in: only ever to a page of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return wanted
    return resolve_url(settings.LOGIN_REDIRECT_URL)


def _address(request: HttpRequest) -> str:
    """Where the request comes from. The proxy's word counts only where one is configured."""
    if settings.HTTPS and (forwarded := request.headers.get("X-Forwarded-For", "")):
        return forwarded.rsplit(",", 1)[-1].strip()[:45]
    return str(request.META.get("REMOTE_ADDR", ""))[:45]
