"""truing agreement --project P [--queue Q]: how far annotators give the same answers."""

from typing import Any

from django.core.management.base import CommandParser

from annotation.agree import Agreement, agreement
from annotation.named import queue_named
from truing.command import Command as TruingCommand
from truing.named import project_named


class Command(TruingCommand):
    help = "Say how far the annotators of a project or a queue give the same answers."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--project", required=True, help="The project's slug.")
        parser.add_argument("--queue", help="The queue's name; without it, all of them.")

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        queue = queue_named(project, options["queue"]) if options["queue"] else None
        measured = agreement(project, queue)
        self.done(measured.record(), in_words(measured))


def in_words(measured: Agreement) -> str:
    lines = [
        f"{measured.annotations:,} answers of {measured.annotators:,} annotators "
        f"to {measured.tasks:,} tasks",
        f"alpha, nominal      {_number(measured.alpha_nominal)}",
        f"alpha, ordinal      {_number(measured.alpha_ordinal)}",
        f"per cent agreement  {_number(measured.percent_agreement, 1)}",
    ]
    lines += [
        f"kappa, {pair.replace('|', ' and ')}: {_number(kappa)}"
        for pair, kappa in measured.cohen_kappa.items()
    ]
    return "\n".join(lines)


def _number(value: float | None, digits: int = 4) -> str:
    return "not defined" if value is None else f"{value:.{digits}f}"
