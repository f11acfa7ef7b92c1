"""The audit log of a project: who did what to what, newest first. For owners."""

import json
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from truing.access import Role, project_for
from truing.http import Request, key_of
from truing.models import Event
from truing.pages import render

A_PAGE = 50


@require_GET
@login_required
def audit(request: Request, slug: str) -> HttpResponse:
    project = project_for(request, slug, at_least=Role.OWNER)
    asked = {name: request.GET.get(name, "") for name in ("verb", "person", "after")}
    asked = {name: value for name, value in asked.items() if value}
    events = Event.objects.in_project(project).narrowed(
        verb=asked.get("verb", ""), actor_id=key_of(asked.get("person", ""))
    )
    if (after := key_of(asked.pop("after", ""))) is not None:
        events = events.filter(pk__lt=after)
    page = list(events.order_by("-pk")[: A_PAGE + 1])
    address = reverse("audit", args=[slug])
    last = page[A_PAGE - 1].pk if len(page) > A_PAGE else None
    context = {
        "events": [_line(event) for event in page[:A_PAGE]],
        "verbs": Event.objects.verbs_in(project),
        "people": Event.objects.actors_in(project),
        "verb": asked.get("verb", ""),
        "person": asked.get("person", ""),
        "next_url": f"{address}?{urlencode({**asked, 'after': last})}" if last else "",
        "first_url": f"{address}?{urlencode(asked)}" if after is not None else "",
    }
    return render(request, "truing/audit.html", context)


def _line(event: Event) -> dict[str, object]:
    return {
        "at": event.at,
        "who": str(event.actor) if event.actor else "the command line",
        "verb": event.verb,
        "label": event.label,
        "details": [
            (name.replace("_", " "), _plain(value)) for name, value in event.details.items()
        ],
    }


def _plain(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
