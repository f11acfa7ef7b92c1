"""Whose outputs people prefer, in a table and a picture."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.views.decorators.http import require_GET

from annotation.leaderboard import Leaderboard
from annotation.leaderboard import leaderboard as rank
from annotation.models import Queue
from truing.access import Role, project_for
from truing.http import Request, key_of
from truing.pages import render

SUGGESTED = 200


@require_GET
@login_required
def leaderboard(request: Request, slug: str) -> HttpResponse:
    """The frame at once; the numbers when they are counted, which may take a while."""
    project = project_for(request, slug, at_least=Role.REVIEWER)
    template = "annotation/leaderboard.html"
    queues = list(Queue.objects.filter(project=project).order_by("-pk")[:SUGGESTED])
    wanted = key_of(request.GET.get("queue", ""))
    queue = Queue.objects.filter(project=project, pk=wanted).first() if wanted else None
    context: dict[str, Any] = {"counted": False, "queues": queues, "queue": queue}
    if not request.htmx and "now" not in request.GET:
        return render(request, template, context)
    found = rank(project, queue)
    context |= {"counted": True, "found": found, "rows": placed(found)}
    return render(request, template, context, fragment="numbers")


def placed(found: Leaderboard) -> list[dict[str, Any]]:
    """Each source with the places of its interval and score in the picture, in per cent."""
    if not found.standings:
        return []
    least = min(one.low for one in found.standings)
    width = max(one.high for one in found.standings) - least or 1.0
    return [
        {
            "of": one,
            "low": 100 * (one.low - least) / width,
            "high": 100 * (one.high - least) / width,
            "score": 100 * (one.score - least) / width,
            "won": 100 * one.won,
        }
        for one in found.standings
    ]
