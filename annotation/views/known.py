"""The known answer of a task: set it on the same page on which it would be answered."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotation.access import task_for
from annotation.asked_now import refuse_asked_now
from annotation.edit_queue import refuse_reserved
from annotation.exempt import see_answers
from annotation.models import Task
from annotation.question import question_about
from annotation.set_known import WHY_LENGTH, NoneKnown, forget_known, set_known, takes_why
from annotation.views.desk import SCRIPTS
from truing.access import Role
from truing.errors import Refused
from truing.http import Request
from truing.pages import render


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def known_answer(request: Request, slug: str, pk: int) -> HttpResponse:
    """What is known to be right, and whether it measures or only checks attention."""
    task = task_for(request, slug, pk, at_least=Role.CURATOR)
    refuse_reserved(task.queue)
    if task.queue.task_type.has_turns:
        raise NoneKnown
    refuse_asked_now(task, request.user)
    if task.gold is not None:
        see_answers(task, request.user)
    if request.method != "POST":
        why = str((task.gold or {}).get("reason", ""))
        return _show(request, task, task.gold or {}, is_check=task.is_check, why=why)
    refs = [place.ref for place in task.task_outputs.all()]
    answer = task.queue.task_type.read(request.POST, refs)
    is_check = request.POST.get("kind") == "attention"
    why = request.POST.get("why", "")
    try:
        set_known(task, answer, is_check=is_check, why=why, actor=request.user)
    except Refused as refusal:
        return _show(request, task, answer, is_check=is_check, why=why, problem=str(refusal))
    messages.success(request, "The known answer is set. It counts from the next answer on.")
    return redirect("queue", slug, task.queue_id)


@require_POST
@login_required
def known_forget(request: Request, slug: str, pk: int) -> HttpResponse:
    task = task_for(request, slug, pk, at_least=Role.CURATOR)
    forget_known(task, actor=request.user)
    messages.success(request, "Nothing is known of it any more.")
    return redirect("queue", slug, task.queue_id)


def _show(
    request: Request,
    task: Task,
    answer: dict[str, Any],
    *,
    is_check: bool,
    why: str,
    problem: str = "",
) -> HttpResponse:
    question = question_about(task, answer)
    templates = [f"annotation/task_types/{name}.html" for name in (question.type, "_any")]
    context = {
        "task": task,
        "queue": task.queue,
        "question": question,
        # What is shown again because something was wrong with it has been seen.
        "is_veiled": bool(question.categories) and "shown" not in request.GET and not problem,
        "is_check": is_check,
        "why": why,
        "takes_why": takes_why(task.queue.task_type),
        "why_length": WHY_LENGTH,
        "problem": problem,
        "scripts": SCRIPTS,
        "task_templates": templates,
        "keys_templates": [f"{template}#keys" for template in templates],
    }
    status = 422 if problem else 200
    return render(request, "annotation/known_answer.html", context, status=status)
