"""Making a project: who makes it, owns it."""

import re

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from truing.audit import record
from truing.errors import Invalid, Refused
from truing.models import Membership, Project, User

NAME_LENGTH = 200
SLUG_LENGTH = 80
DESCRIPTION_LENGTH = 10_000


class MayNotCreateProjects(Refused):
    """You may not make projects. Ask the operator of this server."""

    status = 403


class SlugTaken(Refused):
    """There is already a project with this short name."""


@transaction.atomic
def create_project(
    name: str,
    *,
    slug: str = "",
    description: str = "",
    eval_percent: int = 10,
    review_percent: int = 10,
    actor: User | None,
) -> Project:
    """A new project with its actor as owner; without an actor (the command line) it has none yet.

    The slug is made of the name where none is given.
    """
    if actor:
        check_may_create(actor)
    name = name.strip()
    problem = (
        _problem_with_name(name)
        or _problem_with_slug(slug)
        or _problem_with_shares(eval_percent, review_percent)
    )
    if len(description) > DESCRIPTION_LENGTH:
        problem = f"A description has at most {DESCRIPTION_LENGTH} characters."
    if problem:
        raise Invalid(problem)
    project = Project(
        name=name,
        description=description.strip(),
        eval_percent=eval_percent,
        review_percent=review_percent,
    )
    _save_with_slug(project, slug)
    if actor:
        Membership.objects.create(project=project, user=actor, role=Membership.Role.OWNER)
    record(
        "project.create",
        actor=actor,
        project=project,
        on=project,
        eval_percent=eval_percent,
        review_percent=review_percent,
    )
    return project


def check_may_create(actor: User) -> None:
    if not actor.may_make_projects:
        raise MayNotCreateProjects


def _problem_with_name(name: str) -> str:
    if not name or "\x00" in name:
        return "A project needs a name."
    if len(name) > NAME_LENGTH:
        return f"A project's name has at most {NAME_LENGTH} characters."
    return ""


def _problem_with_slug(slug: str) -> str:
    if slug and (len(slug) > SLUG_LENGTH or not re.fullmatch(r"[a-zA-Z0-9_-]+", slug)):
        return (
            "A short name has letters a to z, digits, hyphens and underscores only, "
            f"and at most {SLUG_LENGTH} of them."
        )
    return ""


def _problem_with_shares(eval_percent: int, review_percent: int) -> str:
    if eval_percent < 0 or review_percent < 0 or eval_percent + review_percent > 100:
        return "The shares for evaluation and review are between 0 and 100 per cent together."
    return ""


def _save_with_slug(project: Project, slug: str) -> None:
    if slug:
        project.slug = slug
        if not _saved(project):
            raise SlugTaken(f"There is already a project with the short name “{slug}”.")
        return
    stem = slugify(project.name)[: SLUG_LENGTH - 6].strip("-_") or "project"
    taken = set(
        Project.objects.filter(slug__startswith=stem).values_list("slug", flat=True),
    )
    number = 1
    while True:
        project.slug = stem if number == 1 else f"{stem}-{number}"
        # Somebody may take the same one at the same moment: then the next is tried.
        if project.slug not in taken and _saved(project):
            return
        number += 1


def _saved(project: Project) -> bool:
    try:
        with transaction.atomic():
            project.save(force_insert=True)
    except IntegrityError:
        project.pk = None
        return False
    return True
