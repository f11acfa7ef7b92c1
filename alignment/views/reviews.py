"""Reviews: blind comparisons, their running verdict, and the decision."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from alignment.access import review_for
from alignment.finish import finish
from alignment.models import Promotion, Review
from alignment.promote import promote as promote_checkpoint
from alignment.reject import reject as reject_candidate
from alignment.verdict import Verdict, verdict
from truing.access import Role, membership_for
from truing.http import Request, key_of
from truing.pages import render

A_PAGE = 30
WIDTH, HEIGHT = 600, 180  # of the picture, in its own units
BADGES = {
    "generating": "badge-ghost",
    "open": "badge-info",
    "finished": "badge-warning",  # somebody must decide
    "failed": "badge-error",
    "cancelled": "badge-neutral",
    "promoted": "badge-success",
    "rejected": "badge-neutral",
}


@require_GET
@login_required
def reviews(request: Request, slug: str) -> HttpResponse:
    """All reviews, the newest first."""
    membership = membership_for(request, slug, at_least=Role.REVIEWER)
    found = Review.objects.for_lists(membership.project)
    after = key_of(request.GET.get("after", ""))
    if after is not None:
        found = found.filter(pk__lt=after)
    page = list(found[: A_PAGE + 1])
    address = reverse("reviews", args=[slug])
    context = {
        "reviews": [
            {"review": review, "badge": BADGES[review.decision or review.state]}
            for review in page[:A_PAGE]
        ],
        "next_url": f"{address}?after={page[A_PAGE - 1].pk}" if len(page) > A_PAGE else "",
        "first_url": address if after is not None else "",
    }
    return render(request, "alignment/reviews.html", context)


@require_GET
@login_required
def review(request: Request, slug: str, pk: int) -> HttpResponse:
    """How a review stands, while answers come in."""
    found = review_for(request, slug, pk, at_least=Role.REVIEWER)
    role = request.membership.role
    is_running = found.state in (Review.State.GENERATING, Review.State.OPEN)
    now = verdict(found)
    in_force = Promotion.objects.in_force(found.project)
    context = {
        "review": found,
        "badge": BADGES[found.decision or found.state],
        "is_running": is_running,
        "is_early": found.verdict.get("early", False),
        "now": now,
        "bar": _bar(now),
        "picture": _picture(now.history),
        "generations": found.generations.order_by("pk").select_related("checkpoint"),
        "may_change": role >= Role.ENGINEER,
        "is_still_baseline": bool(in_force and in_force.checkpoint_id == found.baseline_id),
    }
    response = render(request, "alignment/review.html", context, fragment="standing")
    if request.htmx and not is_running:
        response["HX-Refresh"] = "true"  # there is something to decide now
    return response


def _bar(now: Verdict) -> list[dict[str, Any]]:
    """Wins, ties and losses as parts of a whole."""
    parts = [("won", now.wins), ("tied", now.ties), ("lost", now.losses)]
    whole = sum(count for _, count in parts)
    place, found = 0.0, []
    for name, count in parts:
        width = 100 * count / whole if whole else 0.0
        found.append({"name": name, "count": count, "x": place, "width": width})
        place += width
    return found


def _picture(history: Sequence[Sequence[float]]) -> dict[str, str] | None:
    """The rate and its interval after each answer, as points of an SVG."""
    if len(history) < 2:
        return None
    last = len(history) - 1

    def point(number: int, share: float) -> str:
        return f"{WIDTH * number / last:.1f},{HEIGHT * (1 - share):.1f}"

    rates = " ".join(point(number, row[1]) for number, row in enumerate(history))
    high = [point(number, row[3]) for number, row in enumerate(history)]
    low = [point(number, row[2]) for number, row in enumerate(history)]
    return {"rate": rates, "interval": " ".join([*high, *reversed(low)])}


@require_POST
@login_required
def review_finish(request: Request, slug: str, pk: int) -> HttpResponse:
    """End it before its last answer."""
    found = review_for(request, slug, pk, at_least=Role.ENGINEER)
    finish(found, actor=request.user, early=True)
    messages.success(request, "The review is finished. Nobody is asked any more.")
    return redirect("review", slug, pk)


@require_POST
@login_required
def review_promote(request: Request, slug: str, pk: int) -> HttpResponse:
    """Put the candidate into force."""
    found = review_for(request, slug, pk, at_least=Role.ENGINEER)
    promote_checkpoint(
        found.candidate,
        reason=request.POST.get("reason", ""),
        decided_by=request.user,
        review=found,
    )
    messages.success(request, f"{found.candidate} is in force.")
    return redirect("review", slug, pk)


@require_POST
@login_required
def review_reject(request: Request, slug: str, pk: int) -> HttpResponse:
    """Leave what is in force as it is."""
    found = review_for(request, slug, pk, at_least=Role.ENGINEER)
    reject_candidate(found, reason=request.POST.get("reason", ""), decided_by=request.user)
    messages.success(request, f"{found.candidate} was rejected.")
    return redirect("review", slug, pk)
