"""truing train METHOD --project P --dataset VERSION [--base CHECKPOINT]: queue a training run."""

from collections.abc import Iterable
from typing import Any

from django.core.management.base import CommandParser

from alignment.launch import launch
from alignment.methods import METHODS
from alignment.models import Run
from alignment.named import checkpoint_named
from alignment.wait import wait_for
from annotation.named import version_named
from truing.command import Command as TruingCommand
from truing.errors import Invalid, Refused
from truing.named import project_named


class RunFailed(Refused):
    """The run failed."""


class Command(TruingCommand):
    help = "Train a model on a dataset version."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("method", help=f"One of: {', '.join(METHODS)}.")
        parser.add_argument("--project", required=True, help="The project's slug.")
        parser.add_argument(
            "--dataset", required=True, action="append", help="For instance demo/first@1."
        )
        parser.add_argument("--base", help="The checkpoint to start from, by name or number.")
        parser.add_argument("--reward", help="The reward model, where the method asks one.")
        parser.add_argument(
            "--set", action="append", default=[], metavar="KEY=VALUE", help="An option."
        )
        parser.add_argument("--backend", default="local", help="Where it runs.")
        parser.add_argument("--name", default="", help="What its checkpoint will be called.")
        parser.add_argument("--wait", action="store_true", help="Stay until it has ended.")
        parser.add_argument(
            "--no-review", action="store_true", help="Do not ask people when it has ended."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        run = launch(
            project,
            method=options["method"],
            datasets=[version_named(name) for name in options["dataset"]],
            base=checkpoint_named(project, options["base"]) if options["base"] else None,
            reward=checkpoint_named(project, options["reward"]) if options["reward"] else None,
            options=values_of(options["set"]),
            name=options["name"],
            backend=options["backend"],
            review_after=not options["no_review"],
            actor=None,
        )
        if options["wait"]:
            self.say(f"Run {run.pk}: {run}")
            wait_for(run, self.say)
            if run.state != Run.State.SUCCEEDED:
                raise RunFailed(f"Run {run.pk} {run.state}. {run.problem}".strip())
        self.done(record_of_run(run), f"Run {run.pk}, {run}: {run.state}")


def values_of(settings: Iterable[str]) -> dict[str, str]:
    """The options of --set, as text; what they mean is the method's to say."""
    values = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name:
            raise Invalid(f"Write an option as KEY=VALUE, not “{setting}”.")
        values[name.strip()] = value
    return values


def record_of_run(run: Run) -> dict[str, Any]:
    """What commands say of a run."""
    checkpoint = getattr(run, "checkpoint", None)
    return {
        "run": run.pk,
        "name": str(run),
        "method": run.method,
        "state": run.state,
        "attempt": run.attempt,
        "step": run.step,
        "total_steps": run.total_steps,
        "problem": run.problem,
        "result": run.result,
        "checkpoint": checkpoint.name if checkpoint else None,
        "path": checkpoint.path if checkpoint else None,
    }
