"""Questions of which somebody says that nobody can answer them; a curator decides."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from annotation.access import flag_for
from annotation.flag import decide
from annotation.models import Flag
from annotation.views.listing import asked_for, page_of
from truing.access import Role, project_for
from truing.http import Request
from truing.pages import render


@require_safe
@login_required
def flags(request: Request, slug: str) -> HttpResponse:
    project = project_for(request, slug, at_least=Role.CURATOR)
    asked = asked_for(request, ["state"])
    state = asked.get("state", "")
    found = Flag.objects.filter(task__queue__project=project).select_related(
        "task__prompt", "task__queue", "annotator", "decided_by"
    )
    found = found.filter(state=state if state in Flag.State.values else Flag.State.OPEN)
    page = page_of(request, found, asked)
    context = {
        "flags": page.rows,
        "state": state or "open",
        "states": Flag.State.choices,
        "next_url": page.next_url,
        "first_url": page.first_url,
    }
    return render(request, "annotation/flags.html", context)


@require_POST
@login_required
def flag_decide(request: Request, slug: str, pk: int) -> HttpResponse:
    flagged = flag_for(request, slug, pk)
    put_back = request.POST.get("decision") == "put_back"
    note = request.POST.get("note", "").replace("\x00", "")
    decide(flagged, put_back=put_back, note=note, actor=request.user)
    messages.success(
        request, "It is asked again." if put_back else "It is set aside: nobody is asked it."
    )
    return redirect("flags", slug)
