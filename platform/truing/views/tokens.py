"""One's own API tokens: make one, see it once, revoke it."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from truing.access import token_for
from truing.errors import Refused
from truing.http import Request
from truing.make_token import NAME_LENGTH, make_token, revoke_token
from truing.models import ApiToken
from truing.pages import render


class TokenForm(forms.Form):
    name = forms.CharField(
        label="What will use it?",
        max_length=NAME_LENGTH,
        widget=forms.TextInput(attrs={"placeholder": "Nightly export"}),
    )


@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def tokens(request: Request) -> HttpResponse:
    """The tokens in use. A new one is shown in the answer to the request that made it."""
    secret = ""
    form = TokenForm(request.POST if request.method == "POST" else None)
    failed = form.is_bound
    if form.is_valid():
        try:
            _, secret = make_token(request.user, name=form.cleaned_data["name"])
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            form, failed = TokenForm(), False
    context = {
        "tokens": ApiToken.objects.live().filter(user=request.user).order_by("-pk"),
        "form": form,
        "secret": secret,
        "example": request.build_absolute_uri("/api/me/"),
    }
    return render(
        request, "truing/tokens.html", context, fragment="tokens", status=422 if failed else 200
    )


@require_POST
@login_required
def token_revoke(request: Request, pk: int) -> HttpResponse:
    token = token_for(request, pk)
    revoke_token(token, actor=request.user)
    messages.success(request, f"The token “{token.name}” is revoked.")
    return redirect("tokens")
