"""How far the annotators of a project agree, in numbers and in plain words."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.views.decorators.http import require_GET

from annotation.access import queue_for
from annotation.agree import Agreement, agreement_by_queue
from annotation.agree import agreement as measure
from annotation.models import Queue
from truing.access import Role, project_for
from truing.http import Request, key_of
from truing.models import Project
from truing.pages import render
from truing.translated import translated

# Krippendorff's own limits (Content Analysis, 2018): above the first, conclusions are safe; above
# the second, tentative. Preferences seldom get there.
SAFE = 0.8
TENTATIVE = 0.667
WEAK = 0.2


@require_GET
@login_required
def agreement(request: Request, slug: str) -> HttpResponse:
    """The frame at once; the numbers when they are counted, which may take a while."""
    project, queue = _asked_about(request, slug)
    template = "annotation/agreement.html"
    context: dict[str, Any] = {"counted": False, "queue": queue, "queues": []}
    if not request.htmx and "now" not in request.GET:
        return render(request, template, context)
    context["counted"] = True
    if queue:
        context |= {"whole": shown(measure(project, queue)), "of": queue}
        return render(request, template, context, fragment="numbers")
    whole, by_queue = agreement_by_queue(project)
    answered = [(queue, measured) for queue, measured in by_queue if measured.tasks]
    context["whole"] = shown(whole)
    if len(answered) == 1:
        # One queue alone would say the same twice.
        context["of"] = answered[0][0]
    else:
        context["queues"] = [_row(queue, measured) for queue, measured in answered]
    return render(request, template, context, fragment="numbers")


def _asked_about(request: Request, slug: str) -> tuple[Project, Queue | None]:
    named = request.GET.get("queue", "")
    if not named:
        return project_for(request, slug, at_least=Role.REVIEWER), None
    queue = queue_for(request, slug, key_of(named) or 0, at_least=Role.REVIEWER)
    return queue.project, queue


def _row(queue: Queue, measured: Agreement) -> dict[str, Any]:
    """A queue in the table of all."""
    said, _, _ = translated(reading(measured.alpha_nominal)).partition(".")
    return {
        "pk": queue.pk,
        "name": queue.name,
        "type": queue.task_type.label,
        "is": measured,
        "reading": said,
    }


def shown(measured: Agreement) -> dict[str, Any]:
    """An agreement as the page shows it."""
    answers = sum(measured.answers.values())
    return {
        "tasks": measured.tasks,
        "annotations": measured.annotations,
        "annotators": measured.annotators,
        "compared": measured.compared,
        "percent": measured.percent_agreement,
        "coefficients": [
            {"name": "Nominal alpha", "value": measured.alpha_nominal, **_bar(measured, "nominal")},
            {"name": "Ordinal alpha", "value": measured.alpha_ordinal, **_bar(measured, "ordinal")},
        ],
        "why_undefined": why_undefined(measured),
        "shares": _shares(measured.answers, answers),
        "kappas": [
            {"one": one, "other": other, "value": kappa, "bar": _width(kappa)}
            for pair, kappa in measured.cohen_kappa.items()
            for one, _, other in [pair.partition("|")]
        ],
    }


def reading(alpha: float | None) -> str:
    """What an alpha means, in words."""
    if alpha is None:
        return "Not defined."
    if alpha >= SAFE:
        return "Strong. These answers can be relied on."
    if alpha >= TENTATIVE:
        return "Fair. Good enough for careful conclusions."
    if alpha >= WEAK:
        return (
            "Weak. People agree more than by chance, and differ often. That is common where taste "
            "decides; more answers a task and a clearer guideline help."
        )
    if alpha > 0:
        return "Very weak. People agree little more than by chance. Look at the guideline."
    return "None. People agree no more than by chance, or systematically differ."


def why_undefined(measured: Agreement) -> str:
    if measured.alpha_nominal is not None:
        return ""
    if not measured.compared:
        return "No question has two answers yet, so there is nothing to compare."
    return (
        "All answers that can be compared are the same one. Then agreement by chance would be "
        "just as complete, and a coefficient cannot tell them apart."
    )


def _bar(measured: Agreement, level: str) -> dict[str, Any]:
    value = measured.alpha_nominal if level == "nominal" else measured.alpha_ordinal
    return {"bar": _width(value), "reading": reading(value)}


def _width(value: float | None) -> float:
    """A share of the whole bar; what is below zero shows as none."""
    return round(100 * max(0.0, value), 1) if value is not None else 0


def _shares(answers: dict[str, int], total: int) -> list[dict[str, Any]]:
    """The parts of a bar, from left to right."""
    parts, left = [], 0.0
    for name, label in (("first", "first better"), ("tie", "tie"), ("second", "second better")):
        share = 100 * answers[name] / total if total else 0.0
        parts.append({"name": name, "label": label, "count": answers[name], "x": left, "w": share})
        left += share
    return parts
