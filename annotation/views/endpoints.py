"""Endpoints: add one, try it, change it, switch it off."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation.access import endpoint_for
from annotation.add_endpoint import (
    ADDRESS_LENGTH,
    LONGEST_SILENCE_SECONDS,
    MODEL_LENGTH,
    NAME_LENGTH,
    Sampling,
    add_endpoint,
    edit_endpoint,
)
from annotation.check_endpoint import check_endpoint
from annotation.models import Endpoint
from annotation.views.listing import page_of
from truing.access import Role, project_for
from truing.errors import Refused
from truing.http import Request
from truing.options import fields_of
from truing.pages import render

SAMPLING = fields_of(Sampling)


class EndpointForm(forms.Form):
    """What the verbs say of a value counts; the form only says it earlier."""

    name = forms.CharField(
        max_length=NAME_LENGTH, help_text="Queues call it so. It is never shown to annotators."
    )
    base_url = forms.CharField(
        label="Address",
        max_length=ADDRESS_LENGTH,
        help_text="Up to where “/chat/completions” begins, such as https://api.example.org/v1.",
    )
    model = forms.CharField(
        max_length=MODEL_LENGTH, help_text="As the endpoint calls it. Another model is another one."
    )
    key_name = forms.CharField(
        label="Key",
        required=False,
        max_length=100,
        help_text="The environment variable of this server that holds the key, such as "
        "TRUING_KEY_VENDOR. The key itself is never typed here, stored or shown.",
    )
    timeout_seconds = forms.IntegerField(
        label="Patience",
        min_value=1,
        max_value=LONGEST_SILENCE_SECONDS,
        initial=60,
        help_text="Seconds for which it may say nothing.",
    )

    def __init__(self, written: Any = None, *, endpoint: Endpoint | None = None) -> None:
        initial = None
        if endpoint:
            initial = {name: getattr(endpoint, name) for name in self.base_fields}
            initial |= {item.name: endpoint.params.get(item.name) for item in SAMPLING}
        super().__init__(written, initial=initial)
        for item in SAMPLING:
            about: dict[str, Any] = {
                "required": False,
                "label": item.label,
                "help_text": item.help,
                "initial": None if endpoint else item.default,
                "min_value": item.min_value,
                "max_value": item.max_value,
            }
            kind = forms.IntegerField if item.type is int else forms.FloatField
            self.fields[item.name] = kind(**about)
        if endpoint:
            for name in ("name", "model"):
                self.fields[name].disabled = True
        if endpoint and endpoint.served:
            for name in ("base_url", "key_name"):
                self.fields[name].disabled = True

    def values(self) -> dict[str, Any]:
        """The values as the verbs take them."""
        written = self.cleaned_data
        params = {item.name: written[item.name] for item in SAMPLING}
        own = {name: written[name] for name in self.base_fields}
        return {**own, "params": params}


@require_GET
@login_required
def endpoints(request: Request, slug: str) -> HttpResponse:
    """All endpoints, the newest first."""
    project = project_for(request, slug, at_least=Role.ENGINEER)
    page = page_of(request, Endpoint.objects.filter(project=project), {})
    context = {
        "endpoints": page.rows,
        "next_url": page.next_url,
        "first_url": page.first_url,
    }
    return render(request, "annotation/endpoints.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def new_endpoint(request: Request, slug: str) -> HttpResponse:
    project = project_for(request, slug, at_least=Role.ENGINEER)
    form = EndpointForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            endpoint = add_endpoint(project, **form.values(), actor=request.user)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "The endpoint is there. Now see whether it answers.")
            return redirect("endpoint", slug, endpoint.pk)
    return _show(request, form)


@require_http_methods(["GET", "POST"])
@login_required
def endpoint(request: Request, slug: str, pk: int) -> HttpResponse:
    """One endpoint: how the last check went, and what can be changed."""
    found = endpoint_for(request, slug, pk)
    form = EndpointForm(request.POST or None, endpoint=found)
    if request.method == "POST" and form.is_valid():
        values = form.values()
        for stays in ("name", "model", *(("base_url", "key_name") if found.served else ())):
            values.pop(stays)
        try:
            edit_endpoint(found, **values, actor=request.user)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Saved.")
            return redirect("endpoint", slug, pk)
    return _show(request, form, found)


@require_POST
@login_required
def endpoint_check(request: Request, slug: str, pk: int) -> HttpResponse:
    """Ask it one short question."""
    found = endpoint_for(request, slug, pk)
    if problem := check_endpoint(found, actor=request.user):
        messages.error(request, problem)
    else:
        messages.success(request, "It answers.")
    return redirect("endpoint", slug, pk)


@require_POST
@login_required
def endpoint_switch(request: Request, slug: str, pk: int) -> HttpResponse:
    found = endpoint_for(request, slug, pk)
    changed = edit_endpoint(found, is_on=not found.is_on, actor=request.user)
    words = "in use again" if changed.is_on else "switched off: nobody is sent there any more"
    messages.success(request, f"{found} is {words}.")
    return redirect("endpoint", slug, pk)


def _show(request: Request, form: EndpointForm, endpoint: Endpoint | None = None) -> HttpResponse:
    names = ["name", "model", "base_url", "key_name", "timeout_seconds"]
    context = {
        "form": form,
        "endpoint": endpoint,
        "own_fields": [form[name] for name in names],
        "sampling_fields": [form[item.name] for item in SAMPLING],
    }
    status = 422 if form.is_bound else 200
    return render(request, "annotation/endpoint.html", context, status=status)
