"""Outputs: all that models and people answered, wherever it stands."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.views.decorators.http import require_GET

from annotation.asked_now import prompts_asked_now
from annotation.models import Output, Prompt
from annotation.veil import sensitive_prompts
from annotation.views.listing import asked_for, page_of
from truing.access import Role, project_for
from truing.http import Request
from truing.models import Project
from truing.pages import render

FILTERS = ("q", "source", "split", "language")
SUGGESTED = 30
EXCERPT = 300


@require_GET
@login_required
def outputs(request: Request, slug: str) -> HttpResponse:
    """The outputs, the newest first.

    Those under review are left out until it is over: their source may not be known, and their
    place in time would tell it. So are those of prompts that this person is being asked about.
    """
    project = project_for(request, slug, at_least=Role.REVIEWER)
    asked = asked_for(request, FILTERS)
    found = Output.objects.filter(prompt__project=project).open_to_all()
    found = found.exclude(prompt__in=prompts_asked_now(project, request.user).values("pk"))
    found = found.narrowed(
        text=asked.get("q", ""),
        source=asked.get("source", ""),
        split=asked.get("split", ""),
        language=asked.get("language", ""),
    )
    page = page_of(request, found.select_related("prompt"), asked)
    context = {
        "outputs": _rows(page.rows),
        "asked": asked,
        "splits": Prompt.Split.values,
        "sources": _sources(project),
        "next_url": page.next_url,
        "first_url": page.first_url,
    }
    return render(request, "annotation/outputs.html", context)


def _rows(outputs: list[Output]) -> list[dict[str, Any]]:
    sensitive = sensitive_prompts({one.prompt_id for one in outputs})
    return [
        {
            "categories": sensitive.get(one.prompt_id, []),
            "text": one.text[:EXCERPT],
            "is_cut": len(one.text) > EXCERPT,
            "characters": len(one.text),
            "prompt": one.prompt,
            "source": one.source,
            "at": one.created_at,
        }
        for one in outputs
    ]


def _sources(project: Project) -> list[str]:
    """Some of the sources, to choose from: those of the newest outputs that may be shown."""
    newest = Output.objects.filter(prompt__project=project).open_to_all().order_by("-pk")
    return sorted(set(newest.values_list("source", flat=True)[:500]) - {""})[:SUGGESTED]
