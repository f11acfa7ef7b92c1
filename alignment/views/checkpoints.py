"""Checkpoints: the models of a project, where each comes from, and what can be done with it."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_POST

from alignment.access import checkpoint_chosen, checkpoint_for, generation_for, review_for
from alignment.ancestry import ancestry, behind
from alignment.cancel import cancel
from alignment.download import download as download_of
from alignment.generate import generate as generate_outputs
from alignment.models import Checkpoint, Promotion, Review
from alignment.promote import promote as promote_checkpoint
from alignment.register import register
from alignment.review import open_review
from alignment.sample import Sampling
from alignment.serve import serve, stop_serving
from alignment.views.runs import STATES
from annotation.models import Prompt
from annotation.views.listing import asked_for, page_of
from truing.access import Role, membership_for, project_for
from truing.errors import Invalid
from truing.http import Request, key_of
from truing.options import fields_of
from truing.pages import render

A_PAGE = 50
GENERATIONS = 10
SERVING_BADGES = {
    "answers": "badge-success",
    "failed": "badge-error",
    "not answering": "badge-warning",
    "starting": "badge-info",
    "loading": "badge-info",
    "stopping": "badge-info",
}
SHOWN_SAMPLING = ("temperature", "top_p", "max_new_tokens", "seed")


@require_GET
@login_required
def checkpoints(request: Request, slug: str) -> HttpResponse:
    """All checkpoints, the newest first, and which one is in force."""
    membership = membership_for(request, slug, at_least=Role.REVIEWER)
    project = membership.project
    asked = asked_for(request, ["q", "kind"])
    found = Checkpoint.objects.in_project(project).select_related("run", "parent")
    if "q" in asked:
        found = found.filter(name__icontains=asked["q"])
    if "kind" in asked:
        found = found.filter(kind=asked["kind"])
    page = page_of(request, found, asked, size=A_PAGE)
    promotion = Promotion.objects.in_force(project)
    context = {
        "checkpoints": page.rows,
        "asked": asked,
        "kinds": Checkpoint.Kind.values,
        "in_force": promotion.checkpoint_id if promotion else None,
        "may_change": membership.role >= Role.ENGINEER,
        "allow_hub": settings.ALLOW_HUB,
        "next_url": page.next_url,
        "first_url": page.first_url,
    }
    return render(request, "alignment/checkpoints.html", context)


@require_POST
@login_required
def add_checkpoint(request: Request, slug: str) -> HttpResponse:
    """Register a model of the hub. A folder of this machine is the command line's to name."""
    project = project_for(request, slug, at_least=Role.ENGINEER)
    added = register(
        project,
        request.POST.get("path", ""),
        hub_only=True,
        name=request.POST.get("name", ""),
        kind=request.POST.get("kind", ""),
        actor=request.user,
    )
    messages.success(request, f"{added} is registered.")
    return redirect("checkpoint", slug, added.pk)


@require_GET
@login_required
def checkpoint(request: Request, slug: str, pk: int) -> HttpResponse:
    """One checkpoint: what it says, what it comes from, and what people said of it."""
    found = checkpoint_for(request, slug, pk, at_least=Role.REVIEWER)
    role = request.membership.role
    promotion = Promotion.objects.in_force(found.project)
    generations = list(found.generations.order_by("-pk")[:GENERATIONS])
    line = ancestry(found)
    serving = found.servings.select_related("endpoint").order_by("-pk").first()
    context = {
        "checkpoint": found,
        "is_policy": found.kind == Checkpoint.Kind.POLICY,
        "is_in_force": bool(promotion and promotion.checkpoint_id == pk),
        "in_force": promotion.checkpoint if promotion else None,
        "line": line,
        "behind": behind(line),
        "reviews": line[0].reviews,
        "result": sorted(found.facts.get("result", {}).items()),
        "promotion": promotion_need(found, promotion),
        "generations": [{"item": item, "badge": STATES[item.state]} for item in generations],
        "serving": serving,
        "serving_badge": SERVING_BADGES.get(serving.words, "badge-ghost") if serving else "",
        "is_serving_live": bool(serving and not serving.has_ended),
        "is_live": any(not item.has_ended for item in generations),
        "others": Checkpoint.objects.policies()
        .filter(project=found.project)
        .exclude(pk=pk)
        .order_by("-pk")[:200],
        "sampling": [item for item in fields_of(Sampling) if item.name in SHOWN_SAMPLING],
        "splits": Prompt.Split.values,
        "may_change": role >= Role.ENGINEER,
        "may_see_data": role >= Role.CURATOR,
        "here": request.path,
    }
    fragment = "serving" if request.GET.get("part") == "serving" else "generations"
    return render(request, "alignment/checkpoint.html", context, fragment=fragment)


