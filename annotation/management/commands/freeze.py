"""truing freeze --project P --kind K --name N [--recipe FILE]: make a dataset version."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from annotation.freeze import freeze
from annotation.models import DatasetVersion
from annotation.preview import SPLITS, preview, preview_record
from annotation.recipe import KINDS, BadRecipe
from truing.command import Command as TruingCommand
from truing.named import project_named


class Command(TruingCommand):
    help = "Freeze what a recipe selects into a dataset's next version."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--project", required=True, help="The project's slug.")
        parser.add_argument("--kind", required=True, help=f"One of: {', '.join(KINDS)}.")
        parser.add_argument("--name", required=True, help="The dataset's name.")
        parser.add_argument("--recipe", type=Path, help="A JSON file; without it, the last recipe.")
        parser.add_argument("--note", default="", help="What the card says about this version.")
        parser.add_argument("--preview", action="store_true", help="Count only; freeze nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        recipe = _recipe_in(options["recipe"]) if options["recipe"] else None
        if options["preview"]:
            counted = preview_record(preview(project, options["kind"], recipe))
            self.done(counted, json.dumps(counted["counts"], indent=2, ensure_ascii=False))
            return
        last = DatasetVersion.objects.filter(dataset__project=project).order_by("pk").last()
        version = freeze(
            project,
            name=options["name"],
            kind=options["kind"],
            recipe=recipe,
            note=options["note"],
            actor=None,
        )
        unchanged = last is not None and version.pk <= last.pk
        self.done(
            {
                "version": str(version),
                "digest": version.digest,
                "unchanged": unchanged,
                "rows": version.manifest["rows"],
                "annotations": version.manifest["annotations"],
                "annotators": version.manifest["annotators"],
                "counts": version.manifest["counts"],
                "recipe": version.recipe,
            },
            _in_words(version, unchanged),
        )


def _recipe_in(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as problem:
        raise BadRecipe(f"{file} cannot be read: {problem.strerror}.") from problem
    except ValueError as problem:
        raise BadRecipe(f"{file} is not JSON: {problem}.") from problem


def _in_words(version: DatasetVersion, unchanged: bool) -> str:
    rows = ", ".join(f"{version.manifest['rows'][split]:,} {split}" for split in SPLITS)
    begin = "Nothing has changed since" if unchanged else "Frozen:"
    return f"{begin} {version}\nrows    {rows}\ndigest  {version.digest}"
