"""Options are frozen dataclasses: the form, the API's schema and the record come from one place.

Plain Python, so that plug-ins and training processes can use it where there is no Django.
"""

import types
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from functools import cache
from math import isfinite
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from truing.errors import Invalid

T = TypeVar("T")
LONGEST_LINE = 500  # of a list of texts


class BadOption(Invalid):
    """An option has a value that it cannot have."""


def option(
    default: Any,
    help: str,
    *,
    min_value: float | None = None,
    max_value: float | None = None,
    choices: Sequence[str] = (),
    label: str = "",
) -> Any:
    """One field of an options dataclass: its default, a sentence about it, and its limits.

    Of a list of texts (`tuple[str, ...]`), the limits say how many lines it may have.
    """
    return field(
        default=default,
        metadata={
            "help": help,
            "min_value": min_value,
            "max_value": max_value,
            "choices": tuple(choices),
            "label": label,
        },
    )


@dataclass(frozen=True)
class OptionField:
    """One option as forms, schemas and help texts need to know it."""

    name: str
    type: type  # bool, int, float, str, or tuple: a list of texts
    optional: bool
    default: Any
    help: str
    label: str
    min_value: float | None
    max_value: float | None
    choices: tuple[str, ...]


@cache
def fields_of(options: type) -> tuple[OptionField, ...]:
    """Describe the fields of an options dataclass, in their order."""
    if not is_dataclass(options):
        raise TypeError(f"{options!r} is not a dataclass")
    hints = get_type_hints(options)
    described = []
    for item in fields(options):
        kind, optional = _plain_type(hints[item.name])
        described.append(
            OptionField(
                name=item.name,
                type=kind,
                optional=optional,
                default=item.default,
                help=item.metadata.get("help", ""),
                label=item.metadata.get("label") or item.name.replace("_", " ").capitalize(),
                min_value=item.metadata.get("min_value"),
                max_value=item.metadata.get("max_value"),
                choices=item.metadata.get("choices", ()),
            )
        )
    return tuple(described)


def build(options: type[T], values: Mapping[str, Any]) -> T:
    """Make the options from values as they come from a form, JSON or the command line.

    Strings are read as the field's type; a missing name takes its default; an empty string
    means None where the field may be None; a text with several lines is a list of texts. Raises
    BadOption with one sentence, as an options class may of itself, in its `__post_init__`.
    """
    described: type = options
    known = {item.name: item for item in fields_of(described)}
    for name in values:
        if name not in known:
            names = ", ".join(known) or "none"
            raise BadOption(f"There is no option “{name}”. There are: {names}.")
    return options(**{name: _read(known[name], value) for name, value in values.items()})


def record_of(options: Any) -> dict[str, Any]:
    """The options as plain values, as they are stored."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(options).items()
    }


def json_schema(options: type) -> dict[str, Any]:
    """The options as a JSON schema, for the API's document."""
    names = {bool: "boolean", int: "integer", float: "number", str: "string"}
    properties: dict[str, Any] = {}
    for item in fields_of(options):
        schema: dict[str, Any] = {"type": names.get(item.type, "array"), "description": item.help}
        schema["default"] = item.default
        if item.type is tuple:
            schema |= {"default": list(item.default), "items": {"type": "string"}}
            schema |= _limits(item, "minItems", "maxItems")
            properties[item.name] = schema
            continue
        if item.optional:
            schema["nullable"] = True
        schema |= _limits(item, "minimum", "maximum")
        if item.choices:
            schema["enum"] = list(item.choices)
        properties[item.name] = schema
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _limits(item: OptionField, least: str, most: str) -> dict[str, float]:
    limits = {least: item.min_value, most: item.max_value}
    return {name: limit for name, limit in limits.items() if limit is not None}


def _plain_type(hint: Any) -> tuple[type, bool]:
    if get_origin(hint) in (Union, types.UnionType):
        [kind] = [part for part in get_args(hint) if part is not type(None)]
        return kind, True
    return (tuple if get_origin(hint) is tuple else hint), False


def _read(item: OptionField, value: Any) -> Any:
    if item.optional and value in (None, ""):
        return None
    if item.type is tuple:
        return _read_lines(item, value)
    try:
        read = _as_type(item.type, value)
    except (TypeError, ValueError, OverflowError):
        kind = {int: "a whole number", float: "a number", bool: "yes or no"}.get(item.type, "text")
        raise BadOption(f"{item.label} must be {kind}, not “{value!s:.60}”.") from None
    if item.choices and read not in item.choices:
        raise BadOption(f"{item.label} must be one of {', '.join(item.choices)}, not “{read}”.")
    if isinstance(read, int | float) and not isinstance(read, bool):
        if not isfinite(read):
            raise BadOption(f"{item.label} must be a finite number.")
        if item.min_value is not None and read < item.min_value:
            raise BadOption(f"{item.label} must be at least {item.min_value:g}, not {read:g}.")
        if item.max_value is not None and read > item.max_value:
            raise BadOption(f"{item.label} must be at most {item.max_value:g}, not {read:g}.")
    return read


def _read_lines(item: OptionField, value: Any) -> tuple[str, ...]:
    lines = value.splitlines() if isinstance(value, str) else value
    if not isinstance(lines, list | tuple) or not all(isinstance(line, str) for line in lines):
        raise BadOption(f"{item.label} must be a list of texts.")
    read = tuple(filter(None, (" ".join(line.split()) for line in lines)))
    for place, line in enumerate(read):
        if line in read[:place]:
            raise BadOption(f"{item.label}: “{line}” stands there twice.")
        if len(line) > LONGEST_LINE or "\x00" in line:
            raise BadOption(f"{item.label}: a line is text of at most {LONGEST_LINE} characters.")
    if item.min_value is not None and len(read) < item.min_value:
        raise BadOption(f"{item.label} must have at least {item.min_value:g}, a line each.")
    if item.max_value is not None and len(read) > item.max_value:
        raise BadOption(f"{item.label} may have at most {item.max_value:g}, not {len(read)}.")
    return read


def _as_type(kind: type, value: Any) -> Any:
    if kind is bool:
        if isinstance(value, bool):
            return value
        lowered = str(value).lower()
        if lowered in ("true", "yes", "on", "1"):
            return True
        if lowered in ("false", "no", "off", "0", ""):
            return False
        raise ValueError(value)
    if isinstance(value, bool):
        raise ValueError(value)
    if kind is int:
        if isinstance(value, float) and not value.is_integer():
            raise ValueError(value)
        number = int(value)
        float(number)  # fails where it is too large to be compared with limits
        return number
    if kind is float:
        return float(value)
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError(value)
    return value
