"""Answers: who said what about which outputs, and why."""

from collections import defaultdict
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models.functions import Left
from django.http import HttpResponse
from django.views.decorators.http import require_GET

from annotation.asked_now import about_asked_now
from annotation.models import Annotation, Annotator, Prompt, Queue, TaskOutput
from annotation.views.listing import asked_for, page_of
from annotation.views.prompts import answer_shown, tags_in
from truing.access import Role, project_for
from truing.http import Request, key_of
from truing.pages import render

FILTERS = ("q", "queue", "annotator", "tag", "language", "split")
SUGGESTED = 200
BEGINNING = 200  # characters of an output


@require_GET
@login_required
def answers(request: Request, slug: str) -> HttpResponse:
    """All answers that stand, the newest first, narrowed as the address says."""
    project = project_for(request, slug, at_least=Role.REVIEWER)
    asked = asked_for(request, FILTERS)
    found = Annotation.objects.in_project(project).current()
    found = found.exclude(about_asked_now(project, request.user, task="assignment__task"))
    if "queue" in asked:
        found = found.filter(assignment__queue=key_of(asked["queue"]) or 0)
    if "annotator" in asked:
        found = found.by(asked["annotator"])
    tag, language, split = (asked.get(name, "") for name in ("tag", "language", "split"))
    if tag or language or split:
        prompts = Prompt.objects.filter(project=project)
        found = found.about(prompts.narrowed(tag=tag, language=language, split=split))
    if "q" in asked:
        found = found.matching(asked["q"])
    found = found.select_related(
        "assignment__annotator", "assignment__queue", "assignment__task__prompt"
    )
    page = page_of(request, found, asked)
    annotators = Annotator.objects.filter(project=project).order_by("pseudonym")
    context = {
        "answers": _rows(page.rows),
        "asked": asked,
        "queues": list(Queue.objects.filter(project=project).order_by("-pk")[:SUGGESTED]),
        "annotators": list(annotators.values_list("pseudonym", flat=True)[:SUGGESTED]),
        "tags": tags_in(project),
        "splits": Prompt.Split.values,
        "next_url": page.next_url,
        "first_url": page.first_url,
    }
    return render(request, "annotation/answers.html", context)


def _rows(answers: list[Annotation]) -> list[dict[str, Any]]:
    refs: dict[int, list[str]] = defaultdict(list)
    outputs: dict[int, list[str]] = defaultdict(list)
    places = TaskOutput.objects.filter(task__in={one.assignment.task_id for one in answers})
    beginnings = places.annotate(beginning=Left("output__text", BEGINNING))
    for task, ref, beginning in beginnings.order_by("task", "position").values_list(
        "task", "ref", "beginning"
    ):
        refs[task].append(ref)
        outputs[task].append(beginning)
    return [
        {
            "prompt": answer.assignment.task.prompt,
            "queue": answer.assignment.queue,
            "categories": answer.assignment.task.categories,
            "writes": answer.assignment.queue.task_type.writes,
            "outputs": outputs[answer.assignment.task_id],
            **answer_shown(answer, answer.assignment.queue, refs[answer.assignment.task_id]),
        }
        for answer in answers
    ]
