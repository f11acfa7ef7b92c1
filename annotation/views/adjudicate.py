"""Adjudication of one question: everybody's answers, and what a reviewer does about them."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.functional import SimpleLazyObject
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from annotation.access import task_for
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
from annotation.comment import mark_read
from annotation.draft import save_settlement_draft, settlement_drafted
from annotation.exempt import see_answers
from annotation.models import Queue, Task
from annotation.outbox import outbox_of
from annotation.question import question_to_settle
from annotation.show_dispute import Said, held_by, merged_so_far, name_of, people_who_answered
from annotation.views.desk import SCRIPTS, hold_or_gone, reason_in, seconds_in, text_in
from annotation.views.disputes import next_dispute
from truing.access import Role
from truing.http import Request, key_of
from truing.pages import render


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
    drafted = {} if "as_given" in request.GET else settlement_drafted(task, request.user)
    question = question_to_settle(task, refs, given, drafted)
    templates = [f"annotation/task_types/{name}.html" for name in (question.type, "_any")]
    context |= {
        "question": question,
        "note": drafted.get("note", ""),
        "outbox": SimpleLazyObject(lambda: outbox_of(request.membership)),
        "given": given,
        "settled_by": name_of(given.assignment.annotator) if given else "",
        "held_by": held_by(context.get("dispute")),
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
    settle(
        task,
        task.queue.task_type.read(request.POST, _refs_seen(request, task)),
        reason=reason_in(request),
        key=request.POST.get("key", ""),
        replaces=key_of(request.POST.get("replaces", "")),
        seconds=seconds_in(request),
        actor=request.user,
    )
    messages.success(request, "Settled. Your answer outweighs the others.")
    queue = key_of(request.POST.get("queue", ""))
    if request.htmx:
        # The outbox must know that it arrived: a page that sends the browser on says that it did.
        return render(request, "annotation/_settled.html", {"queue": queue})
    return redirect(next_dispute(request, task.queue.project, queue))


@require_POST
@login_required
def dispute_draft(request: Request, slug: str, pk: int) -> HttpResponse:
    """Keep what has been typed so far, and the question with it."""
    task = task_for(request, slug, pk)
    may_see(task, request.user)
    content = {
        "answer": task.queue.task_type.read(request.POST, _refs_seen(request, task)),
        "reason": reason_in(request),
        "note": request.POST.get("note", "").replace("\x00", ""),
        "seconds": seconds_in(request),
    }
    # At once: what is decided in between is not held again.
    with transaction.atomic():
        if save_settlement_draft(task, request.user, content, key=request.POST.get("key", "")):
            return hold_or_gone(hold_dispute(task, request.user))
    return HttpResponse(status=204)


def _refs_seen(request: Request, task: Task) -> list[str]:
    """In the order of the page: that of the settled answer, if the page showed that."""
    given = settlement_of(task)
    if given and given.shown and given.pk == key_of(request.POST.get("replaces", "")):
        return given.shown
    return order_shown(task, request.user)


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
    queue = key_of(request.POST.get("queue", ""))
    return redirect(next_dispute(request, task.queue.project, queue))


def _with_marks(people: list[Said]) -> list[Said]:
    """Those that count first; then earlier rounds, skips and checks."""
    return sorted(people, key=lambda one: (not one.is_settlement, not one.counts, one.is_skip))
