"""Reviewing: people compare a candidate with a baseline, and cannot know which is which."""

import random
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from alignment.finish import finish
from alignment.generate import generate
from alignment.models import Checkpoint, Generation, Promotion, Review
from alignment.sample import Sampling
from annotation.ask import ask_all
from annotation.create_queue import create_queue
from annotation.models import Assignment, Output, Prompt
from annotation.models.prompt import digest_of
from truing.audit import record
from truing.errors import Invalid, Refused
from truing.models import Project, User
from truing.options import build, record_of

MOST_PROMPTS = 200  # unless more are named
SAMPLING = {"temperature": 0.7}
GUIDELINE = (
    "Which answer would you rather be given? Read the question, then both answers. "
    "An answer should be right, kind and no longer than it needs to be. "
    "Say “equal” when you cannot choose."
)


class CannotReview(Invalid):
    """These cannot be compared."""


class AlreadyOpen(Refused):
    """A review of these two is under way already."""


@transaction.atomic
def open_review(
    candidate: Checkpoint,
    *,
    baseline: Checkpoint | None = None,
    prompts: Iterable[Prompt] | None = None,
    overlap: int = 1,
    params: Mapping[str, Any] | None = None,
    actor: User | None,
) -> Review:
    """Let both answer the review prompts, the same way; then a blind queue opens by itself.

    Without a baseline: the checkpoint in force. Without prompts: those on the review side.
    """
    project = candidate.project
    baseline = baseline or _in_force(project)
    sampling = record_of(build(Sampling, {**SAMPLING, **(params or {}), "samples": 1}))
    sampling.pop("samples")
    chosen = _chosen(project) if prompts is None else list(prompts)
    if problem := _problem_with(candidate, baseline, chosen, overlap):
        raise CannotReview(problem)
    try:
        with transaction.atomic():
            review = Review.objects.create(
                project=project,
                candidate=candidate,
                baseline=baseline,
                prompts=[prompt.pk for prompt in chosen],
                params=sampling,
                overlap=overlap,
                created_by=actor,
            )
    except IntegrityError:
        raise AlreadyOpen from None
    for checkpoint in (candidate, baseline):
        if missing := _unanswered(review, checkpoint, chosen):
            review.generations.add(generate(checkpoint, missing, params=sampling, actor=actor))
    record(
        "review.open",
        actor=actor,
        project=project,
        on=review,
        candidate=candidate.name,
        baseline=baseline.name,
        prompts=len(chosen),
    )
    advance(review)
    return review


def advance(review: Review) -> None:
    """Do what the review waits for, if it has come: all outputs, or the last answer."""
    if review.state == Review.State.GENERATING:
        _advance_generating(review)
    elif review.state == Review.State.OPEN:
        left = Assignment.objects.filter(
            queue=review.queue_id, state__in=[Assignment.State.FREE, Assignment.State.HELD]
        )
        if not left.exists():
            finish(review, actor=None)


def _advance_generating(review: Review) -> None:
    states = dict(review.generations.values_list("pk", "state"))
    over = {Generation.State.FAILED, Generation.State.CANCELLED}
    if over & set(states.values()):
        _give_up(review)
    elif all(state == Generation.State.SUCCEEDED for state in states.values()):
        try:
            _open_queue(review)
        except Refused as refusal:
            review.move(Review.State.GENERATING, Review.State.FAILED, problem=str(refusal))


def _give_up(review: Review) -> None:
    failed = review.generations.filter(state=Generation.State.FAILED).first()
    if failed:
        problem = f"{failed.checkpoint} could not answer the prompts: {failed.problem}"
        state = Review.State.FAILED
    else:
        problem, state = "A generation of its answers was cancelled.", Review.State.CANCELLED
    review.move(Review.State.GENERATING, state, problem=problem, finished_at=timezone.now())


