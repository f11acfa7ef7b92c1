"""truing leaderboard --project P [--queue Q]: whose outputs people prefer."""

from typing import Any

from django.core.management.base import CommandParser

from annotation.leaderboard import Leaderboard, leaderboard
from annotation.named import queue_named
from truing.command import Command as TruingCommand
from truing.named import project_named


class Command(TruingCommand):
    help = "Rank the sources of outputs by what people prefer (Bradley-Terry)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--project", required=True, help="The project's slug.")
        parser.add_argument("--queue", help="The queue's name; without it, all of them.")

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        queue = queue_named(project, options["queue"]) if options["queue"] else None
        found = leaderboard(project, queue)
        self.done(found.record(), in_words(found))


def in_words(found: Leaderboard) -> str:
    if not found.standings:
        return "Nobody has compared outputs of different sources yet."
    width = max(len(one.source) for one in found.standings)
    lines = [
        f"{found.comparisons:,} comparisons in {found.questions:,} questions",
        f"rank  {'source':{width}}  score  95 % interval   won",
    ]
    lines += [
        f"{one.rank:4}  {one.source:{width}}  {one.score:5.0f}  {one.low:5.0f} to {one.high:5.0f}"
        f"  {100 * one.won:3.0f} %"
        for one in found.standings
    ]
    return "\n".join(lines)
