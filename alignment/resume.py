"""Resuming: a run that failed or was cancelled goes on from its last whole checkpoint."""

from django.db import transaction

from alignment.launch import problem_with_files
from alignment.models import Process
from alignment.start import start_later
from truing.audit import record
from truing.errors import Refused
from truing.models import User

State = Process.State


class CannotResume(Refused):
    """Only what has failed or was cancelled can be resumed."""


@transaction.atomic
def resume(process: Process, *, actor: User | None) -> None:
    """Queue it again. It goes on where its last whole checkpoint is, or begins anew."""
    now = type(process)._default_manager.select_for_update().get(pk=process.pk)
    if now.state not in (State.FAILED, State.CANCELLED):
        raise CannotResume(
            f"Only what has failed or was cancelled can be resumed: this is {now.state}."
        )
    for model in now.reads:
        if problem := problem_with_files(model):
            raise CannotResume(problem)
    for name in ("cancel", "cancelled.txt", "problem.txt", "exit.txt"):
        (now.folder / name).unlink(missing_ok=True)
    now.move(
        State(now.state),
        State.QUEUED,
        problem="",
        handle="",
        ended_at=None,
        cancel_asked_at=None,
    )
    kind = now._meta.model_name
    record(f"{kind}.resume", actor=actor, project=now.project, on=now, step=now.step)
    start_later.defer(backend=now.backend)
    process.refresh_from_db()
