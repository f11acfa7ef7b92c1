"""What stands under the keys of a feedback line, each of its kind. Plain Python: no tables."""

import json
import re
from datetime import UTC, datetime
from typing import Any

from truing.errors import Invalid

Record = dict[str, Any]

NAME_LENGTH = 200
MOST_ROUNDS = 10_000
DEEPEST = 100
LARGEST = 1e300
LONG_NUMBER = re.compile(r"[0-9]{300}")

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


class BadLine(Invalid):
    """This line is not feedback."""


def text_in(item: Record, name: str, *, length: int | None = NAME_LENGTH) -> str:
    value = item.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadLine(f"“{name}” must be a text.")
    if length is not None and len(value) > length:
        raise BadLine(f"“{name}” has at most {length} characters.")
    return value


def object_in(item: Record, name: str) -> Record | None:
    value = item.get(name)
    if value is not None and not isinstance(value, dict):
        raise BadLine(f"“{name}” must be an object.")
    return value


def moment_in(item: Record) -> datetime | None:
    text = text_in(item, "at", length=40)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise BadLine(f"“{text}” needs a time zone, such as Z.")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadLine(f"“{text}” is not a time such as 2026-01-02T03:04:05Z.") from None


def list_in(item: Record, name: str, kind: type, words: str) -> list[Any]:
    value = item.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, kind) for one in value):
        raise BadLine(f"“{name}” must be a list of {words}.")
    return value


def objects_in(item: Record, name: str) -> list[Record]:
    return list_in(item, name, dict, "objects")


def whole_number_in(item: Record, name: str, *, least: int) -> int | None:
    value = item.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= MOST_ROUNDS:
        raise BadLine(f"“{name}” must be a whole number from {least} to {MOST_ROUNDS}.")
    return value


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def twin_in(values: list[Any]) -> Any:
    """The first value that stands there twice, or None."""
    seen = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return None


def refuse_unknown(item: Record, known: set[str], what: str) -> None:
    for name in item:
        if name not in known:
            raise BadLine(f"{what} cannot have “{name[:100]}”; “meta” takes what else is known.")


def refuse_odd_text(record: Record) -> None:
    """Refuse what cannot be stored or written again: NUL, half characters, endless numbers."""
    try:
        text = _encode(record)
        text.encode()
    except (UnicodeEncodeError, RecursionError, ValueError):
        _refuse_what_is_odd(record)
        raise BadLine("The line holds something that cannot be written as JSON.") from None
    suspicious = "\\u0000" in text or LONG_NUMBER.search(text)
    if suspicious or text.count("[") + text.count("{") > DEEPEST:
        _refuse_what_is_odd(record)


def _refuse_what_is_odd(record: Record) -> None:
    stack: list[tuple[Any, int]] = [(record, 0)]
    while stack:
        value, depth = stack.pop()
        if isinstance(value, str):
            if "\x00" in value:
                raise BadLine("A text holds a NUL character, which cannot be stored.")
            if not value.isascii() and not _is_whole(value):
                raise BadLine("A text holds half of a character (a lone surrogate).")
        elif isinstance(value, dict | list):
            if depth == DEEPEST:
                raise BadLine(f"The line is nested deeper than {DEEPEST} levels.")
            stack.extend((inner, depth + 1) for inner in value)
            if isinstance(value, dict):
                stack.extend((inner, depth + 1) for inner in value.values())
        elif isinstance(value, int | float) and not -LARGEST < value < LARGEST:
            raise BadLine("A number is too large.")


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
