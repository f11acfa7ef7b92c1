"""The database out of the box: started by the first who needs it, stopped by the last who leaves.

Whoever uses it holds a shared file lock for as long as the process lives. The kernel drops the
lock of a process that is killed, so nobody is counted who is not there: whoever ends and finds
the lock free stops the server. What a killed process leaves running, the next one uses and stops.
"""

import atexit
import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psutil

from truing.embedded import server
from truing.embedded.place import socket_folder
from truing.home import folder

NAME = "truing"


def is_in_use() -> bool:
    """Whether there is no other database."""
    return not os.environ.get("DATABASE_URL")


def database_settings() -> dict[str, Any]:
    """What Django's settings need to know about the database. Starts nothing."""
    if not is_in_use():
        given = _read(os.environ["DATABASE_URL"])
        given["OPTIONS"] = {**_OPTIONS, **given["OPTIONS"]}
        return {"ENGINE": "truing.given_database", **given, **_KEPT_OPEN}
    return {
        "ENGINE": "truing.embedded",  # its base.py starts the server with the first connection
        "HOST": str(socket_folder()),
        "USER": server.OWNER,
        "NAME": NAME,
        "OPTIONS": _OPTIONS,
        **_KEPT_OPEN,
    }


# A web thread keeps its connection, and notices by itself when the server was restarted.
_KEPT_OPEN = {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}
# A statement of `truing.prepared` is planned once on a connection, from its third time on.
_OPTIONS = {"prepare_threshold": 3}


def _read(url: str) -> dict[str, Any]:
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        if not url.startswith(("postgresql://", "postgres://")):
            raise ProgrammingError
        given = conninfo_to_dict(url)
        if not str(given.get("port") or "0").replace(",", "").isdigit():
            raise ProgrammingError
    except ProgrammingError:
        raise SystemExit(
            "DATABASE_URL must read like postgresql://user:password@host:5432/name."
        ) from None
    if not given.get("dbname"):
        raise SystemExit("DATABASE_URL names no database: postgresql://user@host:5432/name.")
    return {
        "NAME": given.pop("dbname"),
        "USER": given.pop("user", ""),
        "PASSWORD": given.pop("password", ""),
        "HOST": given.pop("host", ""),
        "PORT": given.pop("port", ""),
        "OPTIONS": given,
    }


class _Hold:
    """What this process holds."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.file: int | None = None
        self.server: psutil.Process | None = None


_hold = _Hold()


def hold() -> None:
    """Have the server running for as long as this process lives. Cheap when it does already."""
    with _hold.lock:
        if _hold.file is not None and server.is_alive(_hold.server):
            return
        with _one_at_a_time():
            if _hold.file is None:
                # Waits for nobody: the exclusive lock is only asked for in `release`, by one
                # process at a time, and given back at once.
                _hold.file = _open("holders")
                fcntl.flock(_hold.file, fcntl.LOCK_SH)
                atexit.register(release)
            _hold.server = server.start(NAME)


def release() -> None:
    """Let go of the server, and stop it if nobody else holds it."""
    with _hold.lock:
        if _hold.file is None:
            return
        with _one_at_a_time():
            file, _hold.file = _hold.file, None
            with suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                server.stop()
            os.close(file)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Among all processes: nobody starts the server while somebody stops it."""
    file = _open("starting")
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def _open(name: str) -> int:
    # Not inherited by programs that we start: a training outlives its worker and must not hold.
    return os.open(folder("locks") / name, os.O_RDWR | os.O_CREAT, 0o600)


def _forget() -> None:
    """A forked child holds nothing: it opens its own hold with its first connection."""
    global _hold
    if _hold.file is not None:
        os.close(_hold.file)
    _hold = _Hold()


os.register_at_fork(after_in_child=_forget)
