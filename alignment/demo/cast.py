"""Who takes part in the demo: one person a role to sign in as, and the simulated annotators."""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction

from alignment.demo.people import ANNOTATORS, REVIEWERS, Person
from truing.models import Membership, Project, User

Role = Membership.Role

# One for each role, as people know each other in a small team.
SIGN_INS = {
    Role.OWNER: "Olivia",
    Role.ENGINEER: "Emil",
    Role.CURATOR: "Carla",
    Role.REVIEWER: "Ravi",
    Role.ANNOTATOR: "Anna",
}


@dataclass(frozen=True)
class Player:
    """A simulated annotator, and the account with which they work."""

    person: Person
    user: User


@dataclass(frozen=True)
class Cast:
    roles: dict[Role, User]
    annotators: list[Player]
    reviewers: list[Player]

    @property
    def owner(self) -> User:
        return self.roles[Role.OWNER]

    @property
    def engineer(self) -> User:
        return self.roles[Role.ENGINEER]

    @property
    def curator(self) -> User:
        return self.roles[Role.CURATOR]


def address_of(name: str) -> str:
    return f"{name.lower()}@demo.example"


@transaction.atomic
def gather(project: Project) -> Cast:
    """Make the accounts that are missing, and give everybody their role in the project."""
    passwords = sign_ins()
    roles = {}
    for role, name in SIGN_INS.items():
        user = _account(name, name)
        user.set_password(passwords[address_of(name)])
        user.may_create_projects = role == Role.OWNER
        user.save(update_fields=["password", "may_create_projects"])
        roles[role] = user
        Membership.objects.update_or_create(project=project, user=user, defaults={"role": role})
    return Cast(roles, _players(project, ANNOTATORS), _players(project, REVIEWERS))


def sign_ins() -> dict[str, str]:
    """The demo's passwords by address: random, made once, readable by their owner alone."""
    file = Path(settings.TRUING_HOME) / "demo" / "sign_ins.json"
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = {address_of(name): secrets.token_urlsafe(9) for name in SIGN_INS.values()}
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(made, stream)
    passwords: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return passwords


def _players(project: Project, people: tuple[Person, ...]) -> list[Player]:
    players = []
    for person in people:
        # Said in the name, so that nobody takes them for people. They have no password.
        user = _account(person.name, f"{person.name} (simulated)")
        Membership.objects.get_or_create(
            project=project, user=user, defaults={"role": Role.ANNOTATOR}
        )
        players.append(Player(person, user))
    return players


def _account(name: str, shown: str) -> User:
    address = address_of(name)
    found = User.objects.filter(email=address).first()
    return found or User.objects.create_user(address, name=shown)
