"""Cancelling: first it is asked, and saves a checkpoint; whoever follows it insists later."""

from django.db import transaction
from django.utils import timezone

from alignment.models import Process
from truing.audit import record
from truing.errors import Refused
from truing.models import User

State = Process.State


class HasEnded(Refused):
    """It has ended already."""


@transaction.atomic
def cancel(process: Process, *, actor: User | None) -> None:
    """Ask a process to end. One that waits does so at once."""
    # It may start this very moment: with the row locked, either we see it, or it sees us.
    now = type(process)._default_manager.select_for_update().get(pk=process.pk)
    if now.has_ended:
        raise HasEnded(f"It has ended already: it is {now.state}.")
    if now.state == State.CANCELLING:
        process.refresh_from_db()
        return
    asked = {"cancel_asked_at": timezone.now()}
    if now.state == State.QUEUED:
        now.move(State.QUEUED, State.CANCELLED, ended_at=timezone.now(), **asked)
    elif now.state == State.STARTING:
        now.move(State.STARTING, State.STARTING, **asked)
    else:
        (now.folder / "cancel").touch()
        now.move(State.RUNNING, State.CANCELLING, **asked)
    kind = now._meta.model_name
    record(f"{kind}.cancel", actor=actor, project=now.project, on=now, step=now.step)
    process.refresh_from_db()
