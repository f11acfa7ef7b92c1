"""Keeping what a process made: a run's model becomes a checkpoint, a generation is at its end."""

import json
import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from alignment.fail import fail
from alignment.models import Checkpoint, Generation, Process, Promotion, Run
from alignment.review import open_review
from alignment.take_in import take_in
from alignment.weights import Weights, weigh
from truing import home
from truing.audit import record
from truing.errors import Refused
from truing.models import Project

State = Process.State


def keep(process: Process) -> None:
    """End a process that succeeded. It may be asked again after whoever asked was killed."""
    if isinstance(process, Generation):
        _keep_outputs(process)
    elif isinstance(process, Run):
        try:
            folder = _move_model(process)
            weights = weigh(folder)
        except (Refused, OSError) as problem:
            fail(process, problem)
            return
        _keep_checkpoint(process, folder, weights)


def _keep_outputs(generation: Generation) -> None:
    take_in(generation)
    with transaction.atomic():
        if generation.move(State(generation.state), State.SUCCEEDED, ended_at=timezone.now()):
            record(
                "generation.succeed",
                actor=None,
                project=generation.project,
                on=generation,
                made=generation.made,
            )


def _move_model(run: Run) -> Path:
    """Put the model where checkpoints are kept, once."""
    made = run.folder / "model"
    kept = Path(settings.CHECKPOINTS) / f"run-{run.pk}"
    if made.exists():
        home.make(kept.parent, mode=0o700)
        # Half copied, or left by a run of the same number in an earlier database.
        shutil.rmtree(kept, ignore_errors=True)
        shutil.move(made, kept)
    return kept


@transaction.atomic
def _keep_checkpoint(run: Run, folder: Path, weights: Weights) -> None:
    was_cancelled = run.state == State.CANCELLING
    result = _read(run.folder / "result.json", {})
    if not run.move(State(run.state), State.SUCCEEDED, ended_at=timezone.now(), result=result):
        return
    checkpoint = Checkpoint.objects.create(
        project=run.project,
        name=_free_name(run.project, str(run)),
        kind=weights.kind,
        path=str(folder),
        run=run,
        parent=run.base,
        facts={
            "architecture": weights.architecture,
            "parameters": weights.parameters,
            "bytes": weights.size_bytes,
            "result": result,
        },
        smoke=_read(run.folder / "smoke.json", []),
        created_by=run.created_by,
    )
    record(
        "run.succeed",
        actor=None,
        project=run.project,
        on=run,
        checkpoint=checkpoint.name,
        steps=run.step,
    )
    if run.review_after and not was_cancelled:
        _ask_people(checkpoint, run)


def _ask_people(checkpoint: Checkpoint, run: Run) -> None:
    """Open a review of the new checkpoint, where there is something to compare it with."""
    in_force = Promotion.objects.in_force(run.project)
    if in_force is None or checkpoint.kind != Checkpoint.Kind.POLICY:
        return
    try:
        open_review(checkpoint, actor=run.created_by)
    except Refused as refusal:
        record(
            "review.skip",
            actor=None,
            project=run.project,
            on=checkpoint,
            because=str(refusal),
        )


def _free_name(project: Project, name: str) -> str:
    """The name that the run was to have, or the first that is free beside it."""
    taken = set(
        Checkpoint.objects.filter(project=project, name__startswith=name).values_list(
            "name", flat=True
        )
    )
    number, free = 2, name
    while free in taken:
        number, free = number + 1, f"{name}-{number}"
    return free


def _read(file: Path, default: Any) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return default
