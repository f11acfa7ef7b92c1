"""Launching a run: what is asked for is checked before anything is written."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction

from alignment.backends import BACKENDS
from alignment.methods import METHODS, Method
from alignment.models import Checkpoint, Run
from alignment.start import start_later
from alignment.weights import weigh
from annotation.exports import EXPORTS
from annotation.models import DatasetVersion, Prompt
from truing.audit import record
from truing.errors import Invalid
from truing.models import Project, User
from truing.options import build, record_of
from truing.plugins import plugin_named

NAME_LENGTH = 200


class CannotTrain(Invalid):
    """This cannot be trained."""


@transaction.atomic
def launch(
    project: Project,
    *,
    method: str,
    datasets: Sequence[DatasetVersion],
    base: Checkpoint | None = None,
    reward: Checkpoint | None = None,
    options: Mapping[str, Any] | None = None,
    name: str = "",
    backend: str = "local",
    review_after: bool = True,
    actor: User | None,
) -> Run:
    """Queue a run. Raises one sentence when what is asked for cannot be trained."""
    chosen = plugin_named(METHODS, method, "method")
    plugin_named(BACKENDS, backend, "backend")
    built: Any = build(chosen.Options, options or {})
    # Two runs launched at once must not take the same name.
    Project.objects.select_for_update(of=("self",)).get(pk=project.pk)
    problem = (
        problem_with_datasets(project, chosen, datasets)
        or _problem_with_base(project, chosen, base)
        or _problem_with_reward(project, chosen, reward)
        or chosen.problem_with(
            built,
            has_base=base is not None,
            has_eval=has_rows(datasets, Prompt.Split.EVAL),
        )
        or problem_with_name(project, name.strip())
    )
    if problem:
        raise CannotTrain(problem)
    run = Run.objects.create(
        project=project,
        name=name.strip() or _next_name(project, method),
        method=method,
        options=record_of(built),
        base=base,
        reward=reward,
        backend=backend,
        review_after=review_after,
        created_by=actor,
    )
    run.datasets.set(datasets)
    record(
        "run.launch",
        actor=actor,
        project=project,
        on=run,
        method=method,
        datasets=[str(version) for version in datasets],
        base=base.name if base else None,
        reward=reward.name if reward else None,
        options=run.options,
    )
    start_later.defer(backend=backend)
    return run


def problem_with_datasets(
    project: Project, method: Method, datasets: Sequence[DatasetVersion]
) -> str:
    """Why these versions are nothing for the method, in one sentence; "" when they are."""
    if not datasets:
        return "Choose at least one dataset version to train on."
    readable = EXPORTS[method.reads].reads
    for version in datasets:
        if version.dataset.project_id != project.pk:
            return f"There is no dataset version {version} in this project."
        if version.kind not in readable:
            kinds = " or ".join(readable)
            return f"{method.label} learns from {kinds} data, and {version} is {version.kind}."
    if not has_rows(datasets, Prompt.Split.TRAIN):
        names = ", ".join(str(version) for version in datasets)
        return f"There are no rows to train on: the train side of {names} is empty."
    return ""


def has_rows(datasets: Sequence[DatasetVersion], split: str) -> bool:
    return any(version.manifest["rows"].get(split) for version in datasets)


def _problem_with_base(project: Project, method: Method, base: Checkpoint | None) -> str:
    if base is None:
        return f"{method.label} needs a base model to start from." if method.needs_base else ""
    if base.project_id != project.pk:
        return "There is no such base model in this project."
    if base.kind != Checkpoint.Kind.POLICY:
        return f"{base} is a reward model: a run starts from a language model."
    return problem_with_files(base)


def _problem_with_reward(project: Project, method: Method, reward: Checkpoint | None) -> str:
    if reward is None:
        return f"{method.label} needs a reward model." if method.needs_reward else ""
    if not method.needs_reward:
        return f"{method.label} uses no reward model: leave it out."
    if reward.project_id != project.pk:
        return "There is no such reward model in this project."
    if reward.kind != Checkpoint.Kind.REWARD:
        return f"{reward} is a language model, not a reward model."
    return problem_with_files(reward)


def problem_with_files(checkpoint: Checkpoint) -> str:
    """Why the checkpoint's files cannot be used, in one sentence; "" when they can."""
    if checkpoint.is_on_hub:
        return problem_with_hub(checkpoint.path)
    try:
        weigh(checkpoint.folder)
    except Invalid as problem:
        # Where models lie on this machine is nothing for whoever asks.
        return str(problem).replace(str(checkpoint.folder), f"“{checkpoint.name}”")
    return ""


def problem_with_hub(name: str) -> str:
    """Why a model of this name cannot be fetched; "" when it can."""
    if settings.ALLOW_HUB:
        return ""
    return (
        f"{name} is a name on the Hugging Face hub, and nothing is fetched from there unless the "
        "server is started with TRUING_ALLOW_HUB=1."
    )


def problem_with_name(project: Project, name: str) -> str:
    """Why no checkpoint can be called so."""
    if len(name) > NAME_LENGTH or "\x00" in name:
        return f"A name has at most {NAME_LENGTH} characters."
    if name.isdecimal():
        return "A name cannot be a number only: numbers are for the platform to give."
    if name and _is_taken(project, name):
        return f"There is already a checkpoint or a run called “{name}”."
    return ""


def _is_taken(project: Project, name: str) -> bool:
    checkpoints = Checkpoint.objects.filter(project=project, name=name)
    return (
        checkpoints.exists() or Run.objects.unfinished().filter(project=project, name=name).exists()
    )


def _next_name(project: Project, method: str) -> str:
    number = Run.objects.filter(project=project, method=method).count() + 1
    while _is_taken(project, f"{method}-{number}"):
        number += 1
    return f"{method}-{number}"
