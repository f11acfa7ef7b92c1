"""Starting what waits: one at a time where a backend has one slot, the oldest first."""

import sys
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone
from procrastinate.contrib.django import app

import alignment
import truing
from alignment.backends import BACKENDS
from alignment.backends.environment import environment
from alignment.fail import fail, fail_unforeseen
from alignment.models import Generation, Process, Run
from alignment.pack import pack
from truing.errors import Refused

State = Process.State


def start_next(backend: str) -> Process | None:
    """Start the oldest that waits, if the backend has a free slot for it."""
    with transaction.atomic():
        _lock(backend)
        process = _oldest_waiting(backend) if _has_free_slot(backend) else None
        if process is None or not process.move(
            State.QUEUED, State.STARTING, attempt=F("attempt") + 1, started_at=timezone.now()
        ):
            return None
    begin(process)
    return process


def begin(process: Process) -> None:
    """Pack the folder and start the process. Whoever finds it half begun may do this again."""
    with process.alone() as mine:
        if not mine:
            return
        process.refresh_from_db()
        if process.state != State.STARTING:
            return
        if process.cancel_asked_at:
            process.move(State.STARTING, State.CANCELLED, ended_at=timezone.now())
            return
        try:
            pack(process)
            handle = BACKENDS[process.backend].start(
                [sys.executable, "-P", "-m", process.program, str(process.folder)],
                process.folder,
                _environment(process),
            )
        except (Refused, OSError) as problem:
            fail(process, problem)
            return
        except OperationalError:
            raise  # the database was away: whoever follows tries again
        except Exception:
            fail_unforeseen(process)
            return
        process.move(State.STARTING, State.RUNNING, handle=handle)
        # Somebody who asked for the end meanwhile saw it starting.
        if process.cancel_asked_at:
            (process.folder / "cancel").touch()
            process.move(State.RUNNING, State.CANCELLING)


def _lock(backend: str) -> None:
    # Two workers must not each see the one free slot: lock what you count.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"slots of {backend}"])


def _has_free_slot(backend: str) -> bool:
    slots = settings.SLOTS.get(backend)
    if slots is None:
        return True
    taken = sum(kind.objects.alive().filter(backend=backend).count() for kind in (Run, Generation))
    return taken < slots


def _oldest_waiting(backend: str) -> Process | None:
    def age(process: Process) -> datetime:
        return process.created_at

    found = [kind.objects.waiting().filter(backend=backend).first() for kind in (Run, Generation)]
    return min((process for process in found if process), key=age, default=None)


def _environment(process: Process) -> dict[str, str]:
    code = {Path(module.__path__[0]).parent: None for module in (alignment, truing)}
    return environment(
        code=code,
        cache=settings.TRUING_HOME / "huggingface",
        online=settings.ALLOW_HUB and any(model.is_on_hub for model in process.reads),
    )


@app.task(queue="runs")
def start_later(*, backend: str) -> None:
    while start_next(backend):
        pass
