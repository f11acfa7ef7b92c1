"""Take an uploaded file in, in the background, and say how far it is."""

import json
from io import TextIOWrapper

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from annotation.intake import Problem, Report, import_file
from annotation.models import Import
from truing.audit import record
from truing.errors import Refused
from truing.models import User
from truing.storage import room_or_refusal

State = Import.State
SHOWN_PROBLEMS = 100  # the others are in the file of refused lines


class NotWaiting(Refused):
    """This file is on its way already, or has come in."""


class Cancelled(Refused):
    """The import was cancelled. What had come in before stays."""


@transaction.atomic
def start_import(one: Import, *, actor: User | None) -> Import:
    """Say yes to an uploaded file: it comes in in the background."""
    if not one.move(State.UPLOADED, State.WAITING):
        raise NotWaiting
    record("import.start", actor=actor, project=one.project, on=one)
    # A row in this transaction: both happen, or neither.
    import_later.defer(import_id=one.pk)
    return one


@transaction.atomic
def cancel_import(one: Import, *, actor: User | None) -> Import:
    """Forget a file that waits, or end an import after the batch that it is at."""
    ended = {"ended_at": timezone.now()}
    if any(one.move(state, State.CANCELLED, **ended) for state in (State.UPLOADED, State.WAITING)):
        transaction.on_commit(lambda: one.file.unlink(missing_ok=True))
    elif Import.objects.filter(pk=one.pk, state=State.RUNNING).update(cancel_asked=True):
        one.refresh_from_db()
    else:
        return one
    record("import.cancel", actor=actor, project=one.project, on=one)
    return one


def run_import(one: Import) -> None:
    """Take the file in. After a crash it starts over: what had come in is known by its ids."""
    if not one.move(State.WAITING, State.RUNNING) and one.state != State.RUNNING:
        return
    try:
        with room_or_refusal(), one.refusals_file.open("w", encoding="utf-8") as refusals:
            report = _take_in(one, refusals)
    except Cancelled as ending:
        _end(one, State.CANCELLED, problem=str(ending))
    except Refused as refusal:
        _end(one, State.FAILED, problem=str(refusal))
    except Exception:
        _end(one, State.FAILED, problem="Something went wrong here; the server's log says what.")
        raise
    else:
        _save(one, report)
        _end(one, State.DONE)


@app.task(queue="imports")
def import_later(*, import_id: int) -> None:
    one = Import.objects.select_related("project", "queue", "created_by").get(pk=import_id)
    run_import(one)


def _take_in(one: Import, refusals: TextIOWrapper) -> Report:
    def refused(problem: Problem) -> None:
        refusals.write(json.dumps(vars(problem), ensure_ascii=False) + "\n")

    def progress(report: Report) -> None:
        _save(one, report)
        if Import.objects.filter(pk=one.pk, cancel_asked=True).exists():
            raise Cancelled

    return import_file(
        one.project,
        one.file,
        format=one.format,
        queue=one.queue,
        actor=one.created_by,
        progress=progress,
        refused=refused,
    )


def _save(one: Import, report: Report) -> None:
    shown = report.record()
    shown["problems"] = shown["problems"][:SHOWN_PROBLEMS]
    Import.objects.filter(pk=one.pk).update(report=shown, bytes_read=report.bytes_read)


def _end(one: Import, state: str, *, problem: str = "") -> None:
    if one.move(State.RUNNING, state, problem=problem, ended_at=timezone.now()):
        one.file.unlink(missing_ok=True)
