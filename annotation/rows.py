"""Objects from the rows of statements of our own."""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import connection


@cache
def columns(model: Any, table: str) -> str:
    """All columns of a model, in the order in which `made` reads them."""
    return ", ".join(f"{table}.{field.column}" for field in model._meta.concrete_fields)


def made(model: Any, values: Sequence[Any]) -> Any:
    """An object from a row, as Django makes it."""
    names, as_json = _fields(model)
    read = list(values)
    for place in as_json:
        if read[place] is not None:
            read[place] = json.loads(read[place])
    return model.from_db(connection.alias, names, read)


@cache
def _fields(model: Any) -> tuple[list[str], list[int]]:
    fields = model._meta.concrete_fields
    as_json = [
        place for place, field in enumerate(fields) if field.get_internal_type() == "JSONField"
    ]
    return [field.attname for field in fields], as_json