def promotion_need(checkpoint: Checkpoint, in_force: Promotion | None) -> dict[str, Any]:
    """Whether it can be promoted now, and what speaks for it or stands in the way."""
    if checkpoint.kind != Checkpoint.Kind.POLICY:
        return {"is_possible": False, "because": "A reward model answers nobody."}
    if in_force is None:
        return {"is_possible": True, "because": "It would be the first in force."}
    if in_force.checkpoint_id == checkpoint.pk:
        return {"is_possible": False, "because": "It is in force."}
    review = (
        Review.objects.undecided()
        .filter(candidate=checkpoint, baseline=in_force.checkpoint)
        .order_by("pk")
        .last()
    )
    if review:
        return {"is_possible": True, "review": review, "because": ""}
    if checkpoint.promotions.exists():
        return {"is_possible": True, "because": "It was in force before."}
    return {
        "is_possible": False,
        "needs_review": True,
        "because": f"It needs a finished review against {in_force.checkpoint} first.",
    }


@require_GET
@login_required
def checkpoint_download(request: Request, slug: str, pk: int) -> StreamingHttpResponse:
    """Its files as one tar file."""
    found = checkpoint_for(request, slug, pk, at_least=Role.ENGINEER)
    archive = download_of(found)
    response = StreamingHttpResponse(archive, content_type="application/x-tar")
    response["Content-Length"] = str(archive.size_bytes)
    # Weights do not get smaller; said here, nobody tries to compress them on the way.
    response["Content-Encoding"] = "identity"
    name = slugify(found.name) or f"checkpoint-{found.pk}"
    response["Content-Disposition"] = f'attachment; filename="{name}.tar"'
    return response


@require_POST
@login_required
def checkpoint_serve(request: Request, slug: str, pk: int) -> HttpResponse:
    """Let it answer requests, so that people can chat with it."""
    found = checkpoint_for(request, slug, pk, at_least=Role.ENGINEER)
    serve(found, actor=request.user)
    messages.success(request, f"{found} is being loaded.")
    return redirect("checkpoint", slug, pk)


@require_POST
@login_required
def checkpoint_stop(request: Request, slug: str, pk: int) -> HttpResponse:
    found = checkpoint_for(request, slug, pk, at_least=Role.ENGINEER)
    stop_serving(found, actor=request.user)
    messages.success(request, f"{found} is being stopped.")
    return redirect("checkpoint", slug, pk)


@require_POST
@login_required
def generate(request: Request, slug: str, pk: int) -> HttpResponse:
    """Let it answer the prompts of one side of the project."""
    found = checkpoint_for(request, slug, pk, at_least=Role.ENGINEER)
    sent = request.POST
    prompts = Prompt.objects.filter(project=found.project).order_by("pk")
    if split := sent.get("split", ""):
        prompts = prompts.on_side(split)
    if tag := sent.get("tag", "").strip():
        prompts = prompts.filter(tags__contains=[tag])
    limit = sent.get("limit", "").strip()
    if limit and not key_of(limit):
        raise Invalid("The limit must be a whole number of at least 1.")
    samples = key_of(sent.get("samples", "1"))
    if samples is None:
        raise Invalid("The number of answers must be a whole number of at least 1.")
    asked = generate_outputs(
        found,
        prompts[: key_of(limit)],
        samples=samples,
        params={name: sent[name] for name in SHOWN_SAMPLING if sent.get(name)},
        actor=request.user,
    )
    messages.success(request, f"{len(asked.prompts):,} prompts wait to be answered.")
    return redirect("checkpoint", slug, pk)


@require_POST
@login_required
def generation_cancel(request: Request, slug: str, pk: int) -> HttpResponse:
    found = generation_for(request, slug, pk, at_least=Role.ENGINEER)
    cancel(found, actor=request.user)
    messages.success(request, "It was asked to end. The answers so far are kept.")
    return redirect("checkpoint", slug, found.checkpoint_id)


@require_POST
@login_required
def checkpoint_review(request: Request, slug: str, pk: int) -> HttpResponse:
    """Open a review of it, against the one in force or another."""
    found = checkpoint_for(request, slug, pk, at_least=Role.ENGINEER)
    overlap = key_of(request.POST.get("overlap", "1"))
    if overlap is None:
        raise Invalid("The number of answers for each comparison must be a whole number.")
    review = open_review(
        found,
        baseline=checkpoint_chosen(found.project, [request.POST.get("baseline")]),
        overlap=overlap,
        actor=request.user,
    )
    messages.success(request, "Both answer the review prompts now; then people are asked.")
    return redirect("review", slug, review.pk)


@require_POST
@login_required
def checkpoint_promote(request: Request, slug: str, pk: int) -> HttpResponse:
    """Put it into force."""
    found = checkpoint_for(request, slug, pk, at_least=Role.ENGINEER)
    key = key_of(request.POST.get("review", ""))
    promote_checkpoint(
        found,
        reason=request.POST.get("reason", ""),
        decided_by=request.user,
        review=review_for(request, slug, key, at_least=Role.ENGINEER) if key else None,
    )
    messages.success(request, f"{found} is in force.")
    return redirect("checkpoint", slug, pk)
