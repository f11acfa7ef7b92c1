"""Failing: the process ends with one sentence for the person who asked for it."""

import errno
import logging
import shutil
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from alignment.backends import BACKENDS
from alignment.models import Process
from truing.audit import record

log = logging.getLogger(__name__)

UNFORESEEN = "Something went wrong here that nobody foresaw; the server's log says what."
FULL = "The disk is full: make room, then resume it. Its earlier checkpoints are still there."
FULL_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NEARLY_FULL_BYTES = 1_000_000
SENTENCE_LENGTH = 1000


def fail(process: Process, problem: Exception | str) -> None:
    """Record that it failed, and why."""
    if isinstance(problem, OSError):
        problem = FULL if problem.errno in FULL_ERRORS else f"{problem.strerror or problem}."
    sentence = without_paths(str(problem), process).strip().replace("\x00", "")[:SENTENCE_LENGTH]
    with transaction.atomic():
        if process.move(
            Process.State(process.state),
            Process.State.FAILED,
            problem=sentence,
            ended_at=timezone.now(),
        ):
            kind = process._meta.model_name
            record(
                f"{kind}.fail", actor=None, project=process.project, on=process, problem=sentence
            )


def without_paths(sentence: str, process: Process) -> str:
    """Models by their names: where they lie on this machine is nothing for everybody's eyes."""
    for model in process.reads:
        if not model.is_on_hub:
            sentence = sentence.replace(str(model.folder), f"“{model.name}”")
    return sentence.replace(f"{process.folder}/", "")


def fail_unforeseen(process: Process) -> None:
    """Record that it failed through an error of ours, which goes to the log of the server.

    For whoever caught the error: left as it is, the process would hold its slot for ever.
    """
    log.exception("%s of %s failed.", process, process.project)
    # What was rolled back has left its traces in the object.
    process.refresh_from_db()
    fail(process, UNFORESEEN)


def what_went_wrong(process: Process) -> str:
    """The sentence that the process left, or the best that can be said without one."""
    folder = process.folder
    left = folder / "problem.txt"
    if left.exists() and (sentence := left.read_text("utf-8", "replace").strip()):
        return sentence
    if _disk_is_full(folder):
        return FULL
    status = BACKENDS[process.backend].exit_status(process.handle, folder)
    return f"The process ended with status {status}. The end of its log may say why."


def _disk_is_full(folder: Path) -> bool:
    log = folder / "log.txt"
    said = log.read_bytes()[-4096:] if log.exists() else b""
    return b"No space left on device" in said or shutil.disk_usage(folder).free < NEARLY_FULL_BYTES
