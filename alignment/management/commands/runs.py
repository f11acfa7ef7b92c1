"""truing runs [cancel|resume ID]: what is trained, or was."""

from typing import Any

from django.core.management.base import CommandParser

from alignment.cancel import cancel
from alignment.management.commands.train import record_of_run
from alignment.models import Run
from alignment.named import run_numbered
from alignment.resume import resume
from truing.command import Command as TruingCommand
from truing.errors import Invalid
from truing.named import project_named

SHOWN = 50
VERBS = {"cancel": cancel, "resume": resume}


class Command(TruingCommand):
    help = "List the runs, or cancel or resume one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", nargs="?", choices=["list", *VERBS], default="list")
        parser.add_argument("run", nargs="?", type=int, help="The run's number.")
        parser.add_argument("--project", help="Only the runs of this project.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "list":
            self.show(options["project"])
            return
        if options["run"] is None:
            raise Invalid(f"Say which run to {options['verb']}, by its number.")
        run = run_numbered(options["run"])
        VERBS[options["verb"]](run, actor=None)
        self.done(record_of_run(run), f"Run {run.pk}, {run}: {run.state}")

    def show(self, slug: str | None) -> None:
        runs = Run.objects.select_related("checkpoint").order_by("-pk")
        if slug:
            runs = runs.filter(project=project_named(slug))
        found = list(runs[:SHOWN])
        lines = [
            f"{run.pk:>5}  {run.state:<11}{run.step:>7}/{run.total_steps:<7}{run.method:<10}{run}"
            f"{'  ' + run.problem if run.problem else ''}"
            for run in found
        ]
        self.done(
            {"runs": [record_of_run(run) for run in found]}, "\n".join(lines) or "No runs yet."
        )
