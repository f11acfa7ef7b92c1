"""How annotators work: each their own, and all of them for reviewers."""

from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import F, FloatField
from django.db.models.functions import Cast, NullIf
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from annotation.access import annotator_for, firing_for
from annotation.comment import threads_of, unread_by
from annotation.enforce import undo_firing
from annotation.lately import from_top, lately
from annotation.models import Annotator, Comment, Firing, Queue, Return, Standing
from annotation.opt_in import choices_of
from annotation.pause import REASON_LENGTH, pause
from annotation.pick import sensitive_today
from annotation.resume import read_notice, resume
from annotation.show_standing import shown, shown_to_themselves
from annotation.views.listing import asked_for
from annotation.views.rules import in_words
from truing.access import Role, membership_for, project_for
from truing.http import Request, key_of
from truing.pages import render

A_PAGE = 50
FIRINGS = 50
QUEUES = 200  # to choose from
PACE_LINES = (1, 10, 60, 600)  # seconds
LIMIT = 3.5  # of what speaks against care, where the usual rule stops them: log(1 / 0.03)
FIGURES = ("gold", "agreement", "left", "longer", "consistency", "circles", "reliability")
THREADS = 50


def _share(part: str, whole: str) -> Any:
    return Cast(F(part), FloatField()) / NullIf(Cast(F(whole), FloatField()), 0.0)


# What the list can be sorted by, the most remarkable first; who has no figure comes last.
SORTS: dict[str, tuple[str, Any]] = {
    "suspicion": ("Against care", F("suspicion").desc()),
    "answers": ("Answers", F("answers").desc()),
    "gold": ("Known answers", _share("gold_right", "gold").asc(nulls_last=True)),
    "agreement": ("Agreement", _share("agreed", "compared").asc(nulls_last=True)),
    "left": ("Left side", _share("lefts", "answers").desc(nulls_last=True)),
    "longer": ("Longer", _share("longer", "answers").desc(nulls_last=True)),
    "consistency": ("Repeats", _share("consistent", "repeats").asc(nulls_last=True)),
    "circles": ("Circles", _share("circles", "triads").desc(nulls_last=True)),
    "pace": ("Pace", _share("log_seconds", "timed").asc(nulls_last=True)),
}


@require_GET
@login_required
def annotators(request: Request, slug: str) -> HttpResponse:
    """Everybody who works here, a row for each queue."""
    project = project_for(request, slug, at_least=Role.REVIEWER)
    sort = request.GET.get("sort", "")
    sort = sort if sort in SORTS else "suspicion"
    page = max(1, min(key_of(request.GET.get("page", "")) or 1, 10_000))
    asked = asked_for(request, ["q", "queue", "state"])
    found = Standing.objects.in_project(project).select_related("annotator__user", "queue")
    found = found.narrowed(
        text=asked.get("q", ""),
        queue=key_of(asked.get("queue", "")),
        state=asked.get("state", ""),
    )
    start = (page - 1) * A_PAGE
    rows = list(found.order_by(SORTS[sort][1], "pk")[start : start + A_PAGE + 1])
    context = {
        "rows": [_row(one) for one in rows[:A_PAGE]],
        "sort": sort,
        "sorts": [(name, label) for name, (label, _) in SORTS.items()],
        "asked": asked,
        "queues": list(Queue.objects.filter(project=project).order_by("-pk")[:QUEUES]),
        "limit": LIMIT,
        "next_url": _page_url(request, sort, page + 1, asked) if len(rows) > A_PAGE else "",
        "first_url": _page_url(request, sort, 1, asked) if page > 1 else "",
    }
    return render(request, "annotation/annotators.html", context)


@require_GET
@login_required
def annotator(request: Request, slug: str, pk: int) -> HttpResponse:
    """One annotator: how they stand in each queue, and what rules have done."""
    person = annotator_for(request, slug, pk, at_least=Role.REVIEWER)
    standings = person.standings.select_related("annotator__user", "queue").order_by("queue")
    firings = Firing.objects.filter(standing__annotator=person).order_by("-pk")
    fired = list(firings.select_related("standing__queue", "undone_by")[:FIRINGS])
    rows = [_row(one) for one in standings[:A_PAGE]]
    context = {
        "person": person,
        "reason_length": REASON_LENGTH,
        "name": _name(person),
        "rows": [row for row in rows if row["says_something"]],
        "silent": [row for row in rows if not row["says_something"]],
        "answers": sum(row["is"].answers for row in rows),
        "lately": lately(person, fired_at=[one.at for one in fired]),
        "pace_lines": [from_top(seconds) for seconds in PACE_LINES],
        "limit": LIMIT,
        "firings": [{"row": one, "then": in_words(one.then, one.skill)} for one in fired],
    }
    return render(request, "annotation/annotator.html", context)


