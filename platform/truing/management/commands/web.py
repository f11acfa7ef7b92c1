import os
import socket
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from gunicorn.app.base import BaseApplication

from truing import command
from truing.errors import Invalid
from truing.turns import Worker

MOST_PROCESSES = 4


class CannotListen(Invalid):
    """The web cannot listen there."""


class Web(BaseApplication):
    """Gunicorn with threads that take turns; each keeps a connection."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return get_wsgi_application()


class Command(command.Command):
    help = "Serve the pages and the API."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="Where to listen.")
        parser.add_argument("--port", type=int, default=8000, help="Where to listen.")
        parser.add_argument(
            "--processes",
            type=int,
            default=min(MOST_PROCESSES, os.cpu_count() or 1),
            help="How many processes; one a core, up to four, unless told otherwise.",
        )
        parser.add_argument("--threads", type=int, default=8, help="Threads of each process.")

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        if min(options["processes"], options["threads"]) < 1:
            raise Invalid("At least one process with one thread is needed.")
        check_address(host, port)
        settings.CHAT_STREAMS = streams_beside(options["threads"])
        # The processes to come must not share this connection. The hold on the server stays.
        connection.close()
        self.say(f"Serving on http://{host}:{port}")
        Web(
            {
                "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
                "workers": options["processes"],
                "threads": options["threads"],
                "worker_class": Worker,
                "timeout": 120,
                "graceful_timeout": 5,
                # A page at the desk asks again and again, each time on the same connection.
                "keepalive": 75,
                "loglevel": "warning",
                "control_socket_disable": True,
            }
        ).run()


def streams_beside(threads: int) -> int:
    """How many chats a process answers at a time: half of its threads are there for the rest."""
    return max(1, min(settings.CHAT_STREAMS, threads // 2))


def check_address(host: str, port: int) -> None:
    """Say in one sentence what gunicorn would try five times and tell in ten lines."""
    if not 0 < port < 65536:
        raise CannotListen(f"The web cannot listen on port {port}: ports are 1 to 65535.")
    try:
        family, kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as problem:
        reason = f"The web cannot listen on {host}:{port}: {problem.strerror}."
        raise CannotListen(reason) from None
