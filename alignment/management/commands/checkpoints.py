"""truing checkpoints --project P [add PATH_OR_HUB_ID]: the models of a project."""

from typing import Any

from django.core.management.base import CommandParser

from alignment.models import Checkpoint, Promotion
from alignment.register import register
from truing.command import Command as TruingCommand
from truing.errors import Invalid
from truing.named import project_named


class Command(TruingCommand):
    help = "List the checkpoints of a project, or register a base model."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", nargs="?", choices=["list", "add"], default="list")
        parser.add_argument("path", nargs="?", help="A folder, or a name on the Hugging Face hub.")
        parser.add_argument("--project", required=True, help="The project's slug.")
        parser.add_argument("--name", default="", help="What it will be called here.")
        parser.add_argument("--kind", default="", help="policy or reward, for a name on the hub.")

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        if options["verb"] == "add":
            if not options["path"]:
                raise Invalid("Say which model: a folder, or a name on the Hugging Face hub.")
            added = register(
                project, options["path"], name=options["name"], kind=options["kind"], actor=None
            )
            text = f"Checkpoint {added.pk}, {added.name}: {added.kind}"
            self.done(record_of_checkpoint(added), text)
            return
        promotion = Promotion.objects.in_force(project)
        in_force = promotion.checkpoint_id if promotion else None
        found = list(Checkpoint.objects.in_project(project).order_by("pk"))
        lines = [
            f"{item.pk:>5}  {item.kind:<7}{item.name}{'  (in force)' * (item.pk == in_force)}"
            for item in found
        ]
        self.done(
            {
                "checkpoints": [record_of_checkpoint(item) for item in found],
                "in_force": promotion.checkpoint.name if promotion else None,
            },
            "\n".join(lines) or "No checkpoints yet.",
        )


def record_of_checkpoint(checkpoint: Checkpoint) -> dict[str, Any]:
    """What commands say of a checkpoint."""
    return {
        "checkpoint": checkpoint.pk,
        "name": checkpoint.name,
        "kind": checkpoint.kind,
        "path": checkpoint.path,
        "run": checkpoint.run_id,
        "parent": checkpoint.parent_id,
        "facts": checkpoint.facts,
    }
