"""Statements that PostgreSQL plans once for each connection, for the few that everybody waits for.

Django writes values into the text of a statement, so that each one is planned anew. A long
statement takes longer to plan than to run.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor

_Cursor: Any = ServerBindingCursor


def fetch(statement: str, values: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run a statement with its values apart from it, and give back its rows."""
    with _cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def run(statement: str, values: Sequence[Any] | Mapping[str, Any]) -> None:
    """The same for a statement that gives no rows."""
    with _cursor() as cursor:
        cursor.execute(statement, values)


@contextmanager
def _cursor() -> Iterator[Any]:
    connection.ensure_connection()
    made: Any = connection
    # As `connection.cursor()` does, with another class: queries are still seen in tests.
    with made.wrap_database_errors, made._prepare_cursor(_Cursor(made.connection)) as cursor:
        yield cursor
