"""Write many rows of one table at once, through COPY."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models


def new_ids(model: type[models.Model], number: int) -> list[int]:
    """So many keys of a table that nobody else is given, smallest first."""
    if not number:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            # The sequence is looked up once, not for every key.
            "WITH one AS MATERIALIZED (SELECT pg_get_serial_sequence(%s, 'id')::regclass AS name)"
            " SELECT nextval(name) FROM one, generate_series(1, %s)",
            [model._meta.db_table, number],
        )
        return sorted(key for (key,) in cursor.fetchall())


def copy_rows(model: type[models.Model], columns: str, rows: Iterable[Sequence[Any]]) -> None:
    """Add these rows, with their values in the order of the columns; JSON is given as text."""
    command = f"COPY {model._meta.db_table} ({', '.join(columns.split())}) FROM STDIN"
    # Django leaves the errors of COPY as the driver raises them.
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(command) as copy,
    ):
        for row in rows:
            copy.write_row(row)


def text_array(texts: Sequence[str]) -> str:
    """A list of texts as PostgreSQL reads it; much faster than asking the driver."""
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"
