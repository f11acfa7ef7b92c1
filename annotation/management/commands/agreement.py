"""truing agreement --project P [--queue Q] [--aggregator A]: how far annotators say the same.

With --json it also says how reliable each of them is.
"""

from typing import Any

from django.core.management.base import CommandParser

from annotation.accuracy import Accuracy, accuracy_of
from annotation.aggregators import AGGREGATORS
from annotation.agree import Agreement, agreement
from annotation.named import queue_named
from annotation.reliability import by_name, reliability_of
from truing.command import Command as TruingCommand
from truing.named import project_named


class Command(TruingCommand):
    help = "Say how far the annotators of a project or a queue give the same answers."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--project", required=True, help="The project's slug.")
        parser.add_argument("--queue", help="The queue's name; without it, all of them.")
        parser.add_argument(
            "--aggregator",
            help="Also merge the answers, and compare them with the known ones: "
            f"{', '.join(AGGREGATORS)}.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        queue = queue_named(project, options["queue"]) if options["queue"] else None
        measured = agreement(project, queue)
        result, text = measured.record(), in_words(measured)
        if options["aggregator"]:
            merged = accuracy_of(project, options["aggregator"], queue)
            result["merged"] = merged.record()
            text += f"\n{merged_in_words(merged)}"
        if self.json:
            result["reliability"] = by_name(reliability_of(project, queue))
        self.done(result, text)


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


def merged_in_words(merged: Accuracy) -> str:
    text = (
        f"{merged.aggregator} decides {merged.decided:,} of {merged.questions:,} answered questions"
    )
    if not merged.gold:
        return f"{text}; the right answer is known of none"
    return f"{text}, and is right on {merged.right:,} of {merged.gold:,} whose answer is known"


def _number(value: float | None, digits: int = 4) -> str:
    return "not defined" if value is None else f"{value:.{digits}f}"
