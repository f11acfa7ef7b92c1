"""Conversations about questions: of reviewers with each other, and with each annotator alone."""

from collections import Counter
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Max
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.access import annotator_for, own_task_for, task_for
from annotation.adjudicate import may_see
from annotation.asked_now import about_asked_now
from annotation.comment import comment, mark_read, refuse_before_them, unread_by
from annotation.in_words import in_words
from annotation.models import Annotation, Annotator, Comment, Queue, Return, Task
from annotation.show_dispute import Thread, name_of, threads_about
from annotation.stand_by import stand_by
from annotation.views.desk import text_in
from annotation.views.listing import A_PAGE
from truing.access import Role, project_for
from truing.http import Request, key_of
from truing.pages import render


@require_safe
@login_required
@never_cache
def threads(request: Request, slug: str) -> HttpResponse:
    """All threads of a project, the one with the newest comment first."""
    project = project_for(request, slug, at_least=Role.REVIEWER)
    found = Comment.objects.in_project(project).exclude(about_asked_now(project, request.user))
    newest = found.order_by().values("task", "annotator")
    newest = newest.annotate(newest=Max("pk"))
    before = key_of(request.GET.get("after", ""))
    if before is not None:
        newest = newest.filter(newest__lt=before)
    keys = [row["newest"] for row in newest.order_by("-newest")[: A_PAGE + 1]]
    last = Comment.objects.filter(pk__in=keys[:A_PAGE]).select_related(
        "task__prompt", "task__queue", "annotator__user", "author__user"
    )
    shown = sorted(last, key=lambda one: -one.pk)
    unread = unread_by(request.user, Comment.objects.filter(task__in=[c.task_id for c in shown]))
    counts: Counter[tuple[int, int | None]] = Counter(unread.values_list("task", "annotator"))
    context = {
        "rows": [
            {
                "last": one,
                "name": name_of(one.annotator),
                "author": name_of(one.author),
                "unread": counts[one.task_id, one.annotator_id],
            }
            for one in shown
        ],
        "next_url": f"{request.path}?after={keys[A_PAGE - 1]}" if len(keys) > A_PAGE else "",
        "first_url": request.path if before is not None else "",
    }
    return render(request, "annotation/threads.html", context)


@require_POST
@login_required
def task_comment(request: Request, slug: str, pk: int) -> HttpResponse:
    """A reviewer writes: among reviewers, or to one annotator about their answer."""
    task = task_for(request, slug, pk)
    may_see(task, request.user)
    whom = key_of(request.POST.get("annotator", ""))
    person = annotator_for(request, slug, whom, at_least=Role.REVIEWER) if whom else None
    comment(task, text_in(request), annotator=person, actor=request.user)
    messages.success(request, "Written.")
    if request.POST.get("from") == "flags":
        return redirect("flags", slug)
    response = redirect("dispute", slug, pk)
    queue = key_of(request.POST.get("queue", ""))
    response["Location"] += (f"?queue={queue}" if queue else "") + f"#thread-{whom or 0}"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def my_thread(request: Request, slug: str, pk: int) -> HttpResponse:
    """What reviewers say about one's own answer, and what one says to them."""
    task, me = own_task_for(request, slug, pk)
    refuse_before_them(task, me)
    answers = list(
        Annotation.objects.newest_of(me)
        .filter(assignment__task=task)
        .select_related("assignment__task", "assignment__queue__project", "assignment__annotator")
    )
    answer = answers[0] if answers else None
    if request.method == "POST":
        return _write(request, slug, task, me, answer)
    found = threads_about(task, request.user, only=me)
    thread = found.get(me.pk) or Thread(me)
    mark_read(task, me, request.user)
    context: dict[str, Any] = {
        "task": task,
        "thread": thread,
        "prompt": task.prompt.messages if task.prompt else [],
        "outputs": _outputs(task, answer),
        "mine": [_mine(one) for one in reversed(answers[:20])],
        "answer": answer if answer and not answer.turn else None,
        "returned": answer and Return.objects.open().filter(annotation=answer).exists(),
        "is_closed": task.queue.state == Queue.State.CLOSED,
    }
    return render(request, "annotation/my_thread.html", context)


def _write(
    request: Request, slug: str, task: Task, me: Annotator, answer: Annotation | None
) -> HttpResponse:
    if request.POST.get("action") == "keep" and answer:
        stand_by(answer, text=text_in(request), actor=request.user)
        messages.success(request, "Your answer stays. The reviewers see that you stand by it.")
        return redirect("my_work", slug)
    comment(task, text_in(request), annotator=me, actor=request.user)
    messages.success(request, "Written.")
    return redirect("my_thread", slug, task.pk)


def _mine(answer: Annotation) -> dict[str, str]:
    words = in_words(answer.assignment.queue, answer.answer, answer.shown)
    return {"words": words, "reason": answer.reason}


def _outputs(task: Task, answer: Annotation | None) -> list[str]:
    """As they saw them; in the order of the task where nobody knows."""
    texts = {place.ref: place.output.text for place in task.task_outputs.select_related("output")}
    shown = answer.shown if answer else []
    return [texts[ref] for ref in shown if ref in texts] or list(texts.values())
