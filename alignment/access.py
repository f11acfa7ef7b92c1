"""Turn an id from outside into an object of alignment, and check the role in the same call."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from alignment.models import Checkpoint, Generation, Review, Run
from annotation.models import DatasetVersion
from truing.access import Role, project_for
from truing.errors import Invalid
from truing.models import Project


class NotThere(Invalid):
    """What was chosen is not in this project."""


def run_for(request: HttpRequest, slug: str, pk: int, *, at_least: Role) -> Run:
    project = project_for(request, slug, at_least=at_least)
    return get_object_or_404(
        Run.objects.select_related("project", "base", "reward", "created_by", "checkpoint"),
        pk=pk,
        project=project,
    )


def generation_for(request: HttpRequest, slug: str, pk: int, *, at_least: Role) -> Generation:
    project = project_for(request, slug, at_least=at_least)
    return get_object_or_404(
        Generation.objects.select_related("project", "checkpoint"), pk=pk, project=project
    )


def checkpoint_for(request: HttpRequest, slug: str, pk: int, *, at_least: Role) -> Checkpoint:
    project = project_for(request, slug, at_least=at_least)
    return get_object_or_404(
        Checkpoint.objects.select_related("project", "run", "parent", "created_by"),
        pk=pk,
        project=project,
    )


def review_for(request: HttpRequest, slug: str, pk: int, *, at_least: Role) -> Review:
    project = project_for(request, slug, at_least=at_least)
    return get_object_or_404(
        Review.objects.select_related("project", "candidate", "baseline", "queue", "decided_by"),
        pk=pk,
        project=project,
    )


@dataclass(frozen=True)
class Chosen:
    """What a form or a program chose for a run."""

    datasets: list[DatasetVersion]
    base: Checkpoint | None
    reward: Checkpoint | None


def chosen_for(project: Project, keys: Mapping[str, Iterable[Any]]) -> Chosen:
    """The dataset versions and checkpoints with these keys, all of this project."""
    versions = DatasetVersion.objects.filter(dataset__project=project).select_related(
        "dataset__project"
    )
    found = {version.pk: version for version in versions.filter(pk__in=_numbers(keys["datasets"]))}
    wanted = _numbers(keys["datasets"])
    if len(found) != len(set(wanted)):
        raise NotThere("A dataset version that was chosen is not in this project.")
    return Chosen(
        datasets=[found[key] for key in dict.fromkeys(wanted)],
        base=checkpoint_chosen(project, keys["base"]),
        reward=checkpoint_chosen(project, keys["reward"]),
    )


def checkpoint_chosen(project: Project, keys: Iterable[Any]) -> Checkpoint | None:
    """The checkpoint with this key, all of them of this project; None where none is chosen."""
    wanted = _numbers(keys)
    if not wanted:
        return None
    checkpoint = Checkpoint.objects.filter(project=project, pk=wanted[0]).first()
    if checkpoint is None:
        raise NotThere("A checkpoint that was chosen is not in this project.")
    return checkpoint


def _numbers(keys: Iterable[Any]) -> list[int]:
    texts = [str(key) for key in keys if key not in (None, "")]
    if not all(text.isascii() and text.isdigit() and len(text) < 19 for text in texts):
        raise NotThere
    return [int(text) for text in texts]
