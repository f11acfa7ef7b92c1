"""The request as our views know it: someone is signed in, and htmx may have asked."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from truing.models import Membership, Project, User


class Request(HttpRequest):
    user: User  # type: ignore[assignment]
    htmx: HtmxDetails
    # Set by truing.access.project_for, for the page's frame.
    project: Project
    membership: Membership


def key_of(text: str) -> int | None:
    """The number in a part of an address, or None where there is none that could be a key."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
