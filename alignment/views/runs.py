"""Runs: what is trained, how it goes, and a new one."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from alignment.access import chosen_for, run_for
from alignment.cancel import cancel as cancel_process
from alignment.launch import launch
from alignment.methods import METHODS
from alignment.metrics import curves, log_tail, seconds_left
from alignment.models import Run
from alignment.resume import resume as resume_process
from alignment.views.run_form import RunForm, chosen_in, like, options_in, suggested
from annotation.views.listing import asked_for, page_of
from truing.access import Role, membership_for, project_for
from truing.errors import Refused
from truing.http import Request, key_of
from truing.models import Project
from truing.options import fields_of
from truing.pages import render

A_PAGE = 30
LOG_LINES = 18  # as many as are seen at once
STATES = {
    "queued": "badge-ghost",
    "starting": "badge-info",
    "running": "badge-info",
    "cancelling": "badge-warning",
    "succeeded": "badge-success",
    "failed": "badge-error",
    "cancelled": "badge-neutral",
}


@require_GET
@login_required
def runs(request: Request, slug: str) -> HttpResponse:
    """All runs, the newest first."""
    membership = membership_for(request, slug, at_least=Role.REVIEWER)
    asked = asked_for(request, ["q", "method", "state"])
    found = Run.objects.for_lists(membership.project).narrowed(
        text=asked.get("q", ""), method=asked.get("method", ""), state=asked.get("state", "")
    )
    page = page_of(request, found, asked, size=A_PAGE)
    context = {
        "runs": [_line(run) for run in page.rows],
        "asked": asked,
        "methods": [(name, method.label) for name, method in METHODS.items()],
        "states": Run.State.values,
        "is_live": any(not run.has_ended for run in page.rows),
        "here": request.get_full_path(),
        "may_train": membership.role >= Role.ENGINEER,
        "next_url": page.next_url,
        "first_url": page.first_url,
    }
    return render(request, "alignment/runs.html", context, fragment="runs")


def _line(run: Run) -> dict[str, Any]:
    checkpoint = getattr(run, "checkpoint", None)
    return {
        "run": run,
        "method": run.training_method.label,
        "badge": STATES[run.state],
        "checkpoint": checkpoint,
        "datasets": [f"{item.dataset.name}@{item.number}" for item in run.datasets.all()],
        "is_under_way": run.state in (Run.State.RUNNING, Run.State.CANCELLING),
    }


@require_http_methods(["GET", "POST"])
@login_required
def new_run(request: Request, slug: str) -> HttpResponse:
    """The form of a method; sent, it launches a run."""
    project = project_for(request, slug, at_least=Role.ENGINEER)
    sent = request.POST if request.method == "POST" else request.GET
    earlier = key_of(sent.get("like", ""))
    model = run_for(request, slug, earlier, at_least=Role.ENGINEER) if earlier else None
    name = sent.get("method") or (model.method if model else "sft")
    if name not in METHODS:
        raise Http404
    form = RunForm(project, name, chosen=chosen_in(sent))
    if model and model.method == name:
        form.values, form.chosen = like(model)
    elif request.method == "GET":
        form.chosen = suggested(project, form.chosen)
    if request.method == "POST":
        form.values = options_in(form.method, request.POST)
        try:
            run = _launched(request, project, form)
        except Refused as refusal:
            form.problem = str(refusal)
        else:
            messages.success(request, f"{run} is queued.")
            return redirect("run", slug, run.pk)
    context = {
        "form": form,
        "method": form.method,
        "method_name": name,
        "methods": [(key, method.label) for key, method in METHODS.items()],
        "name": sent.get("name", ""),
        "review_after": request.method == "GET" or "review_after" in sent,
    }
    return render(request, "alignment/new_run.html", context, status=422 if form.problem else 200)


def _launched(request: Request, project: Project, form: RunForm) -> Run:
    chosen = chosen_for(project, form.chosen)
    return launch(
        project,
        method=form.name,
        datasets=chosen.datasets,
        base=chosen.base,
        reward=chosen.reward,
        options=form.values,
        name=request.POST.get("name", ""),
        backend=request.POST.get("backend", "local"),
        review_after="review_after" in request.POST,
        actor=request.user,
    )


@require_GET
@login_required
def run(request: Request, slug: str, pk: int) -> HttpResponse:
    """A run while it goes, and after."""
    found = run_for(request, slug, pk, at_least=Role.REVIEWER)
    role = request.membership.role
    defaults = {item.name: item.default for item in fields_of(found.training_method.Options)}
    context = {
        "run": found,
        "method": found.training_method,
        "badge": STATES[found.state],
        "datasets": found.datasets.select_related("dataset__project"),
        "options": [
            {"name": name, "value": value, "is_changed": defaults.get(name) != value}
            for name, value in _in_order(found.options, defaults)
        ],
        "result": sorted(found.result.items()),
        "checkpoint": getattr(found, "checkpoint", None),
        "before": _waiting_before(found),
        "seconds_left": None if found.has_ended else seconds_left(found.folder),
        "seconds": _seconds(found),
        "log": log_tail(found.folder, lines=LOG_LINES),
        "may_change": role >= Role.ENGINEER,
        "may_see_data": role >= Role.CURATOR,
    }
    response = render(request, "alignment/run.html", context, fragment="live")
    if request.htmx and found.has_ended:
        response["HX-Refresh"] = "true"  # only a page that saw it running asks for the fragment
    return response


def _in_order(options: dict[str, Any], known: dict[str, Any]) -> list[tuple[str, Any]]:
    """As the method lists them; the database keeps no order. Options of old come last."""
    names = [name for name in known if name in options]
    return [(name, options[name]) for name in [*names, *(set(options) - set(names))]]


def _waiting_before(run: Run) -> int:
    if run.state != Run.State.QUEUED:
        return 0
    return Run.objects.unfinished().filter(backend=run.backend, pk__lt=run.pk).count()


def _seconds(run: Run) -> float | None:
    if run.started_at is None:
        return None
    return ((run.ended_at or timezone.now()) - run.started_at).total_seconds()


@require_GET
@login_required
def run_metrics(request: Request, slug: str, pk: int) -> JsonResponse:
    """The curves, as the page's charts read them."""
    found = run_for(request, slug, pk, at_least=Role.REVIEWER)
    return JsonResponse({"series": curves(found.folder), "done": found.has_ended})


@require_POST
@login_required
def cancel(request: Request, slug: str, pk: int) -> HttpResponse:
    found = run_for(request, slug, pk, at_least=Role.ENGINEER)
    cancel_process(found, actor=request.user)
    messages.success(request, "It was asked to end. It saves a checkpoint first.")
    return redirect("run", slug, pk)


@require_POST
@login_required
def resume(request: Request, slug: str, pk: int) -> HttpResponse:
    found = run_for(request, slug, pk, at_least=Role.ENGINEER)
    resume_process(found, actor=request.user)
    messages.success(request, "It is queued again, and goes on from its last checkpoint.")
    return redirect("run", slug, pk)
