"""Ask again what was answered under an earlier guideline, after saying how much that is."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from annotation.access import queue_for
from annotation.ask_guideline_again import ask_guideline_again
from truing.access import Role
from truing.http import Request
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
