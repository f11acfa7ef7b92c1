"""Adjudication: what people disagree on, and one question of it with all answers."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from annotation.access import queue_for, task_for
from annotation.adjudicate import (
    ask_another,
    hold_dispute,
    leave_as_it_is,
    let_go,
    may_see,
    order_shown,
    reopen,
    send_back,
    settle,
    settlement_of,
    take_dispute,
)
from annotation.asked_now import about_asked_now
from annotation.comment import mark_read, unread_by
from annotation.doubt import MOST
from annotation.exempt import see_answers
from annotation.find_disputes import find_disputes, share_seen
from annotation.guideline_changes import guideline_changes
from annotation.models import Annotator, Assignment, Comment, Dispute, Queue, Task
from annotation.models.annotation import VOTES
from annotation.opt_in import not_chosen_by
from annotation.question import question_to_settle
from annotation.show_dispute import Said, merged_so_far, name_of, people_who_answered
from annotation.task_types import TASK_TYPES
from annotation.views.desk import SCRIPTS, hold_or_gone, reason_in, seconds_in, text_in
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
    return _go_on(request, project, queue)


@require_safe
@login_required
@never_cache
def dispute(request: Request, slug: str, pk: int) -> HttpResponse:
    """One question with everybody's answers, and the form to settle it with."""
    task = task_for(request, slug, pk)
    context: dict[str, Any] = {
        "task": task,
        "queue": task.queue,
        "is_veiled": bool(task.categories) and "shown" not in request.GET,
    }
    refs = order_shown(task, request.user)
    given = None
    if task.queue.task_type.can_be_settled:
        context["dispute"], context["is_mine"] = take_dispute(task, request.user)
        given = settlement_of(task)
    else:
        may_see(task, request.user)
        see_answers(task, request.user)
    if given:
        refs = given.shown or refs
    people, among_us = people_who_answered(task, refs, request.user)
    for thread in [among_us, *(one.thread for one in people if one.thread)]:
        if thread.unread:
            mark_read(task, thread.annotator, request.user)
    question = question_to_settle(task, refs, given)
    templates = [f"annotation/task_types/{name}.html" for name in (question.type, "_any")]
    context |= {
        "question": question,
        "given": given,
        "settled_by": name_of(given.assignment.annotator) if given else "",
        "held_by": _held_by(context.get("dispute")),
        "people": _with_marks(people),
        "merged": merged_so_far(task, refs),
        "thread": among_us,
        "filter": key_of(request.GET.get("queue", "")),
        "task_templates": templates,
        "keys_templates": [f"{template}#keys" for template in templates],
        "scripts": SCRIPTS,
        "may_open_queue": request.membership.role >= Role.CURATOR,
        "is_closed": task.queue.state == Queue.State.CLOSED,
    }
    return render(request, "annotation/dispute.html", context)


@require_POST
@login_required
def dispute_settle(request: Request, slug: str, pk: int) -> HttpResponse:
    task = task_for(request, slug, pk)
    replaces = key_of(request.POST.get("replaces", ""))
    given = settlement_of(task)
    refs = order_shown(task, request.user)
    if given and given.pk == replaces:
        refs = given.shown or refs
    settle(
        task,
        task.queue.task_type.read(request.POST, refs),
        reason=reason_in(request),
        key=request.POST.get("key", ""),
        replaces=replaces,
        seconds=seconds_in(request),
        actor=request.user,
    )
    messages.success(request, "Settled. Your answer outweighs the others.")
    return _go_on(request, task.queue.project, key_of(request.POST.get("queue", "")))


@require_POST
@login_required
def dispute_hold(request: Request, slug: str, pk: int) -> HttpResponse:
    """The page is still open."""
    return hold_or_gone(hold_dispute(task_for(request, slug, pk), request.user))


@require_POST
@login_required
def dispute_decide(request: Request, slug: str, pk: int) -> HttpResponse:
    """What else can be done with it than to settle it."""
    task = task_for(request, slug, pk)
    decision = request.POST.get("decision", "")
    text = text_in(request)
    if decision == "send_back":
        chosen = [key_of(value) or 0 for value in request.POST.getlist("annotation")]
        send_back(task, chosen, text=text, actor=request.user)
        messages.success(request, "Sent back. It comes here again when they have looked at it.")
    elif decision == "ask":
        ask_another(task, actor=request.user)
        messages.success(request, "One more person is asked. It comes here again after that.")
    elif decision == "leave":
        leave_as_it_is(task, note=text, actor=request.user)
        messages.success(request, "Left as it is: the votes stand.")
    elif decision == "reopen":
        replaces = key_of(request.POST.get("replaces", ""))
        reopen(task, reason=text, replaces=replaces, actor=request.user)
        messages.success(request, "Open again: the votes count.")
        return redirect("dispute", slug, pk)
    else:
        let_go(task, request.user)
        return redirect("disputes", slug)
    return _go_on(request, task.queue.project, key_of(request.POST.get("queue", "")))


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
            "held_by": _held_by(one) if one.held_by_id != me.pk else "",
        }
        for one in rows
    ]


def _held_by(dispute: Dispute | None) -> str:
    """Who has it before them now."""
    return name_of(dispute.held_by) if dispute and dispute.is_held else ""


def _with_marks(people: list[Said]) -> list[Said]:
    """Those that count first; then earlier rounds, skips and checks."""
    return sorted(people, key=lambda one: (not one.is_settlement, not one.counts, one.is_skip))


def _go_on(request: Request, project: Project, queue: int | None) -> HttpResponse:
    """To the worst one that is this reviewer's to settle; to the list when there is none."""
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
        response = redirect("disputes", project.slug)
        response["Location"] += suffix
        return response
    response = redirect("dispute", project.slug, first.task_id)
    response["Location"] += suffix
    return response


def _page_url(request: Request, asked: dict[str, str], page: int) -> str:
    return f"{request.path}?{urlencode({**asked, 'page': page})}"
