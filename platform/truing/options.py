"""Options are frozen dataclasses: the form, the API's schema and the record come from one place.

Plain Python, so that plug-ins and training processes can use it where there is no Django.
"""

import types
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from math import isfinite
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from truing.errors import Invalid

T = TypeVar("T")


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
    """One field of an options dataclass: its default, a sentence about it, and its limits."""
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
    type: type  # bool, int, float or str
    optional: bool
    default: Any
    help: str
    label: str
    min_value: float | None
    max_value: float | None
    choices: tuple[str, ...]


def fields_of(options: type) -> list[OptionField]:
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
    return described


def build(options: type[T], values: Mapping[str, Any]) -> T:
    """Make the options from values as they come from a form, JSON or the command line.

    Strings are read as the field's type; a missing name takes its default; an empty string
    means None where the field may be None. Raises BadOption with one sentence.
    """
    known = {item.name: item for item in fields_of(options)}
    for name in values:
        if name not in known:
            names = ", ".join(known) or "none"
            raise BadOption(f"There is no option “{name}”. There are: {names}.")
    return options(**{name: _read(known[name], value) for name, value in values.items()})


def record_of(options: Any) -> dict[str, Any]:
    """The options as plain values, as they are stored."""
    return asdict(options)


def json_schema(options: type) -> dict[str, Any]:
    """The options as a JSON schema, for the API's document."""
    names = {bool: "boolean", int: "integer", float: "number", str: "string"}
    properties: dict[str, Any] = {}
    for item in fields_of(options):
        schema: dict[str, Any] = {"type": names[item.type], "description": item.help}
        schema["default"] = item.default
        if item.optional:
            schema["nullable"] = True
        if item.min_value is not None:
            schema["minimum"] = item.min_value
        if item.max_value is not None:
            schema["maximum"] = item.max_value
        if item.choices:
            schema["enum"] = list(item.choices)
        properties[item.name] = schema
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _plain_type(hint: Any) -> tuple[type, bool]:
    if get_origin(hint) in (Union, types.UnionType):
        [kind] = [part for part in get_args(hint) if part is not type(None)]
        return kind, True
    return hint, False


def _read(item: OptionField, value: Any) -> Any:
    if item.optional and value in (None, ""):
        return None
    try:
        read = _as_type(item.type, value)
    except (TypeError, ValueError):
        kind = {int: "a whole number", float: "a number", bool: "yes or no"}.get(item.type, "text")
        raise BadOption(f"{item.label} must be {kind}, not “{value}”.") from None
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
        return int(value)
    if kind is float:
        return float(value)
    if not isinstance(value, str):
        raise ValueError(value)
    return value
