"""truing disputes --project P [--queue Q] [--limit N] [--again]: what people disagree on."""

from typing import Any

from django.core.management.base import CommandParser
from django.db.models import Count

from annotation.doubt import MOST
from annotation.find_disputes import find_disputes
from annotation.look_again_from import look_again_from
from annotation.models import Dispute
from annotation.named import queue_named
from truing.command import Command as TruingCommand
from truing.named import project_named

QUESTION = 80  # characters of it


class Command(TruingCommand):
    help = "List the questions on which people disagree, the worst first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--project", required=True, help="The project's slug.")
        parser.add_argument("--queue", help="The queue's name; without it, all of them.")
        parser.add_argument("--limit", type=int, default=20, help="How many are listed.")
        parser.add_argument("--again", action="store_true", help="Look at all answers anew.")

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        queue = queue_named(project, options["queue"]) if options["queue"] else None
        if options["again"]:
            look_again_from(project, 1)
        while not find_disputes(project):
            pass
        found = Dispute.objects.in_project(project)
        if queue:
            found = found.filter(queue=queue)
        states = dict(found.order_by().values_list("state").annotate(number=Count("pk")))
        worst = found.filter(state=Dispute.State.OPEN).worst_first()
        worst = worst.select_related("task__prompt", "queue")[: max(0, options["limit"])]
        listed = [
            {
                "task": one.task.ref,
                "queue": one.queue.name,
                "question": one.task.prompt.text[:QUESTION] if one.task.prompt else "",
                "doubt": one.doubt,
                "answers": one.answers,
            }
            for one in worst
        ]
        lines = [f"{number:,} {state}" for state, number in sorted(states.items())]
        if listed:
            lines += ["", f"{'disagreement':<12}  answers  {'task':<24}  question"]
        lines += [_line(row) for row in listed]
        self.done({"states": states, "worst": listed}, "\n".join(lines) or "Nothing is in dispute.")


def _line(row: dict[str, Any]) -> str:
    """As the page has it: 100 where all that can differ does."""
    doubt = min(100, 100 * row["doubt"] / MOST)
    question = " ".join(f"{row['queue']}: {row['question']}".split())[:QUESTION]
    return f"{doubt:>12.0f}  {row['answers']:>7}  {row['task']:<24}  {question}"
