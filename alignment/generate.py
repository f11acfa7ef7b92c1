"""Generating: a checkpoint answers prompts, in a process of its own."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from alignment.launch import problem_with_files
from alignment.models import Checkpoint, Generation
from alignment.sample import Sampling
from alignment.start import start_later
from annotation.models import Prompt
from truing.audit import record
from truing.errors import Invalid
from truing.models import User
from truing.options import build, record_of

MANY = 1_000_000


class CannotGenerate(Invalid):
    """This cannot be generated."""


@transaction.atomic
def generate(
    checkpoint: Checkpoint,
    prompts: Iterable[Prompt],
    *,
    samples: int = 1,
    params: Mapping[str, Any] | None = None,
    actor: User | None,
) -> Generation:
    """Queue so many answers to each prompt. They come in while they are written."""
    if "samples" in (params or {}):
        raise CannotGenerate("How many answers a prompt gets is not a sampling parameter.")
    sampling = build(Sampling, {**(params or {}), "samples": samples})
    keys = list(dict.fromkeys(_keys(prompts)))
    own = Prompt.objects.filter(project=checkpoint.project, pk__in=keys).count()
    problem = ""
    if checkpoint.kind != Checkpoint.Kind.POLICY:
        problem = f"{checkpoint} is a reward model: it writes no answers."
    elif not keys:
        problem = "There are no prompts to answer."
    elif len(keys) > MANY:
        problem = f"At most {MANY:,} prompts can be answered at once."
    elif own != len(keys):
        problem = "Some of these prompts are not in the project of the checkpoint."
    if problem := problem or problem_with_files(checkpoint):
        raise CannotGenerate(problem)
    given = record_of(sampling)
    given.pop("samples")
    generation = Generation.objects.create(
        project=checkpoint.project,
        checkpoint=checkpoint,
        prompts=keys,
        samples=samples,
        params=given,
        total_steps=len(keys),
        created_by=actor,
    )
    record(
        "generation.ask",
        actor=actor,
        project=checkpoint.project,
        on=generation,
        checkpoint=checkpoint.name,
        prompts=len(keys),
        samples=samples,
        params=given,
    )
    start_later.defer(backend=generation.backend)
    return generation


def _keys(prompts: Iterable[Prompt]) -> Iterable[int]:
    """Without loading them, where they are still in the database."""
    if isinstance(prompts, QuerySet):
        return prompts.values_list("pk", flat=True)
    return (prompt.pk for prompt in prompts)
