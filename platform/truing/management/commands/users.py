"""truing users: make accounts, hand out links to set a password, switch accounts off and on."""

import argparse
from typing import Any

from django.core.management.base import CommandParser
from django.urls import reverse

from truing import command
from truing.add_user import add_user
from truing.models import User
from truing.named import user_named
from truing.password_link import make_password_link
from truing.switch_user import switch_user


class Command(command.Command):
    help = "Accounts: add, list, link (to set a password), deactivate, activate."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        add = actions.add_parser("add", help="Make an account; prints a link to set a password.")
        add.add_argument("email")
        add.add_argument("--name", default="", help="What the person is called.")
        add.add_argument(
            "--may-create-projects", action="store_true", help="May make projects of their own."
        )
        actions.add_parser("list", help="All accounts.")
        link = actions.add_parser("link", help="Make another link to set a password.")
        link.add_argument("email")
        actions.add_parser("deactivate", help="Switch off at once.").add_argument("email")
        actions.add_parser("activate", help="Switch on again.").add_argument("email")
        for name, action in actions.choices.items():
            action.called_from_command_line = False
            action.add_argument("--json", action="store_true", default=argparse.SUPPRESS)
            if name in ("add", "link"):
                action.add_argument(
                    "--url", default="http://127.0.0.1:8000", help="Where the web is reached."
                )

    def handle(self, *args: Any, **options: Any) -> None:
        match options["action"]:
            case "add":
                user = add_user(
                    options["email"],
                    name=options["name"],
                    may_create_projects=options["may_create_projects"],
                    actor=None,
                )
                self._show_link(user, options["url"])
            case "link":
                self._show_link(user_named(options["email"]), options["url"])
            case "list":
                self._list()
            case action:
                user = user_named(options["email"])
                switch_user(user, active=action == "activate", actor=None)
                self.done(_record(user), f"{user.email} is switched {_state(user)}.")

    def _show_link(self, user: User, url: str) -> None:
        link, secret = make_password_link(user, project=None, actor=None)
        address = url.rstrip("/") + reverse("set_password", args=[secret])
        until = link.expires_at.date()
        self.done(
            {**_record(user), "link": address, "expires_at": link.expires_at.isoformat()},
            f"{user.email} sets a password here, once, until {until}:\n{address}",
        )

    def _list(self) -> None:
        users = list(User.objects.order_by("email"))
        lines = [f"{user.email}  {user.name}  ({_state(user)})" for user in users]
        self.done({"users": [_record(user) for user in users]}, "\n".join(lines))


def _record(user: User) -> dict[str, Any]:
    return {
        "email": user.email,
        "name": user.name,
        "is_active": user.is_active,
        "may_create_projects": user.may_make_projects,
    }


def _state(user: User) -> str:
    return "on" if user.is_active else "off"
