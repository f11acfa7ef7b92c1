"""truing promote CHECKPOINT --project P --reason R --as EMAIL: put a checkpoint into force."""

from typing import Any

from django.core.management.base import CommandParser

from alignment.named import checkpoint_named
from alignment.promote import promote
from truing.command import Command as TruingCommand
from truing.named import project_named, user_named


class Command(TruingCommand):
    help = "Put a checkpoint into force."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("checkpoint", help="By name or number.")
        parser.add_argument("--project", required=True, help="The project's slug.")
        parser.add_argument("--reason", required=True, help="Why.")
        parser.add_argument(
            "--as", dest="email", required=True, help="Who decides: an engineer or the owner."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        promotion = promote(
            checkpoint_named(project, options["checkpoint"]),
            reason=options["reason"],
            decided_by=user_named(options["email"]),
        )
        self.done(
            {
                "promoted": promotion.checkpoint.name,
                "review": promotion.review_id,
                "reason": promotion.reason,
            },
            f"{promotion.checkpoint} is in force.",
        )
