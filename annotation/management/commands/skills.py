"""truing skills --project P [give EMAIL SKILL | take EMAIL SKILL | import FILE]: who has which."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from annotation.grant import HasItNot, annotator_with_email, grant, import_skills, take_away
from annotation.handling import checked_skill
from annotation.models import Grant
from truing.command import Command as TruingCommand
from truing.errors import Invalid
from truing.models import Project
from truing.named import project_named


class Command(TruingCommand):
    help = "List the skills of a project's people, give them, and take them away."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--project", required=True, help="The project's slug.")
        parser.add_argument("--give", nargs=2, metavar=("EMAIL", "SKILL"), help="Give a skill.")
        parser.add_argument("--take", nargs=2, metavar=("EMAIL", "SKILL"), help="Take one away.")
        parser.add_argument(
            "--import",
            dest="file",
            metavar="FILE",
            help="Give the skills in a CSV file: an e-mail address and a skill on each line.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        if options["file"]:
            self.bring(project, options["file"])
        elif options["give"]:
            self.give(project, *options["give"])
        elif options["take"]:
            self.take(project, *options["take"])
        else:
            self.list(project)

    def list(self, project: Project) -> None:
        grants = Grant.objects.in_project(project).standing().given_by_others()
        grants = grants.select_related("annotator__user")
        listed = [
            {
                "email": one.annotator.user.email if one.annotator.user else "",
                "skill": one.skill,
                "how": one.how,
            }
            for one in grants.order_by("skill", "pk")
        ]
        lines = [f"{one['skill']:<30} {one['email']:<40} {one['how']}" for one in listed]
        self.done({"skills": listed}, "\n".join(lines) or "Nobody has a skill yet.")

    def give(self, project: Project, email: str, skill: str) -> None:
        made = grant(annotator_with_email(project, email), skill, actor=None)
        self.done({"skill": made.skill, "email": email}, f"{email} has {made.skill}.")

    def take(self, project: Project, email: str, skill: str) -> None:
        name = checked_skill(skill)
        annotator = annotator_with_email(project, email)
        held = Grant.objects.standing().filter(annotator=annotator, skill=name).first()
        if held is None:
            raise HasItNot(f"{email} does not have {name}.")
        take_away(held, actor=None)
        self.done({"skill": name, "email": email}, f"{email} no longer has {name}.")

    def bring(self, project: Project, file: str) -> None:
        try:
            lines = Path(file).read_text(encoding="utf-8-sig").splitlines()
        except (OSError, ValueError) as problem:
            raise Invalid(f"{file} cannot be read: {problem}") from None
        done = import_skills(project, lines, actor=None)
        for refused in done.problems:
            self.say(refused)
        if done.problems and not done.granted + done.unchanged:
            raise Invalid("No line came in.")
        self.done(
            {"granted": done.granted, "unchanged": done.unchanged, "problems": done.problems},
            done.sentence,
        )
