"""Prompts: find them, and see all that has been said about one."""

from collections import defaultdict
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET

from annotation.access import prompt_for
from annotation.asked_now import prompts_asked_now
from annotation.export_feedback import as_jsonl, export_feedback
from annotation.in_words import in_words
from annotation.models import (
    Annotation,
    Assignment,
    Output,
    Prompt,
    Queue,
    Task,
    TaskOutput,
)
from annotation.veil import sensitive_prompts
from annotation.views.listing import asked_for, page_of
from annotation.views.queues import download
from truing.access import Role, project_for
from truing.http import Request
from truing.models import Project
from truing.pages import render

FILTERS = ("q", "tag", "language", "source", "split", "answered")
OUTPUTS_SHOWN = 50
TASKS_A_PAGE = 20
ANSWERS_SHOWN = 20  # of each task
SUGGESTED = 30


@require_GET
@login_required
def prompts(request: Request, slug: str) -> HttpResponse:
    """All prompts, the newest first, narrowed as the address says."""
    project = project_for(request, slug, at_least=Role.REVIEWER)
    asked = asked_for(request, FILTERS)
    asked_now = prompts_asked_now(project, request.user)
    found = Prompt.objects.filter(project=project).marked(asked_now)
    found = found.narrowed(
        **{name: asked.get(name, "") for name in ("tag", "language", "source", "split")},
        asked_now=asked_now,
    )
    if "q" in asked:
        found = found.matching(asked["q"])
    if asked.get("answered") in ("yes", "no"):
        found = found.answered(asked["answered"] == "yes")
    page = page_of(request, found, asked)
    context = {
        "prompts": _rows(page.rows),
        "asked": asked,
        "splits": Prompt.Split.values,
        "tags": tags_in(project),
        "may_download": request.membership.role >= Role.CURATOR,
        "next_url": page.next_url,
        "first_url": page.first_url,
    }
    return render(request, "annotation/prompts.html", context)


@require_GET
@login_required
def prompt(request: Request, slug: str, pk: int) -> HttpResponse:
    """One prompt with its outputs, and the questions about them with their answers."""
    prompt = prompt_for(request, slug, pk, at_least=Role.REVIEWER)
    is_asked = prompts_asked_now(prompt.project, request.user).filter(pk=prompt.pk).exists()
    tasks = Task.objects.filter(prompt=prompt).select_related("queue")
    page = page_of(request, tasks, {}, newest_first=False, size=TASKS_A_PAGE)
    categories = sensitive_prompts([prompt.pk]).get(prompt.pk, [])
    outputs = [] if is_asked else list(prompt.outputs.order_by("pk")[: OUTPUTS_SHOWN + 1])
    context = {
        "prompt": prompt,
        "is_asked": is_asked,
        "categories": categories,
        "is_veiled": bool(categories) and "shown" not in request.GET,
        "meta": [(name, value) for name, value in prompt.meta.items()],
        "outputs": outputs_shown(outputs[:OUTPUTS_SHOWN]),
        "more_outputs": len(outputs) > OUTPUTS_SHOWN,
        "tasks": [] if is_asked else tasks_shown(page.rows),
        "next_url": page.next_url,
        "first_url": page.first_url,
    }
    return render(request, "annotation/prompt.html", context)


@require_GET
@login_required
def feedback(request: Request, slug: str) -> StreamingHttpResponse:
    """All prompts, outputs and answers of the project as feedback lines."""
    project = project_for(request, slug, at_least=Role.CURATOR)
    return download(as_jsonl(export_feedback(project)), f"{slug}.feedback.jsonl")


