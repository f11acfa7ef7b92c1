"""A project at a glance: what is in force, what waits for this person, how the loop stands."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Count, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET

from alignment.models import Checkpoint, Promotion, Review, Run
from annotation.models import (
    Annotation,
    Annotator,
    Assignment,
    DatasetVersion,
    Dispute,
    Flag,
    Output,
    Prompt,
    Queue,
)
from truing.access import Role, membership_for
from truing.http import Request
from truing.models import Event, Membership, Project
from truing.pages import render

# Counting stops here: the page costs the same whatever the project holds.
MOST = 10_000
NEWS = 12
# What happened to the work. What happened to people is in the owner's audit log.
TOLD = ("run", "checkpoint", "review", "dataset", "datasetversion", "queue", "generation")


@require_GET
@login_required
def project(request: Request, slug: str) -> HttpResponse:
    """The overview. Who only annotates goes straight to the desk."""
    membership = membership_for(request, slug)
    if membership.role < Role.REVIEWER:
        return redirect("desk", slug)
    found = membership.project
    promotion = Promotion.objects.in_force(found)
    questions, is_more = _questions_for(membership)
    context = {
        "promotion": promotion,
        "questions": questions,
        "is_more": is_more,
        "most": MOST,
        **_to_decide(found, membership.role),
        "undecided": list(
            Review.objects.undecided()
            .filter(project=found)
            .select_related("candidate", "baseline")
            .order_by("-pk")[:5]
        ),
        "running": list(Run.objects.unfinished().filter(project=found).order_by("pk")[:5]),
        "open_reviews": list(Review.objects.for_lists(found).running()[:5]),
        "steps": _steps(found, membership.role, promotion),
        "news": _with_links(
            slug,
            membership.role,
            # A review opens its queue by itself: that is one piece of news, not two.
            Event.objects.filter(project=found, noun__in=TOLD)
            .exclude(verb="queue.create", details__has_key="reserved_for")
            .select_related("actor")
            .order_by("-pk")[:NEWS],
        ),
        "may_train": membership.role >= Role.ENGINEER,
    }
    return render(request, "alignment/project.html", context)


# Where a piece of news leads, and who may go there.
PAGES = {
    "run": ("run", Role.REVIEWER),
    "checkpoint": ("checkpoint", Role.REVIEWER),
    "review": ("review", Role.REVIEWER),
    "queue": ("queue", Role.CURATOR),
}


def _with_links(slug: str, role: int, events: Iterable[Event]) -> list[dict[str, Any]]:
    return [{"event": event, "url": _url_of(slug, role, event)} for event in events]


def _url_of(slug: str, role: int, event: Event) -> str:
    page, least = PAGES.get(event.noun, ("", Role.OWNER))
    if page and event.noun_id and role >= least:
        return reverse(page, args=[slug, event.noun_id])
    if event.noun == "datasetversion" and role >= Role.CURATOR:
        name, _, number = event.label.rpartition("/")[2].rpartition("@")
        return reverse("version", args=[slug, name, int(number)]) if number.isdecimal() else ""
    return ""


def _questions_for(membership: Membership) -> tuple[int, bool]:
    """How many questions the desk has for this person, and whether there are more than that.

    Each counts once, however many answers it wants. Exams are taken by who wants their skill.
    """
    annotator = Annotator.objects.filter(project=membership.project, user=membership.user).first()
    if annotator and annotator.paused_at:
        return 0, False
    held = annotator.grants.standing().values_list("skill", flat=True) if annotator else []
    queues = Queue.objects.open().filter(project=membership.project, exam_skill="")
    queues = queues.filter(skills__contained_by=list(held))
    # By key, so that what is free in other queues is not even read.
    slots = Assignment.objects.filter(queue__in=list(queues.values_list("pk", flat=True)))
    slots = slots.takeable().unmet_by(annotator) if annotator else slots.takeable()
    looked_at = slots.order_by().values("pk")[:MOST]
    found = Assignment.objects.filter(pk__in=looked_at).aggregate(
        slots=Count("pk"), tasks=Count("task", distinct=True)
    )
    return found["tasks"], found["slots"] == MOST


def _to_decide(project: Project, role: int) -> dict[str, int]:
    """What waits for reviewers, and for curators. Disputes are those that were found so far."""
    disputes = Dispute.objects.in_project(project).filter(state=Dispute.State.OPEN)
    paused = Annotator.objects.filter(project=project, paused_at__isnull=False)
    flags = Flag.objects.filter(task__queue__project=project, state=Flag.State.OPEN)
    return {
        "disputes": _count(disputes),
        "paused": _count(paused),
        "flags": _count(flags) if role >= Role.CURATOR else 0,
    }


def _steps(project: Project, role: int, promotion: Promotion | None) -> list[dict[str, Any]]:
    """The stations of the loop, each with its count and, for who may, its page."""
    stations: list[tuple[str, str, Role, int]] = [
        ("Prompts", "prompts", Role.REVIEWER, _count(Prompt.objects.filter(project=project))),
        (
            "Outputs",
            "outputs",
            Role.REVIEWER,
            _count(Output.objects.filter(prompt__project=project)),
        ),
        (
            "Answers",
            "answers",
            Role.REVIEWER,
            _count(Annotation.objects.in_project(project)),
        ),
        (
            "Dataset versions",
            "datasets",
            Role.CURATOR,
            _count(DatasetVersion.objects.filter(dataset__project=project)),
        ),
        ("Runs", "runs", Role.REVIEWER, _count(Run.objects.filter(project=project))),
        (
            "Checkpoints",
            "checkpoints",
            Role.REVIEWER,
            _count(Checkpoint.objects.in_project(project)),
        ),
        ("Reviews", "reviews", Role.REVIEWER, _count(Review.objects.filter(project=project))),
    ]
    return [
        {
            "label": label,
            "count": count,
            "url": reverse(name, args=[project.slug]) if role >= least else "",
        }
        for label, name, least, count in stations
    ]


def _count(rows: QuerySet[Any]) -> int:
    return rows.order_by().values("pk")[:MOST].count()
