"""Following: see how a process is doing, take up again what was killed, keep what it made.

Whoever follows may be killed at any moment, and any number may follow at once: one looks after
a process at a time, each step is a compare-and-set, and the folder says what really happened.
"""

import logging
from datetime import timedelta
from itertools import chain

from django.conf import settings
from django.db import OperationalError
from django.db.models import F
from django.utils import timezone
from procrastinate import JobContext
from procrastinate.contrib.django import app

from alignment.backends import BACKENDS
from alignment.backends import State as Outcome
from alignment.fail import fail, fail_unforeseen, what_went_wrong
from alignment.keep import keep
from alignment.look_after import look_after
from alignment.metrics import last_line
from alignment.models import Generation, Process, Review, Run, Serving
from alignment.review import advance
from alignment.start import begin, start_next
from alignment.take_in import take_in

log = logging.getLogger(__name__)

State = Process.State
ATTEMPTS = 3  # by themselves; then a person decides


def follow(process: Process) -> None:
    """Bring what we know of a process up to date, and do what its state asks for."""
    if process.state == State.STARTING:
        begin(process)  # whoever began it may have died
    with process.alone() as mine:
        if not mine:
            return
        process.refresh_from_db()
        if process.state not in (State.RUNNING, State.CANCELLING):
            return
        outcome = BACKENDS[process.backend].state(process.handle, process.folder)
        if outcome == Outcome.RUNNING:
            _note_progress(process)
            _insist(process)
        else:
            _end(process, outcome)
    if process.state == State.STARTING:
        begin(process)


def _note_progress(process: Process) -> None:
    line = last_line(process.folder)
    if isinstance(process, Generation):
        take_in(process)
    if line and (line["step"], line["total"]) != (process.step, process.total_steps):
        process.step, process.total_steps = line["step"], line["total"]
        process.save(update_fields=["step", "total_steps"])


def _insist(process: Process) -> None:
    """Who was asked to end and does not is ended."""
    if process.state != State.CANCELLING or process.cancel_asked_at is None:
        return
    grace = timedelta(seconds=settings.CANCEL_GRACE_SECONDS)
    if timezone.now() > process.cancel_asked_at + grace:
        BACKENDS[process.backend].kill(process.handle, process.folder)
        process.move(State.CANCELLING, State.CANCELLED, ended_at=timezone.now())


def _end(process: Process, outcome: Outcome) -> None:
    """Draw the conclusion from how it ended. One that cannot be drawn is a failure, too."""
    try:
        _note_progress(process)
        _conclude(process, outcome)
    except OperationalError:
        raise  # the database was away: whoever follows tries again
    except Exception:
        fail_unforeseen(process)


def _conclude(process: Process, outcome: Outcome) -> None:
    finished = outcome == Outcome.SUCCEEDED and not (process.folder / "cancelled.txt").exists()
    if finished:
        keep(process)
    elif process.state == State.CANCELLING:
        process.move(State.CANCELLING, State.CANCELLED, ended_at=timezone.now())
    elif outcome == Outcome.FAILED:
        fail(process, what_went_wrong(process))
    else:
        _take_up_again(process)


def _take_up_again(process: Process) -> None:
    """It was killed, or the machine went down: go on from its last whole checkpoint."""
    # The shell may have been killed alone: what it started must not write on.
    BACKENDS[process.backend].kill(process.handle, process.folder)
    if process.attempt % ATTEMPTS == 0:
        fail(
            process,
            f"The process was killed {ATTEMPTS} times. The machine may lack memory: see the log, "
            "then resume it or try smaller batches.",
        )
        return
    process.move(State.RUNNING, State.STARTING, attempt=F("attempt") + 1, handle="")


def follow_all() -> None:
    """Follow whatever is under way, start what may start, and bring reviews on."""
    problems: list[Exception] = []
    for process in chain(Run.objects.alive(), Generation.objects.alive()):
        # One that cannot be followed must not keep the others from it.
        try:
            follow(process)
        except Exception as problem:
            problems.append(problem)
    for serving in Serving.objects.alive().select_related("project", "checkpoint", "endpoint"):
        try:
            look_after(serving)
        except Exception as problem:
            problems.append(problem)
    for backend in BACKENDS:
        while start_next(backend):
            pass
    for review in Review.objects.running().select_related("project", "candidate", "baseline"):
        try:
            advance(review)
        except Exception as problem:
            problems.append(problem)
    if problems:
        raise ExceptionGroup("Not everything could be followed.", problems)


# One that was running when its worker died holds nobody up: only waiting jobs are counted here.
@app.periodic(cron="* * * * * */2")
@app.task(queue="runs", queueing_lock="follow_all", pass_context=True)
def follow_all_later(context: JobContext, timestamp: int) -> None:
    try:
        follow_all()
    except ExceptionGroup:
        # Written down, not raised: every two seconds another failed job would be kept for good.
        log.exception("Not everything could be followed.")
