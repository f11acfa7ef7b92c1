"""Questions of which somebody says that nobody can answer them; a curator decides."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from annotation.access import flag_for
from annotation.asked_now import about_asked_now
from annotation.comment import unread_by
from annotation.flag import decide
from annotation.models import Comment, Flag
from annotation.show_dispute import Thread
from annotation.views.listing import asked_for, page_of
from truing.access import Role, project_for
from truing.http import Request
from truing.models import User
from truing.pages import render

MOST_COMMENTS = 500


@require_safe
@login_required
def flags(request: Request, slug: str) -> HttpResponse:
    project = project_for(request, slug, at_least=Role.CURATOR)
    asked = asked_for(request, ["state"])
    state = asked.get("state", "")
    found = Flag.objects.filter(task__queue__project=project).select_related(
        "task__prompt", "task__queue", "annotator__user", "decided_by"
    )
    found = found.filter(state=state if state in Flag.State.values else Flag.State.OPEN)
    found = found.exclude(about_asked_now(project, request.user))
    page = page_of(request, found, asked)
    add_threads(page.rows, request.user)
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


def add_threads(flags: list[Flag], user: User) -> None:
    """Let each flag have its `talk`: what was written with whoever raised it."""
    comments = Comment.objects.filter(
        task__in=[flag.task_id for flag in flags],
        annotator__in={flag.annotator_id for flag in flags if flag.annotator_id},
    )
    unread = set(unread_by(user, comments).values_list("pk", flat=True))
    found: dict[tuple[int, int | None], Thread] = {}
    for comment in comments.select_related("author__user").order_by("-pk")[:MOST_COMMENTS]:
        key = (comment.task_id, comment.annotator_id)
        found.setdefault(key, Thread(None)).comments.insert(0, comment)
    for flag in flags:
        thread = found.get((flag.task_id, flag.annotator_id))
        if thread:
            thread.unread = unread & {one.pk for one in thread.comments}
        vars(flag)["talk"] = thread
