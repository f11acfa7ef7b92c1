"""What a place for processes can do. Plain values in and out: no Django, no tables."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path


class State(StrEnum):
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # it ended by itself, with a status other than 0
    LOST = "lost"  # it was killed, or the machine went down: it may be taken up again


class Backend:
    """A place where a process can run in a folder, and be asked about later."""

    label: str

    def start(self, command: list[str], folder: Path, environment: Mapping[str, str]) -> str:
        """Start the command in `folder` and return a handle that outlives this process.

        The process sees this environment and no other. Where one runs in the folder already,
        its handle is returned and nothing is started: whoever died after a start asks again.
        """
        raise NotImplementedError

    def state(self, handle: str, folder: Path) -> State:
        raise NotImplementedError

    def kill(self, handle: str, folder: Path) -> None:
        """End it now, with everything that it started. Harmless when it has ended."""
        raise NotImplementedError

    def exit_status(self, handle: str, folder: Path) -> int | None:
        """What it ended with; 128 and more is a signal. None while that is not known."""
        raise NotImplementedError
