"""Registering a base model: a folder on this machine, or a name on the Hugging Face hub."""

from pathlib import Path
from typing import Any

from django.db import transaction

from alignment.launch import problem_with_hub, problem_with_name
from alignment.models import Checkpoint
from alignment.weights import NoModel, is_hub_name, weigh
from truing.audit import record
from truing.errors import Invalid
from truing.models import Project, User


class CannotRegister(Invalid):
    """This cannot be registered."""


class NotOnHub(CannotRegister):
    """What was given is no name on the Hugging Face hub."""

    def __init__(self) -> None:
        super().__init__(
            "Give a name on the Hugging Face hub, such as owner/model. A folder on the server is "
            "added there: truing checkpoints add FOLDER."
        )


@transaction.atomic
def register(
    project: Project,
    path: str | Path,
    *,
    name: str = "",
    kind: str = "",
    hub_only: bool = False,
    actor: User | None,
) -> Checkpoint:
    """Make a model known to the project. Its files stay where they are.

    A name on the hub is taken as it is: it is read when a run needs it. With `hub_only` nothing
    else is taken, and nobody learns what is on this machine's disk.
    """
    if kind and kind not in Checkpoint.Kind.values:
        raise CannotRegister(f"There is no kind “{kind}”. There are: policy, reward.")
    Project.objects.select_for_update().get(pk=project.pk)
    given = str(path).strip()
    if hub_only and not _reads_like_hub(given):
        raise NotOnHub
    folder = None if hub_only else _folder_at(given)
    if folder:
        found, facts = _look_at(folder)
        if kind and kind != found:
            raise CannotRegister(f"The model in {folder} is a {found}, not a {kind}.")
        kind, place = found, str(folder)
    elif _reads_like_hub(given):
        if problem := problem_with_hub(given):
            raise CannotRegister(problem)
        kind, place, facts = kind or Checkpoint.Kind.POLICY, given, {}
    else:
        raise NoModel(f"There is no model at {given}, and it is no name on the Hugging Face hub.")
    name = name.strip() or Path(place).name
    if problem := problem_with_name(project, name):
        raise CannotRegister(problem)
    checkpoint = Checkpoint.objects.create(
        project=project, name=name, kind=kind, path=place, facts=facts, created_by=actor
    )
    record(
        "checkpoint.register",
        actor=actor,
        project=project,
        on=checkpoint,
        path=place,
        kind=kind,
    )
    return checkpoint


def _folder_at(given: str) -> Path | None:
    folder = Path(given).expanduser()
    return folder.resolve() if folder.exists() else None


def _reads_like_hub(given: str) -> bool:
    # Without an owner only the hub's oldest models are named; so is a folder that is missing.
    return "/" in given and is_hub_name(given)


def _look_at(folder: Path) -> tuple[str, dict[str, Any]]:
    weights = weigh(folder)
    facts = {
        "architecture": weights.architecture,
        "parameters": weights.parameters,
        "bytes": weights.size_bytes,
    }
    return weights.kind, facts
