"""Turn a name from the command line into an object, or say in a sentence that there is none.

Commands act without a user, so no role is checked; pages and the API use `access.py`.
"""

from truing.errors import Refused
from truing.models import Project, User


class NoSuchProject(Refused):
    """There is no such project."""

    status = 404


def project_named(slug: str) -> Project:
    project = Project.objects.filter(slug=slug).first()
    if project is None:
        raise NoSuchProject(f"There is no project “{slug}”.")
    return project


class NoSuchPerson(Refused):
    """There is no account with this e-mail address."""

    status = 404


def user_named(email: str) -> User:
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        raise NoSuchPerson(f"There is no account with the e-mail address “{email}”.")
    return user
