"""truing serve CHECKPOINT --project P [--stop | --status]: let a checkpoint answer requests."""

import time
from typing import Any

from django.core.management.base import CommandParser

from alignment.look_after import look_after
from alignment.models import Serving
from alignment.named import checkpoint_named
from alignment.serve import serve, stop_serving
from truing.command import Command as TruingCommand
from truing.errors import Refused
from truing.named import project_named

PAUSE_SECONDS = 0.3


class ServingFailed(Refused):
    """The checkpoint cannot be served."""


class Command(TruingCommand):
    help = "Serve a checkpoint as an endpoint, until it is stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("checkpoint", help="By name or number.")
        parser.add_argument("--project", required=True, help="The project's slug.")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--stop", action="store_true", help="Stop serving it.")
        what.add_argument("--status", action="store_true", help="Only say how it is.")
        parser.add_argument(
            "--no-wait", action="store_true", help="Do not stay until it answers, or has ended."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        checkpoint = checkpoint_named(project_named(options["project"]), options["checkpoint"])
        if options["status"]:
            newest = checkpoint.servings.select_related("endpoint").order_by("-pk").first()
            if newest and not newest.has_ended:
                look_after(newest)
                newest.refresh_from_db()
            self._say(newest, f"{checkpoint} is not being served.")
            return
        if options["stop"]:
            serving = stop_serving(checkpoint, actor=None)
        else:
            serving = serve(checkpoint, actor=None)
        if not options["no_wait"]:
            self._wait(serving, until_ended=options["stop"])
        self._say(serving, "")

    def _wait(self, serving: Serving, *, until_ended: bool) -> None:
        # There may be no worker; where there is one, one of the two looks after it at a time.
        while not serving.has_ended and (until_ended or not serving.answers):
            look_after(serving)
            serving.refresh_from_db()
            time.sleep(PAUSE_SECONDS)
        if serving.state == Serving.State.FAILED and not until_ended:
            raise ServingFailed(serving.problem)

    def _say(self, serving: Serving | None, otherwise: str) -> None:
        if serving is None:
            self.done({"serving": None, "state": "stopped"}, otherwise)
            return
        endpoint = serving.endpoint
        self.done(
            {
                "serving": serving.pk,
                "checkpoint": serving.checkpoint.name,
                "state": serving.words,
                "answers": serving.answers,
                "endpoint": endpoint.name if endpoint else None,
                "base_url": endpoint.base_url if endpoint and serving.answers else None,
                "model": endpoint.model if endpoint else None,
                "problem": serving.problem,
            },
            f"{serving.checkpoint}: {serving.words}"
            + (f" at {endpoint.base_url}" if endpoint and serving.answers else ""),
        )
