"""Waiting for a process to end, and doing the worker's part where there is no worker."""

import logging
import time
from collections.abc import Callable

from alignment.follow import follow_all
from alignment.models import Process, Review

log = logging.getLogger(__name__)

PAUSE_SECONDS = 0.3
TELL_SECONDS = 5.0

Say = Callable[[str], None]


def follow_on(known: set[str]) -> None:
    """Follow what is under way. What cannot be followed goes to the log, once, and not in the way.

    `known` is what the log has been told already, and grows.
    """
    try:
        follow_all()
    except ExceptionGroup as problems:
        for problem in problems.exceptions:
            if repr(problem) not in known:
                known.add(repr(problem))
                log.error("Not everything could be followed.", exc_info=problem)


def wait_for(process: Process, say: Say) -> None:
    """Until it has ended. Whatever else waits is followed too: it may stand in the way."""
    told, told_at = "", 0.0
    known: set[str] = set()
    while True:
        follow_on(known)
        process.refresh_from_db()
        now = f"{process.state} {process.step}/{process.total_steps or '?'}"
        if now != told and (process.has_ended or time.monotonic() - told_at > TELL_SECONDS):
            say(f"{process}: {now}")
            told, told_at = now, time.monotonic()
        if process.has_ended:
            return
        time.sleep(PAUSE_SECONDS)


def wait_for_outputs(review: Review, say: Say) -> None:
    """Until both checkpoints have answered, and people can be asked."""
    for generation in review.generations.order_by("pk"):
        wait_for(generation, say)
    known: set[str] = set()
    while review.state == Review.State.GENERATING:
        follow_on(known)
        review.refresh_from_db()
        time.sleep(PAUSE_SECONDS)
