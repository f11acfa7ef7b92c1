"""truing export VERSION --format F --out DIR: write a dataset version for a trainer.

truing export PROJECT --format feedback --out DIR writes all answers of a project instead.
"""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from annotation.export import CONTAINERS, FEEDBACK, export, export_answers
from annotation.exports import EXPORTS
from annotation.named import queue_named, version_named
from truing.command import Command as TruingCommand
from truing.named import project_named


class Command(TruingCommand):
    help = "Write a dataset version for a trainer, or a project's answers as feedback."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version", help="For instance demo/first@1; or a project: demo.")
        parser.add_argument("--queue", help="Of a project: one queue only.")
        parser.add_argument("--format", required=True, help=f"One of: {', '.join(EXPORTS)}.")
        parser.add_argument("--out", required=True, type=Path, help="The folder to write to.")
        parser.add_argument("--container", default="jsonl", help=f"{' or '.join(CONTAINERS)}.")
        parser.add_argument("--max-length", type=int, help="Say how many rows are longer.")
        parser.add_argument("--tokenizer", help="A model's folder, to count its tokens.")

    def handle(self, *args: Any, **options: Any) -> None:
        name, out, container = options["version"], options["out"], options["container"]
        if "@" not in name and options["format"] == FEEDBACK:
            project = project_named(name)
            queue = queue_named(project, options["queue"]) if options["queue"] else None
            given = export_answers(project, out, queue=queue, container=container)
            self.done(given, f"{given['file']}  {given['lines']:,}")
            return
        written = export(
            version_named(name),
            options["format"],
            out,
            container=container,
            max_length=options["max_length"],
            tokenizer=options["tokenizer"],
        )
        lines = [f"{path}  {written['rows'][split]:,}" for split, path in written["files"].items()]
        if "lengths" in written:
            lines.append(written["lengths"]["sentence"])
        self.done(written, "\n".join(lines))
