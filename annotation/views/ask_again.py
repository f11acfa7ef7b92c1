"""A guideline's versions: what has changed, and asking again what was answered under one."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from annotation.access import queue_for
from annotation.ask_guideline_again import ask_guideline_again
from annotation.guideline_changes import guideline_changes
from truing.access import Role
from truing.http import Request, key_of
from truing.pages import render


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def guideline_ask_again(request: Request, slug: str, pk: int, number: int) -> HttpResponse:
    """How many questions rest on this version; posted, they are asked again."""
    queue = queue_for(request, slug, pk, at_least=Role.CURATOR)
    is_post = request.method == "POST"
    or_earlier = (request.POST if is_post else request.GET).get("or_earlier") == "1"
    found = ask_guideline_again(
        queue,
        number,
        or_earlier=or_earlier,
        why=request.POST.get("why", "").replace("\x00", "")[:300],
        dry_run=not is_post,
        actor=request.user,
    )
    if is_post:
        messages.success(request, f"{found.tasks} questions are asked again.")
        return redirect("queue", slug, pk)
    context = {"queue": queue, "number": number, "found": found, "or_earlier": or_earlier}
    return render(request, "annotation/ask_again.html", context)


@require_safe
@login_required
def guideline_diff(request: Request, slug: str, pk: int) -> HttpResponse:
    """What has changed in a queue's guideline since a version."""
    queue = queue_for(request, slug, pk, at_least=Role.REVIEWER)
    versions = {one.number: one for one in queue.guidelines.order_by("number")}
    newest = max(versions, default=0)
    before = key_of(request.GET.get("from", "")) or max(newest - 1, 0)
    after = key_of(request.GET.get("to", "")) or newest
    old, new = versions.get(before), versions.get(after)
    context = {
        "queue": queue,
        "versions": list(versions),
        "before": before,
        "after": after,
        "pieces": guideline_changes(old.text if old else "", new.text if new else ""),
    }
    return render(request, "annotation/guideline_diff.html", context)
