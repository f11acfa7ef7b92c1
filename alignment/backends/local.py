"""Processes on this machine: each in a session of its own, so that it outlives whoever started it.

A small shell stands between us and the command, writes down who it is and how the command ended,
and keeps a lock on the folder for as long as anything runs in it. A process is known by its
number, the moment of its start and the boot of the machine: numbers alone are used again.
"""

import fcntl
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil

from alignment.backends.base import Backend, State

# Room for the exit status is taken before the start: on a full disk it can still be written.
SCRIPT = """\
echo $$ >pid.part && mv pid.part pid.txt
printf '    ' >exit.part
{command} >>log.txt 2>&1 </dev/null
printf '%-4d' $? 1<>exit.part && mv exit.part exit.txt
"""
SIGNAL = 128  # a shell adds the signal's number to it
MARK = "TRUING_FOLDER"  # in the environment of all that belongs to a folder
PATIENCE_SECONDS = 5.0


class Local(Backend):
    label = "This machine"

    def start(self, command: list[str], folder: Path, environment: Mapping[str, str]) -> str:
        with (folder / "process.lock").open("a") as lock:
            if there := self._already_there(lock, folder):
                return there
            for name in ("pid.txt", "exit.txt", "exit.part"):
                (folder / name).unlink(missing_ok=True)
            # A trainer leaves the machine to the people who use it at the same time.
            script = SCRIPT.format(command=shlex.join(["nice", "-n", "5", *command]))
            process = subprocess.Popen(
                ["/bin/sh", "-c", script],
                cwd=folder,
                env={**environment, MARK: str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=[lock.fileno()],  # the lock is free when the last of them has ended
            )
            return _handle_of(process.pid)

    def _already_there(self, lock: IO[str], folder: Path) -> str:
        """The handle of what runs in the folder; nothing when the lock is ours."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return ""
            except BlockingIOError:
                handle = _handle_in(folder)
            has_ended = (folder / "exit.txt").exists()
            if handle and not has_ended and _lives(handle):
                return handle
            # Another has just started it and not yet said who it is; or it has ended or was
            # killed, and the kernel has not yet let go of the lock.
            if handle and time.monotonic() > deadline:
                return handle
            if time.monotonic() > deadline:
                raise TimeoutError(f"Something runs in {folder}, and does not say what it is.")
            time.sleep(0.01)

    def state(self, handle: str, folder: Path) -> State:
        # Whether it lives is asked first: it may write the status and end between two questions.
        lives = _lives(handle)
        status = self.exit_status(handle, folder)
        if status is not None:
            if status == 0:
                return State.SUCCEEDED
            return State.LOST if status >= SIGNAL else State.FAILED
        return State.RUNNING if lives else State.LOST

    def kill(self, handle: str, folder: Path) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + PATIENCE_SECONDS
            while members := list(_members(handle, folder)):
                for member in members:
                    with suppress(psutil.NoSuchProcess):
                        member.send_signal(number)
                if time.monotonic() > deadline:
                    break
                psutil.wait_procs(members, timeout=0.2)
            else:
                return

    def exit_status(self, handle: str, folder: Path) -> int | None:
        try:
            return int((folder / "exit.txt").read_text())
        except (FileNotFoundError, ValueError):
            return None


def _handle_in(folder: Path) -> str:
    with suppress(OSError, ValueError):
        return _handle_of(int((folder / "pid.txt").read_text()))
    return ""


def _handle_of(number: int) -> str:
    return f"{number}:{_started(number)}:{_boot()}"


def _started(number: int) -> str:
    """The moment of its start, in the kernel's own count, which no clock change moves."""
    with suppress(OSError):
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[19]
    with suppress(psutil.NoSuchProcess):  # where there is no /proc
        return f"{psutil.Process(number).create_time():.2f}"
    return "ended"


def _boot() -> str:
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
    return f"{psutil.boot_time():.0f}"


def _lives(handle: str) -> bool:
    number, started, boot = handle.split(":")
    if boot != _boot() or started != _started(int(number)):
        return False
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(int(number)).status() != psutil.STATUS_ZOMBIE
    return False


def _members(handle: str, folder: Path) -> Iterator[psutil.Process]:
    """What still runs of it: the shell's session, and only what bears the folder's mark."""
    leader = int(handle.split(":")[0])
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if os.getsid(process.pid) != leader or process.status() == psutil.STATUS_ZOMBIE:
                continue
            if process.environ().get(MARK) == str(folder):
                yield process
