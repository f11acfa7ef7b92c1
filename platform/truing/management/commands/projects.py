"""truing projects: make projects, and see or change who is in them."""

import argparse
from typing import Any

from django.core.management.base import CommandParser

from truing import command
from truing.add_member import add_member
from truing.change_role import NotAMember, change_role
from truing.create_project import create_project
from truing.models import Membership, Project
from truing.named import project_named, user_named
from truing.remove_member import remove_member

ROLES = [role.name.lower() for role in Membership.Role]


class Command(command.Command):
    help = "Projects: add, list, and members (to add, change or remove)."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        add = actions.add_parser("add", help="Make a project.")
        add.add_argument("name")
        add.add_argument("--slug", default="", help="Its short name; made from the name if empty.")
        add.add_argument("--description", default="")
        add.add_argument("--eval-percent", type=int, default=10, help="Prompts to measure on.")
        add.add_argument("--review-percent", type=int, default=10, help="Prompts for reviews.")
        add.add_argument("--owner", default="", help="The e-mail address of its owner's account.")
        actions.add_parser("list", help="All projects.")
        members = actions.add_parser("members", help="Who is in a project; add or remove one.")
        members.add_argument("slug")
        change = members.add_mutually_exclusive_group()
        change.add_argument("--add", metavar="EMAIL", help="Add a person, or change their role.")
        change.add_argument("--remove", metavar="EMAIL", help="Remove a person; answers stay.")
        members.add_argument("--role", default="annotator", help=f"One of {', '.join(ROLES)}.")
        for action in actions.choices.values():
            action.called_from_command_line = False
            action.add_argument("--json", action="store_true", default=argparse.SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        match options["action"]:
            case "add":
                self._add(options)
            case "list":
                projects = list(Project.objects.order_by("slug"))
                lines = [f"{project.slug}  {project.name}" for project in projects]
                self.done(
                    {"projects": [_record(project) for project in projects]}, "\n".join(lines)
                )
            case "members":
                project = project_named(options["slug"])
                if options["add"]:
                    _give(project, options["add"], options["role"])
                if options["remove"]:
                    remove_member(_member(project, options["remove"]), actor=None)
                self._members(project)

    def _add(self, options: dict[str, Any]) -> None:
        owner = user_named(options["owner"]) if options["owner"] else None
        project = create_project(
            options["name"],
            slug=options["slug"],
            description=options["description"],
            eval_percent=options["eval_percent"],
            review_percent=options["review_percent"],
            actor=None,
        )
        if owner:
            add_member(project, owner, Membership.Role.OWNER, actor=None)
        self.done(_record(project), f"The project “{project.name}” is there: {project.slug}")

    def _members(self, project: Project) -> None:
        members = Membership.objects.filter(project=project).select_related("user")
        records = [
            {
                "email": member.user.email,
                "name": member.user.name,
                "role": Membership.Role(member.role).name.lower(),
            }
            for member in members.order_by("-role", "user__email")
        ]
        lines = [f"{record['role']:<10} {record['email']}  {record['name']}" for record in records]
        self.done({**_record(project), "members": records}, "\n".join(lines) or "Nobody yet.")


def _give(project: Project, email: str, role_name: str) -> None:
    role = Membership.role_named(role_name)
    user = user_named(email)
    membership = Membership.objects.filter(project=project, user=user).first()
    if membership:
        change_role(membership, role, actor=None)
    else:
        add_member(project, user, role, actor=None)


def _member(project: Project, email: str) -> Membership:
    membership = Membership.objects.filter(project=project, user=user_named(email)).first()
    if membership is None:
        raise NotAMember
    return membership


def _record(project: Project) -> dict[str, Any]:
    return {"slug": project.slug, "name": project.name}
