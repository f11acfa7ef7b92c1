"""Imports: upload a file, look at what is in it, let it come in, read what was refused."""

import itertools
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation.access import import_for
from annotation.feedback_line import Line, asks
from annotation.importers import IMPORTERS
from annotation.intake import first_lines
from annotation.models import Import, Queue
from annotation.named import NoSuchQueue
from annotation.receive_import import EmptyUpload, receive_import
from annotation.run_import import cancel_import, start_import
from annotation.task_types import TASK_TYPES
from annotation.views.listing import page_of
from truing.access import Role, project_for
from truing.errors import Refused
from truing.http import Request, key_of
from truing.models import Project
from truing.pages import render

LOOKED_AT = 200  # lines
ROWS_SHOWN = 5
PROBLEMS_SHOWN = 20
State = Import.State


@require_http_methods(["GET", "POST"])
@login_required
def imports(request: Request, slug: str) -> HttpResponse:
    """Upload a file, and see those that came before."""
    project = project_for(request, slug, at_least=Role.CURATOR)
    problem = ""
    if request.method == "POST":
        try:
            one = _receive(request, project)
        except Refused as refusal:
            problem = str(refusal)
        else:
            return redirect("import", slug, one.pk)
    page = page_of(request, Import.objects.of_people(project), {}, size=20)
    queues = Queue.objects.filter(project=project, reserved_for="").order_by("-pk")
    context = {
        "imports": page.rows,
        "formats": [(name, importer.label) for name, importer in IMPORTERS.items()],
        "queues": list(queues[:200]),
        "problem": problem,
        "next_url": page.next_url,
        "first_url": page.first_url,
    }
    return render(request, "annotation/imports.html", context, status=422 if problem else 200)


@require_GET
@login_required
def import_page(request: Request, slug: str, pk: int) -> HttpResponse:
    """What is in a file before one says yes; then how far it is; then what became of it."""
    one = import_for(request, slug, pk)
    context: dict[str, Any] = {
        "one": one,
        "report": one.report,
        "percent": 100 * one.bytes_read // one.size if one.size else 0,
        "has_refusals_file": one.has_ended and one.refusals_file.exists(),
    }
    if one.state == State.UPLOADED:
        context |= _preview(one)
    return render(request, "annotation/import.html", context, fragment="state")


@require_POST
@login_required
def import_start(request: Request, slug: str, pk: int) -> HttpResponse:
    start_import(import_for(request, slug, pk), actor=request.user)
    return redirect("import", slug, pk)


@require_POST
@login_required
def import_cancel(request: Request, slug: str, pk: int) -> HttpResponse:
    one = cancel_import(import_for(request, slug, pk), actor=request.user)
    if one.state == State.RUNNING:
        messages.info(request, "It ends after the lines that it is at.")
    return redirect("import", slug, pk)


@require_GET
@login_required
def import_refusals(request: Request, slug: str, pk: int) -> FileResponse:
    """Every refused line with its number and its sentence."""
    one = import_for(request, slug, pk)
    try:
        file = one.refusals_file.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    # The name that the person gave the file is not used: it may say anything.
    return FileResponse(
        file,
        as_attachment=True,
        filename=f"{slug}-import-{one.pk}-refused.jsonl",
        content_type="application/jsonl",
    )


def _receive(request: Request, project: Project) -> Import:
    upload = request.FILES.get("file")
    if upload is None:
        raise EmptyUpload("Choose a file first.")
    named = request.POST.get("queue", "").strip()
    found = Queue.objects.filter(project=project, pk=key_of(named) or 0)
    queue = found.first() if named else None
    if named and queue is None:
        raise NoSuchQueue(
            f"There is no queue {named[:20]} in this project. Choose one of the list."
        )
    return receive_import(
        project,
        upload,
        format=request.POST.get("format", "feedback"),
        queue=queue,
        actor=request.user,
    )


def _preview(one: Import) -> dict[str, Any]:
    """The first rows as they would come in, and what is wrong in the first lines."""
    task_type = one.queue.type if one.queue else ""
    looked_at = 0
    rows: list[dict[str, Any]] = []
    problems: list[dict[str, Any]] = []
    try:
        for number, line, problem in itertools.islice(
            first_lines(one.file, LOOKED_AT, format=one.format, task_type=task_type), LOOKED_AT
        ):
            looked_at += 1
            if line is None:
                problems.append({"line": number, "problem": problem})
            elif len(rows) < ROWS_SHOWN:
                rows.append(_row(number, line, one.queue))
    except Refused as refusal:
        return {"preview_problem": str(refusal)}
    return {
        "rows": rows,
        "problems": problems[:PROBLEMS_SHOWN],
        "problem_count": len(problems),
        "good_count": looked_at - len(problems),
        "looked_at": looked_at,
        "is_whole": looked_at < LOOKED_AT,
    }


def _row(number: int, line: Line, queue: Queue | None) -> dict[str, Any]:
    becomes = "a prompt without a question"
    if asks(line):
        label = TASK_TYPES[line.task_type].label
        becomes = f"a question in “{queue.name}”" if queue else f"a question: {label}"
    answers = sum(not one.is_skip for one in line.annotations)
    return {
        "line": number,
        "id": line.id,
        "turns": line.messages,
        "outputs": [(one.ref, one.text, one.source) for one in line.outputs[:9]],
        "answers": answers,
        "skips": len(line.annotations) - answers,
        "has_gold": line.gold is not None,
        "is_check": line.is_check,
        "tags": line.tags[:10],
        "becomes": becomes,
    }
