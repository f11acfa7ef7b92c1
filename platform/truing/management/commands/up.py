import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from ctypes import CDLL
from typing import Any

from django.core.management import call_command
from django.db import connection

from truing import command
from truing.errors import Refused
from truing.management.commands.web import check_address

GRACE_SECONDS = 20
# A part that ends is started again, unless it does so over and over.
RESTARTS = 5
WITHIN_SECONDS = 60
SIGNAL_AT_PARENTS_DEATH = 1  # PR_SET_PDEATHSIG


class PartKeepsEnding(Refused):
    """A part keeps ending."""

    status = 500


class Part:
    """The web or the worker: a child process, started again when it ends."""

    def __init__(self, *words: str) -> None:
        self.words = words
        self.starts: list[float] = []
        self.start()

    def start(self) -> None:
        self.starts.append(time.monotonic())
        # In a session of its own: Ctrl-C reaches us, and we end the parts in order.
        self.process = subprocess.Popen(
            [sys.executable, "-m", "truing.cli", *self.words],
            stdout=sys.stderr,
            start_new_session=True,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )

    def look_after(self) -> None:
        status = self.process.poll()
        if status is None:
            return
        recent = [start for start in self.starts if start > time.monotonic() - WITHIN_SECONDS]
        if status == command.BAD_INPUT or len(recent) >= RESTARTS:
            raise PartKeepsEnding(f"“truing {self.words[0]}” ended with status {status}.")
        time.sleep(1)
        self.start()


_libc = CDLL(None) if sys.platform == "linux" else None


def _end_with_parent() -> None:
    """Should we be killed, the parts are told to end."""
    assert _libc is not None
    _libc.prctl(SIGNAL_AT_PARENTS_DEATH, signal.SIGTERM)


class Command(command.Command):
    help = "Run everything in the foreground: database, migrations, web and worker."
    requires_tables = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="Where the web listens.")
        parser.add_argument("--port", type=int, default=8000, help="Where the web listens.")

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        check_address(host, port)
        call_command("migrate", verbosity=0)
        connection.close()
        parts: list[Part] = []
        try:
            for words in (("web", "--host", host, "--port", str(port)), ("worker",)):
                parts.append(Part(*words))
            wait_until_it_listens(parts, host, port)
            self.say(f"Truing is at http://{host}:{port} - Ctrl-C ends it.")
            while True:
                for part in parts:
                    part.look_after()
                time.sleep(0.2)
        except (KeyboardInterrupt, SystemExit):
            pass
        finally:
            end(parts)
        self.done({"web": f"http://{host}:{port}", "ended": True}, "Everything has ended.")


def wait_until_it_listens(parts: list[Part], host: str, port: int) -> None:
    while True:
        for part in parts:
            part.look_after()
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return


def end(parts: list[Part]) -> None:
    """Ask all parts to end, wait, then insist. Whoever asks us again has waited enough."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: kill(parts))
    for part in parts:
        part.process.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    for part in parts:
        try:
            part.process.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            kill([part])
            part.process.wait()


def kill(parts: list[Part]) -> None:
    for part in parts:
        part.process.kill()
