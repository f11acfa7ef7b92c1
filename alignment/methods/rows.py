"""What a method reads: the lines of an export, each checked before anything is loaded."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from truing.errors import Invalid

Row = dict[str, Any]


class BadRows(Invalid):
    """These rows cannot be trained on."""


def read(file: Path | None, columns: Sequence[str]) -> list[Row]:
    """The rows of a JSONL file, with these columns only. A row must have all of them."""
    if file is None:
        return []
    rows = []
    try:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    rows.append(_checked(line, columns, f"Line {number} of {file.name}"))
    except FileNotFoundError:
        raise BadRows(f"The file {file.name} is not there.") from None
    except UnicodeDecodeError:
        raise BadRows(f"The file {file.name} is not text in UTF-8.") from None
    return rows


def _checked(line: str, columns: Sequence[str], where: str) -> Row:
    try:
        row = json.loads(line)
    except ValueError:
        raise BadRows(f"{where} is not JSON.") from None
    if not isinstance(row, dict):
        raise BadRows(f"{where} is not a JSON object.")
    for column in columns:
        if column not in row:
            raise BadRows(f"{where} has no “{column}”.")
    return {column: _plain(row[column], f"{where}: “{column}”") for column in columns}


def _plain(value: Any, where: str) -> Any:
    """Text or messages, with no more keys than a chat template reads."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        raise BadRows(f"{where} is neither a text nor a list of messages.")
    for message in value:
        if not isinstance(message, dict) or not all(
            isinstance(message.get(key), str) for key in ("role", "content")
        ):
            raise BadRows(f"{where} is no list of messages with role and content.")
    return [{"role": message["role"], "content": message["content"]} for message in value]


def some(file: Path | None, columns: Sequence[str]) -> list[Row]:
    """The same, and at least one."""
    return _at_least_one(read(file, columns))


def _at_least_one(rows: list[Any]) -> list[Any]:
    if not rows:
        raise BadRows("There is nothing to train on: the dataset has no rows on its train side.")
    return rows


def text(file: Path | None) -> list[str | list[dict[str, str]]]:
    """Rows to learn a language from: each has `messages`, or a `text`."""
    if file is None:
        return []
    with file.open(encoding="utf-8") as lines:
        first = lines.readline()
    column = "text" if '"text"' in first and '"messages"' not in first else "messages"
    return [row[column] for row in read(file, (column,))]


def some_text(file: Path | None) -> list[str | list[dict[str, str]]]:
    """The same, and at least one."""
    return _at_least_one(text(file))