@transaction.atomic
def _open_queue(review: Review) -> None:
    """Ask about each prompt where the two differ. The name of the queue says nothing of them."""
    # Whoever opens it holds the row until the queue is there; another sees it open.
    if not review.move(Review.State.GENERATING, Review.State.OPEN):
        return
    pairs = _pairs(review)
    queue = create_queue(
        review.project,
        name=_free_name(review),
        type="pairwise",
        overlap=review.overlap,
        guideline=GUIDELINE,
        reserved_for="review",
        actor=review.created_by,
    )
    ask_all(queue, [(prompt, outputs) for prompt, outputs in pairs])
    review.queue = queue
    review.save(update_fields=["queue"])
    if not pairs:
        finish(review, actor=None)


def _pairs(review: Review) -> list[tuple[Prompt, list[Output]]]:
    """The prompts in chance order, each with the two outputs in chance order."""
    found: dict[int, dict[str, Output]] = {}
    outputs = Output.objects.filter(
        prompt__in=review.prompts, source__in=review.sources, params=params_of(review)
    )
    for output in outputs.order_by("-pk"):  # the first one stays where there are several
        found.setdefault(output.prompt_id, {})[output.source] = output
    silent = [key for key in review.prompts if len(found.get(key, {})) < 2]
    if silent:
        raise CannotReview(f"{len(silent)} prompts did not get both answers.")
    prompts = Prompt.objects.in_bulk(review.prompts)
    pairs = [
        (prompts[key], random.sample(list(sides.values()), k=2))
        for key, sides in found.items()
        if len({output.text for output in sides.values()}) == 2
    ]
    random.shuffle(pairs)
    return pairs


def params_of(review: Review) -> dict[str, Any]:
    """What the outputs of this review say of their sampling."""
    return {name: value for name, value in review.params.items() if name != "batch_size"}


def _unanswered(review: Review, checkpoint: Checkpoint, prompts: list[Prompt]) -> list[Prompt]:
    """Those that the checkpoint has not answered this way before."""
    answered = set(
        Output.objects.filter(
            prompt__in=review.prompts, source=checkpoint.source, params=params_of(review)
        ).values_list("prompt", flat=True)
    )
    return [prompt for prompt in prompts if prompt.pk not in answered]


def _in_force(project: Project) -> Checkpoint:
    promotion = Promotion.objects.in_force(project)
    if promotion is None:
        raise CannotReview("No checkpoint is in force yet: name the baseline to compare with.")
    return promotion.checkpoint


def review_prompts(project: Project) -> list[Prompt]:
    """All that stand on the review side, each conversation once."""
    distinct = (
        Prompt.objects.filter(project=project)
        .on_side(Prompt.Split.REVIEW)
        .order_by("messages", "pk")
        .distinct("messages")
    )
    return list(distinct)


def _chosen(project: Project) -> list[Prompt]:
    """A fair choice where there are many, and the same one every time."""
    return sorted(review_prompts(project), key=lambda prompt: digest_of(prompt.messages))[
        :MOST_PROMPTS
    ]


def _problem_with(
    candidate: Checkpoint, baseline: Checkpoint, prompts: list[Prompt], overlap: int
) -> str:
    if candidate.pk == baseline.pk:
        return f"{candidate} cannot be compared with itself."
    for checkpoint in (candidate, baseline):
        if checkpoint.project_id != candidate.project_id:
            return "Only checkpoints of one project can be compared."
        if checkpoint.kind != Checkpoint.Kind.POLICY:
            return f"{checkpoint} is a reward model: it writes no answers to compare."
    if not prompts:
        return "There are no prompts on the review side of this project to compare on."
    if not 1 <= overlap <= 100:
        return "The number of answers for each comparison must be between 1 and 100."
    return ""


def _free_name(review: Review) -> str:
    taken = set(review.project.queues.values_list("name", flat=True))
    number = Review.objects.filter(project=review.project, pk__lte=review.pk).count()
    while f"Review {number}" in taken:
        number += 1
    return f"Review {number}"