@require_GET
@login_required
def my_work(request: Request, slug: str) -> HttpResponse:
    """One's own work, in pictures."""
    membership = membership_for(request, slug)
    me = Annotator.objects.member(membership.project, membership.user)
    standings = me.standings.select_related("queue").order_by("-answers")[:A_PAGE]
    rows = [{"queue": one.queue, "is": shown_to_themselves(one)} for one in standings]
    context = {
        "rows": rows,
        "person": me,
        "threads": _threads(me),
        "grants": me.grants.standing().given_by_others().order_by("skill"),
        "choices": choices_of(me),
        "sensitive_today": sensitive_today(me, timezone.now()),
    }
    return render(request, "annotation/my_work.html", context)


@require_POST
@login_required
def notice_read(request: Request, slug: str) -> HttpResponse:
    """What one was told is read."""
    membership = membership_for(request, slug)
    read_notice(Annotator.objects.member(membership.project, membership.user))
    return HttpResponse("") if request.htmx else redirect("desk", slug)


@require_POST
@login_required
def annotator_pause(request: Request, slug: str, pk: int) -> HttpResponse:
    person = annotator_for(request, slug, pk, at_least=Role.REVIEWER)
    pause(person, because=request.POST.get("because", ""), actor=request.user)
    messages.success(request, "They are asked nothing until you ask them again.")
    return redirect("annotator", slug, pk)


@require_POST
@login_required
def annotator_resume(request: Request, slug: str, pk: int) -> HttpResponse:
    person = annotator_for(request, slug, pk, at_least=Role.REVIEWER)
    resume(person, actor=request.user)
    messages.success(request, "They are asked again.")
    for standing in person.standings.filter(left_out_at__isnull=False).select_related("queue"):
        # What they answer there counts for nobody, and they are not told.
        messages.warning(
            request,
            f"In “{standing.queue.name}” their answers are still left out of merges: undo what the "
            "rule did, if they are to count.",
        )
    return redirect("annotator", slug, pk)


@require_POST
@login_required
def firing_undo(request: Request, slug: str, pk: int) -> HttpResponse:
    firing = undo_firing(firing_for(request, slug, pk), actor=request.user)
    messages.success(request, "Undone. For rules, their work counts from now on.")
    return redirect("annotator", slug, firing.standing.annotator_id)


def _threads(me: Annotator) -> list[dict[str, Any]]:
    """What reviewers and I wrote about my answers; what was sent back first."""
    newest = threads_of(me).order_by("task", "-pk").distinct("task").values("pk")
    last = Comment.objects.filter(pk__in=newest).select_related("task__prompt", "task__queue")
    shown = list(last.order_by("-pk")[:THREADS])
    if me.user is None:
        return []
    unread = Counter(unread_by(me.user, threads_of(me)).values_list("task", flat=True))
    returned = set(
        Return.objects.open()
        .filter(annotation__assignment__annotator=me)
        .values_list("annotation__assignment__task", flat=True)
    )
    rows = [
        {
            "last": one,
            "is_mine": one.author_id == me.pk,
            "unread": unread[one.task_id],
            "is_returned": one.task_id in returned,
        }
        for one in shown
    ]
    return sorted(rows, key=lambda row: not row["is_returned"])


def _row(standing: Standing) -> dict[str, Any]:
    person = standing.annotator
    figures = shown(standing)
    return {
        "pk": person.pk,
        "name": _name(person),
        "queue": standing.queue,
        "is": figures,
        "says_something": any(getattr(figures, name, None) is not None for name in FIGURES),
        # As a share of twice the limit, so that the limit stands in the middle.
        "against": min(1.0, max(0.0, figures.suspicion / (2 * LIMIT))),
        "is_paused": person.paused_at is not None,
    }


def _name(person: Annotator) -> str:
    if person.user:
        return person.user.name or person.user.email
    return person.pseudonym


def _page_url(request: Request, sort: str, page: int, asked: Mapping[str, str]) -> str:
    return f"{request.path}?{urlencode({**asked, 'sort': sort, 'page': page})}"
