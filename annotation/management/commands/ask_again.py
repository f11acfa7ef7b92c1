"""truing ask_again --project P --queue Q --guideline N [--or-earlier] [--why W] [--dry-run]."""

from typing import Any

from django.core.management.base import CommandParser

from annotation.ask_guideline_again import ask_guideline_again
from annotation.named import queue_named
from truing.command import Command as TruingCommand
from truing.named import project_named


class Command(TruingCommand):
    help = "Ask again what was answered under an earlier guideline of a queue."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--project", required=True, help="The project's slug.")
        parser.add_argument("--queue", required=True, help="The queue's name.")
        parser.add_argument("--guideline", required=True, type=int, help="Its number.")
        parser.add_argument("--or-earlier", action="store_true", help="And under those before it.")
        parser.add_argument("--why", default="", help="For the audit log.")
        parser.add_argument("--dry-run", action="store_true", help="Only count.")

    def handle(self, *args: Any, **options: Any) -> None:
        queue = queue_named(project_named(options["project"]), options["queue"])
        found = ask_guideline_again(
            queue,
            options["guideline"],
            or_earlier=options["or_earlier"],
            why=options["why"],
            dry_run=options["dry_run"],
            actor=None,
        )
        done = "would be asked" if options["dry_run"] else "are asked"
        result = {"tasks": found.tasks, "slots": found.slots, "answers": found.answers}
        text = (
            f"{found.tasks:,} questions {done} again, for {found.slots:,} answers; "
            f"{found.answers:,} count no more once somebody has answered anew"
        )
        self.done({**result, "dry_run": options["dry_run"]}, text)
