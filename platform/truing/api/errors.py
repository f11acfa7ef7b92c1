"""What a program is told when something is refused: a status and `{"detail": "one sentence"}`."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from truing.database import refusal_in
from truing.translated import translated

NOT_FOUND = "This does not exist, or it is not yours to see."
TOO_LOW = "Your role in this project does not allow this."


def answer_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to an error; None for a bug, which is let fly."""
    if refusal := refusal_in(error):
        set_rollback()
        return Response({"detail": translated(str(refusal))}, status=refusal.status)
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, Http404):
        response.data = {"detail": NOT_FOUND}
    elif isinstance(error, PermissionDenied):
        response.data = {"detail": TOO_LOW}
    elif isinstance(error, exceptions.ValidationError):
        response.status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
        response.data = {"detail": first_sentence(error.detail)}
    elif isinstance(error, exceptions.ParseError):
        response.data = {"detail": f"The body is not readable JSON: {error.detail}"}
    return response


def first_sentence(detail: Any, *, at: str = "") -> str:
    """The first thing that is wrong, with the name of the field."""
    if isinstance(detail, dict):
        name, inner = next(iter(detail.items()))
        if name in ("non_field_errors", "detail"):
            return first_sentence(inner, at=at)
        return first_sentence(inner, at=f"{at}.{name}" if at else str(name))
    if isinstance(detail, list):
        # Beside a list's faulty items stand empty objects for those that are right.
        number, inner = next((pair for pair in enumerate(detail) if pair[1]), (0, ""))
        if isinstance(inner, dict | list):
            return first_sentence(inner, at=f"{at}[{number}]")
        return first_sentence(inner, at=at)
    return f"{at}: {detail}" if at else str(detail)
