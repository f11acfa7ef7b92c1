"""Questions on which people disagree: the list of them, and the way to the next."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.db.models import Count, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotation.asked_now import about_asked_now
from annotation.comment import unread_by
from annotation.doubt import MOST
from annotation.find_disputes import find_disputes, share_seen
from annotation.models import Annotator, Assignment, Comment, Dispute, Queue, Task
from annotation.models.annotation import VOTES
from annotation.opt_in import not_chosen_by
from annotation.show_dispute import held_by
from annotation.task_types import TASK_TYPES
from annotation.views.listing import asked_for
from annotation.weigh_disputes import weigh_disputes
from truing.access import Role, project_for
from truing.http import Request, key_of
from truing.models import Project, User
from truing.pages import render

A_PAGE = 25
# What the list shows, with the words of each.
STATES = {
    Dispute.State.OPEN: "To settle",
    Dispute.State.WAITING: "Asked again",
    Dispute.State.SETTLED: "Settled",
    Dispute.State.LEFT: "Left as it is",
}
Slot = Assignment.State


@require_safe
@login_required
@never_cache
def disputes(request: Request, slug: str) -> HttpResponse:
    """Questions on which people disagree, the worst first."""
    project = project_for(request, slug, at_least=Role.REVIEWER)
    is_whole = find_disputes(project)
    asked = asked_for(request, ["queue", "state"])
    state = asked.get("state", "")
    state = state if state in STATES else Dispute.State.OPEN
    chosen = key_of(asked.get("queue", ""))
    page = max(1, min(key_of(request.GET.get("page", "")) or 1, 10_000))
    rows = _rows(project, state, chosen, page, request.user)
    counts = dict(_of(project, chosen).order_by().values_list("state").annotate(number=Count("pk")))
    me = Annotator.objects.member(project, request.user)
    comments = unread_by(request.user, Comment.objects.in_project(project))
    context = {
        "rows": _shown_rows(rows[:A_PAGE], me),
        "tabs": [(name, words, counts.get(name, 0)) for name, words in STATES.items()],
        "state": state,
        "chosen": chosen,
        "queues": list(_queues(project)),
        "is_whole": is_whole,
        "percent": None if is_whole else int(100 * share_seen(project)),
        "unread": comments.order_by().values("task", "annotator").distinct().count(),
        "next_url": _page_url(request, asked, page + 1) if len(rows) > A_PAGE else "",
        "first_url": _page_url(request, asked, 1) if page > 1 else "",
    }
    return render(request, "annotation/disputes.html", context, fragment="list")


@require_safe
@login_required
@never_cache
def dispute_next(request: Request, slug: str) -> HttpResponse:
    """The worst one that nobody else has before them."""
    project = project_for(request, slug, at_least=Role.REVIEWER)
    queue = key_of(request.GET.get("queue", ""))
    return redirect(next_dispute(request, project, queue))


def _of(project: Project, queue: int | None) -> QuerySet[Dispute]:
    found = Dispute.objects.in_project(project)
    return found.filter(queue=queue) if queue is not None else found


def _queues(project: Project) -> QuerySet[Queue]:
    can_differ = [name for name, one in TASK_TYPES.items() if one.can_be_settled]
    return project.queues.filter(reserved_for="", type__in=can_differ).order_by("-pk")[:200]


def _rows(
    project: Project, state: str, queue: int | None, page: int, reader: User
) -> list[Dispute]:
    """A page and one more; of what is to be settled only what is in dispute at this moment."""
    start = (page - 1) * A_PAGE
    found = _of(project, queue).filter(state=state).exclude(about_asked_now(project, reader))
    found = Dispute.objects.filter(pk__in=found.values("pk")).worst_first()
    wanted = found.select_related("task__prompt", "queue", "held_by__user")
    rows = list(wanted[start : start + A_PAGE + 1])
    if state in (Dispute.State.OPEN, Dispute.State.WAITING):
        # People may have been left out of merges since, or have answered.
        weigh_disputes([one.task_id for one in rows])
        rows = list(wanted[start : start + A_PAGE + 1])
    return rows


def _shown_rows(rows: list[Dispute], me: Annotator) -> list[dict[str, Any]]:
    tasks = [one.task_id for one in rows]
    slots = Assignment.objects.filter(task__in=tasks)
    waiting = dict(
        slots.filter(purpose__in=VOTES, state__in=[Slot.FREE, Slot.HELD])
        .values_list("task")
        .annotate(number=Count("pk"))
    )
    mine = set(
        slots.filter(annotator=me, state=Slot.ANSWERED, purpose__in=VOTES).values_list(
            "task", flat=True
        )
    )
    comments = dict(
        Comment.objects.filter(task__in=tasks)
        .order_by()
        .values_list("task")
        .annotate(number=Count("pk"))
    )
    return [
        {
            "is": one,
            "percent": min(100, round(100 * one.doubt / MOST)),
            "waiting": waiting.get(one.task_id, 0),
            "is_own": one.task_id in mine,
            "comments": comments.get(one.task_id, 0),
            "held_by": held_by(one) if one.held_by_id != me.pk else "",
        }
        for one in rows
    ]


def next_dispute(request: Request, project: Project, queue: int | None) -> str:
    """Where the worst one stands that is this reviewer's to settle; the list when there is none."""
    me = Annotator.objects.member(project, request.user)
    found = _of(project, queue).filter(state=Dispute.State.OPEN)
    takeable = Dispute.objects.filter(pk__in=found.values("pk")).takeable_by(me)
    takeable = takeable.exclude(about_asked_now(project, request.user))
    wrote = me.exemptions.filter(why="wrote").values("task")
    takeable = takeable.exclude(task__in=wrote)
    # Whoever looks for it finds it in the list, veiled.
    if harmful := not_chosen_by(me):
        takeable = takeable.exclude(harmful)
    # What one has answered oneself comes last.
    own = Task.objects.filter(
        assignments__annotator=me,
        assignments__state=Slot.ANSWERED,
        assignments__purpose__in=VOTES,
    )
    first = takeable.exclude(task__in=own).worst_first().first() or takeable.worst_first().first()
    suffix = f"?queue={queue}" if queue is not None else ""
    if first is None:
        return reverse("disputes", args=[project.slug]) + suffix
    return reverse("dispute", args=[project.slug, first.task_id]) + suffix


def _page_url(request: Request, asked: dict[str, str], page: int) -> str:
    return f"{request.path}?{urlencode({**asked, 'page': page})}"
