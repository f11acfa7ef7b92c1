"""The language in which somebody reads their pages."""

from django.conf import settings

from truing.audit import record
from truing.errors import Invalid
from truing.models import User


class UnknownLanguage(Invalid):
    """There is no such language here."""


def choose_language(user: User, language: str) -> None:
    """Show this person their pages in this language; with "", in what their browser asks for."""
    if language and language not in dict(settings.LANGUAGES):
        raise UnknownLanguage
    user.language = language
    user.save(update_fields=["language"])
    record("user.choose_language", actor=user, project=None, on=user, language=language)
