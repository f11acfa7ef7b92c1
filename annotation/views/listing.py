"""Lists on the console: one page by key, with the filters carried along."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from psycopg.errors import QueryCanceled

from truing.errors import Refused
from truing.http import Request, key_of

A_PAGE = 50
PATIENCE_SECONDS = 10


class TakesTooLong(Refused):
    """This search takes too long among so many rows. Narrow it with another filter."""

    status = 503


@dataclass
class Page:
    rows: list[Any]
    next_url: str
    first_url: str


def asked_for(request: Request, names: Sequence[str]) -> dict[str, str]:
    """The filters that the address sets."""
    values = {name: request.GET.get(name, "").strip() for name in names}
    return {name: value[:300] for name, value in values.items() if value}


def page_of(
    request: Request,
    found: QuerySet[Any],
    asked: dict[str, str],
    *,
    newest_first: bool = True,
    size: int = A_PAGE,
) -> Page:
    """The rows after the key that the address names. The last page costs what the first does."""
    after = key_of(request.GET.get("after", ""))
    if after is not None:
        found = found.filter(**{"pk__lt" if newest_first else "pk__gt": after})
    # One more than wanted says whether there is a next page, without counting.
    rows = _patiently(found.order_by("-pk" if newest_first else "pk")[: size + 1])
    next_url = first_url = ""
    if len(rows) > size:
        rows = rows[:size]
        next_url = f"{request.path}?{urlencode({**asked, 'after': rows[-1].pk})}"
    if after is not None:
        first_url = f"{request.path}?{urlencode(asked)}" if asked else request.path
    return Page(rows, next_url, first_url)


def _patiently(rows: QuerySet[Any]) -> list[Any]:
    """The rows, unless looking for them takes longer than anybody waits."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = '{PATIENCE_SECONDS}s'")
            found = list(rows)
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = 0")
            return found
    except OperationalError as problem:
        if isinstance(problem.__cause__, QueryCanceled):
            raise TakesTooLong from None
        raise
