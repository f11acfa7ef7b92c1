"""Give people skills and take them away."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from annotation.handling import checked_skill
from annotation.models import Annotator, Grant, Queue
from truing.audit import record
from truing.errors import Invalid, Refused
from truing.models import Membership, Project, User

How = Grant.How


class NotAMember(Refused):
    """There is no member with this e-mail address in this project."""

    status = 404


class HasItNot(Refused):
    """They do not have this skill."""


@transaction.atomic
def grant(
    annotator: Annotator,
    skill: str,
    *,
    how: str = How.HAND,
    queue: Queue | None = None,
    actor: User | None,
) -> Grant:
    """Give somebody a skill; who has it keeps the grant that they have."""
    skill = checked_skill(skill)
    made, is_new = Grant.objects.standing().get_or_create(
        annotator=annotator,
        skill=skill,
        taken_at=None,
        defaults={"how": how, "queue": queue, "given_by": actor},
    )
    if is_new:
        details = {"skill": skill, "how": how}
        record("skill.grant", actor=actor, project=annotator.project, on=annotator, **details)
    return made


@transaction.atomic
def take_away(held: Grant, *, because: str = "", actor: User | None) -> None:
    """Take a skill away. What they answered with it stays."""
    taken = Grant.objects.standing().filter(pk=held.pk)
    if not taken.update(
        taken_at=timezone.now(), taken_by=actor, taken_because=because.strip()[:300]
    ):
        raise HasItNot
    record(
        "skill.take_away",
        actor=actor,
        project=held.annotator.project,
        on=held.annotator,
        skill=held.skill,
        because=because.strip()[:300],
    )


def annotator_with_email(project: Project, email: str) -> Annotator:
    """The member of the project with this address, as an annotator."""
    member = (
        Membership.objects.filter(project=project, user__email__iexact=email.strip())
        .select_related("user")
        .first()
    )
    if member is None or "\x00" in email:
        raise NotAMember(f"There is no member “{email.strip()}” in this project.")
    return Annotator.objects.member(project, member.user)


@dataclass
class Granted:
    """What came of a file of skills."""

    granted: int = 0
    unchanged: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        given = "1 skill was" if self.granted == 1 else f"{self.granted:,} skills were"
        return f"{given} given, and {self.unchanged:,} were there already."


def import_skills(project: Project, lines: Iterable[str], *, actor: User | None) -> Granted:
    """Give skills as a CSV file says: an e-mail address and a skill on each line.

    A line that does not fit changes nothing, and the others count.
    """
    done = Granted()
    for number, line in enumerate(lines, start=1):
        try:
            cells = _cells(line)
            if not any(cells) or number == 1 and "@" not in cells[0]:
                continue
            if len(cells) != 2:
                raise Invalid("It has to say an e-mail address and a skill.")
            annotator = annotator_with_email(project, cells[0])
            has_it = Grant.objects.standing().filter(
                annotator=annotator, skill=checked_skill(cells[1])
            )
            if has_it.exists():
                done.unchanged += 1
            else:
                grant(annotator, cells[1], how=How.IMPORT, actor=actor)
                done.granted += 1
        except Refused as refusal:
            done.problems.append(f"Line {number}: {refusal}")
    return done


def _cells(line: str) -> list[str]:
    """What stands in a line. Each is read for itself: a quote left open takes no other with it."""
    between = next((mark for mark in ",;\t" if mark in line), ",")
    try:
        [row] = csv.reader([line], delimiter=between, strict=True)
    except (csv.Error, ValueError):
        raise Invalid("It cannot be read: is there a quote that is not closed?") from None
    return [cell.strip() for cell in row]