def outputs_shown(outputs: list[Output]) -> list[dict[str, Any]]:
    """Outputs as pages show them: without the source where a review must not be told it."""
    hidden = set(
        Output.objects.under_review()
        .filter(pk__in=[one.pk for one in outputs])
        .values_list("pk", flat=True)
    )
    # The order of those would tell which model is newer.
    in_order = sorted(
        outputs, key=lambda one: (one.pk in hidden, one.digest if one.pk in hidden else "")
    )
    return [
        {
            "pk": one.pk,
            "text": one.text,
            "is_hidden": one.pk in hidden,
            "source": "" if one.pk in hidden else one.source,
            "params": {} if one.pk in hidden else one.params,
        }
        for one in in_order
    ]


def tasks_shown(tasks: list[Task]) -> list[dict[str, Any]]:
    """Tasks with their outputs, numbered, and what was answered."""
    keys = [task.pk for task in tasks]
    places: dict[int, list[TaskOutput]] = defaultdict(list)
    for place in TaskOutput.objects.filter(task__in=keys).select_related("output"):
        places[place.task_id].append(place)
    given: dict[int, list[Annotation]] = defaultdict(list)
    answers = Annotation.objects.current().first_of_each_task(keys, ANSWERS_SHOWN + 1)
    for answer in answers.select_related("assignment__annotator", "assignment__task").order_by(
        "pk"
    ):
        given[answer.assignment.task_id].append(answer)
    shown = []
    for task in tasks:
        in_order = sorted(places[task.pk], key=lambda place: place.position)
        refs = [place.ref for place in in_order]
        shown.append(
            {
                "pk": task.pk,
                "ref": task.ref,
                "queue": task.queue,
                "outputs": [place.output.text for place in in_order],
                "gold": in_words(task.queue, task.gold, refs) if task.gold else "",
                "is_check": task.is_check,
                "answers": [
                    answer_shown(answer, task.queue, refs)
                    for answer in given[task.pk][:ANSWERS_SHOWN]
                ],
                "has_more": len(given[task.pk]) > ANSWERS_SHOWN,
            }
        )
    return shown


def answer_shown(answer: Annotation, queue: Queue, refs: list[str]) -> dict[str, Any]:
    slot = answer.assignment
    return {
        "who": slot.annotator.pseudonym if slot.annotator else "",
        "says": in_words(queue, answer.answer, refs),
        "purpose": purpose_in_words(slot),
        "is_correction": answer.supersedes_id is not None,
        "reason": answer.reason,
        "seconds": answer.seconds,
        "at": answer.at,
    }


def purpose_in_words(slot: Assignment) -> str:
    """Why it was asked, where the answer is no vote: a known answer goes by its kind."""
    if slot.purpose in ("answer", "import"):
        return ""
    is_check = slot.purpose == "gold" and slot.task.is_check
    return "attention check" if is_check else slot.purpose


def tags_in(project: Project) -> list[str]:
    """Some of the tags, to choose from: those of the newest prompts."""
    newest = Prompt.objects.filter(project=project).order_by("-pk")
    found = newest.values_list("tags", "judged_tags")[:500]
    return sorted({tag for own, judged in found for tag in [*own, *judged]})[:SUGGESTED]


def _rows(prompts: list[Any]) -> list[dict[str, Any]]:
    keys = [prompt.pk for prompt in prompts]
    outputs = _counts(Output.objects.filter(prompt__in=keys).values("prompt"))
    tasks = _counts(Task.objects.filter(prompt__in=keys).values("prompt"))
    sensitive = sensitive_prompts(keys)
    return [
        {
            "pk": prompt.pk,
            "text": prompt.text,
            "categories": sensitive.get(prompt.pk, []),
            "turns": len(prompt.messages),
            "tags": (prompt.tags if prompt.is_asked else prompt.all_tags)[:5],
            "language": prompt.language,
            "source": prompt.source,
            "split": prompt.split,
            "outputs": outputs.get(prompt.pk, 0),
            "tasks": tasks.get(prompt.pk, 0),
        }
        for prompt in prompts
    ]


def _counts(grouped: Any) -> dict[int, int]:
    return {row["prompt"]: row["number"] for row in grouped.annotate(number=Count("pk"))}
