"""truing import FILE --project P [--format feedback] [--queue Q]: take feedback in from a file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from annotation.importers import IMPORTERS
from annotation.intake import Problem, Report, first_good_line, import_file
from annotation.named import queue_named
from truing.command import Command as TruingCommand
from truing.create_project import create_project
from truing.errors import Invalid
from truing.models import Project
from truing.named import project_named

TOLD = 20  # refused lines that are told one by one; the rest is counted


class NothingCameIn(Invalid):
    """No line came in."""


class Command(TruingCommand):
    help = "Take prompts, outputs and past answers in from a file, plain or gzipped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--project", required=True, help="Its slug; made if there is none.")
        parser.add_argument("--format", default="feedback", help=f"One of {', '.join(IMPORTERS)}.")
        parser.add_argument(
            "--queue", help="Where the tasks go; without it, into a queue for their type."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        file, format = options["file"], options["format"]
        project = self._project(options)
        queue = queue_named(project, options["queue"]) if options["queue"] else None
        self.told = 0
        report = import_file(
            project,
            file,
            format=format,
            queue=queue,
            progress=self._progress,
            refused=self._refused,
        )
        if report.refused > self.told:
            self.say(f"... and {report.refused - self.told:,} lines more.")
        if not report.came_in:
            raise NothingCameIn(nothing_came_in(report.problems))
        record = {"project": project.slug, **report.record()}
        record["problems"] = [vars(problem) for problem in report.problems]
        self.done(record, in_words(project, report))

    def _project(self, options: dict[str, Any]) -> Project:
        slug = options["project"]
        if options["queue"] or Project.objects.filter(slug=slug).exists():
            return project_named(slug)
        # Bad input changes nothing: a project is not made for a file without a good line.
        problems = first_good_line(options["file"], format=options["format"])
        if problems is not None:
            raise NothingCameIn(nothing_came_in(problems))
        return create_project(slug, slug=slug, actor=None)

    def _progress(self, report: Report) -> None:
        if report.lines % 20_000 == 0:
            self.say(f"{report.lines:,} lines")

    def _refused(self, problem: Problem) -> None:
        if self.told < TOLD:
            self.told += 1
            self.say(str(problem))


def nothing_came_in(problems: list[Problem]) -> str:
    return f"No line came in. {problems[0] if problems else 'The file is empty.'}"


def in_words(project: Project, report: Report) -> str:
    parts = [
        f"{report.tasks:,} tasks",
        f"{report.annotations:,} annotations",
        f"{report.annotators:,} annotators",
    ]
    if report.prompts:
        parts.append(f"{report.prompts:,} prompts without a task")
    text = f"{project.slug}: {', '.join(parts)} came in."
    if report.unchanged:
        text += f" {report.unchanged:,} lines changed nothing."
    if report.refused:
        text += f" {report.refused:,} lines were refused."
    return text
