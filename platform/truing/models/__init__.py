"""The tables that both parts stand on."""

from truing.models.user import User  # isort: skip
from truing.models.project import Membership, Project  # isort: skip
from truing.models.invitation import Invitation  # isort: skip
from truing.models.api_token import ApiToken  # isort: skip
from truing.models.password_link import PasswordLink  # isort: skip
from truing.models.sign_in_attempt import SignInAttempt  # isort: skip
from truing.models.event import Event  # isort: skip

__all__ = [
    "ApiToken",
    "Event",
    "Invitation",
    "Membership",
    "PasswordLink",
    "Project",
    "SignInAttempt",
    "User",
]
