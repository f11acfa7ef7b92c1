"""The server itself: made, started, found and stopped. Whoever calls holds the lock."""

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from truing.embedded.place import DatabaseUnavailable, Place, make_place
from truing.home import folder, home

OWNER = "truing"
# A start after a crash replays the log first, and may take its time.
START_SECONDS = 300
STOP_SECONDS = 60
LONGEST_LOG = 10 * 1024 * 1024
# No TCP, nobody but the folder's owner on the socket, and nothing that weakens durability.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "jit": "off",
    # A new database grows fast from nothing, and plans made for nothing would stay a minute.
    "autovacuum_naptime": "10s",
}


def start(database: str) -> psutil.Process:
    """Start the server unless it runs; answers its process once it takes connections."""
    place = make_place()
    if not (place.data / "PG_VERSION").exists():
        _make_data(place)
    deadline = time.monotonic() + START_SECONDS
    started = False
    while time.monotonic() < deadline:
        if not _runs():
            if started:
                break
            # What a killed server left; its number can be another process by now.
            for stale in (place.data / "postmaster.pid", place.socket / ".s.PGSQL.5432.lock"):
                stale.unlink(missing_ok=True)
            _run(place)
            started = True
        elif (process := _postmaster(place.data)) and _answers(place, database):
            return process
        time.sleep(0.05)
    raise DatabaseUnavailable(f"The database does not start: {_last_line(place.log)}")


def stop() -> None:
    """Stop the server in order: open sessions are ended, what was committed is kept."""
    process = _postmaster(home() / "database" / "data")
    if process is None or not _runs():
        return
    for order in (signal.SIGINT, signal.SIGQUIT):  # fast, then immediate
        with suppress(psutil.NoSuchProcess):
            process.send_signal(order)
        with suppress(psutil.TimeoutExpired):
            process.wait(STOP_SECONDS)
            return


def is_alive(process: psutil.Process | None) -> bool:
    """Whether the server that was started is still there; asked with every new connection."""
    try:
        return process is not None and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _running_lock() -> int:
    return os.open(folder("locks") / "running", os.O_RDWR | os.O_CREAT, 0o600)


def _runs() -> bool:
    """Whether any process of the server is left: they inherit a lock, and only they hold it.

    So a session that outlives a killed server counts, and no other process is taken for it.
    """
    file = _running_lock()
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def _make_data(place: Place) -> None:
    # Made beside and renamed when whole: a start that is killed leaves no half of a database.
    draft = place.folder / "data.new"
    command = [
        str(place.programs / "initdb"),
        f"--pgdata={draft}",
        f"--username={OWNER}",
        "--auth=trust",  # the socket's folder is closed to everybody else
        "--encoding=UTF8",
        "--locale=C",
        # Letters beyond ASCII have two cases here, and sort the same on every machine.
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--no-instructions",
    ]
    with _inherited_lock() as lock, _said_in_a_sentence():
        # Holding the lock, we know that the maker begun by a killed start has ended too.
        shutil.rmtree(draft, ignore_errors=True)
        place.make(draft)
        options = place.process_options() | {"pass_fds": [lock]}
        made = subprocess.run(command, capture_output=True, text=True, **options)
    if made.returncode:
        reason = (made.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise DatabaseUnavailable(f"The database cannot be made in {place.folder}: {reason}")
    draft.rename(place.data)


def _run(place: Place) -> None:
    settings = SETTINGS | {"unix_socket_directories": f'"{place.socket}"'}
    if place.log.exists() and place.log.stat().st_size > LONGEST_LOG:
        place.log.replace(place.log.with_name("log.old"))
    command = [
        str(place.programs / "postgres"),
        "-D",
        str(place.data),
        *(word for key, value in settings.items() for word in ("-c", f"{key}={value}")),
    ]
    with (
        place.log.open("ab") as log,
        _inherited_lock() as lock,
        _said_in_a_sentence(),
    ):
        # In a session of its own: Ctrl-C in our terminal ends it through us, in order.
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[lock],
            **place.process_options(),
        )


@contextmanager
def _inherited_lock() -> Iterator[int]:
    """A lock to pass on: whoever got it holds it on when we have closed it."""
    lock = _running_lock()
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock
    finally:
        os.close(lock)


@contextmanager
def _said_in_a_sentence() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        reason = f"PostgreSQL cannot be started here: {problem.strerror}. Set DATABASE_URL."
        raise DatabaseUnavailable(reason) from None


def _postmaster(data: Path) -> psutil.Process | None:
    """The server, once it says in its file that it takes connections."""
    data = data.resolve()
    try:
        number, *_, state = (data / "postmaster.pid").read_text().splitlines()
        process = psutil.Process(int(number))
        if state.strip() == "ready" and str(data) in process.cmdline():
            return process
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        pass
    return None


def _answers(place: Place, database: str) -> bool:
    """Whether it takes connections; makes the database the first time it does."""
    where = make_conninfo(host=str(place.socket), user=OWNER, dbname="postgres")
    try:
        connection = psycopg.connect(where, autocommit=True)
    except psycopg.OperationalError:
        return False
    with connection:
        known = "SELECT 1 FROM pg_database WHERE datname = %s"
        if not connection.execute(known, [database]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
    return True


def _last_line(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 4096))
            lines = file.read().decode(errors="replace").strip().splitlines()
    except FileNotFoundError:
        return "it left no log."
    return lines[-1] if lines else "it left no log."
