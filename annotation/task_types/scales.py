"""What ratings, labels and classes share: questions with levels or choices, and how they look.

A curator writes one a line: “Helpful: 7” (seven levels), “Helpful: poor, fair, good” (three that
have names), “Topic (several): code, maths” (any number of them at once).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from truing.options import BadOption

FEWEST, MOST = 2, 11
NAME_LENGTH = 60
SEVERAL = "(several)"


@dataclass(frozen=True, slots=True)
class Scale:
    """One question. Levels without names are numbered from 1."""

    name: str
    levels: tuple[str, ...]
    several: bool = False

    def word(self, level: int) -> str:
        return self.levels[level - 1] or str(level)


@dataclass(frozen=True, slots=True)
class Choice:
    """A field of a row: one of its radios, or one of its boxes to tick."""

    field: str
    value: str
    word: str
    checked: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A question as the page shows it, its choices beside each other."""

    name: str
    choices: tuple[Choice, ...]
    several: bool = False  # boxes, of which any number may be ticked
    key: str = ""  # that chooses in this row, where it has one of its own
    is_ours: bool = False  # the name is the type's own, and not a curator's

    @property
    def has_words(self) -> bool:
        """The digit that chooses does not stand there already."""
        return not all(choice.word.isdigit() for choice in self.choices)


def read_scales(
    lines: Sequence[str], *, what: str, most: int = MOST, several: bool = False
) -> list[Scale]:
    """Read them from an option; a level's name must be there once. Raises BadOption."""
    scales = [_read_scale(line, what=what, most=most, several=several) for line in lines]
    refuse_twins([scale.name for scale in scales], what=what)
    return scales


def names_in(lines: Sequence[str], *, what: str) -> tuple[str, ...]:
    """Plain names, one a line. Raises BadOption."""
    for line in lines:
        _refuse_odd_name(line, what)
    refuse_twins(lines, what=what)
    return tuple(lines)


def refuse_twins(names: Sequence[str], *, what: str) -> None:
    for place, name in enumerate(names):
        if name in names[:place]:
            raise BadOption(f"{what}: “{name}” stands there twice.")


def unchanged_names(options: Any) -> frozenset[str]:
    """The names in those lists of a task type's options that are as the type itself has them: no
    curator wrote them, so they are said in the language of whoever reads them."""
    lists = [getattr(options, field.name) for field in fields(options)]
    ours = [field.default for field in fields(options)]
    lines = [
        line
        for list_, own in zip(lists, ours, strict=True)
        if isinstance(own, tuple) and list_ == own
        for line in list_
    ]
    names = set()
    for line in lines:
        name, _, levels = line.partition(":")
        names |= {name.removesuffix(SEVERAL).strip(), *map(str.strip, levels.split(","))}
    return frozenset(name for name in names if name and not name.isdigit())


def _read_scale(line: str, *, what: str, most: int, several: bool) -> Scale:
    name, colon, rest = (part.strip() for part in line.partition(":"))
    is_several = several and name.endswith(SEVERAL)
    name = name.removesuffix(SEVERAL).strip() if is_several else name
    _refuse_odd_name(name, what)
    example = "“Helpful: 7” or “Helpful: poor, fair, good”"
    if not colon or not rest:
        raise BadOption(f"{what}: “{name}” needs its levels, such as {example}.")
    if rest.isascii() and rest.isdigit():
        levels: tuple[str, ...] = ("",) * min(int(rest), most + 1)
    else:
        levels = tuple(level.strip() for level in rest.split(","))
        if not all(levels):
            raise BadOption(f"{what}: a level of “{name}” has no name.")
        for level in levels:
            _refuse_odd_name(level, what)
        refuse_twins(levels, what=f"{what}: {name}")
    if not FEWEST <= len(levels) <= most:
        raise BadOption(f"{what}: “{name}” must have {FEWEST} to {most} levels.")
    return Scale(name, levels, is_several)


def _refuse_odd_name(name: str, what: str) -> None:
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise BadOption(f"{what}: a name has 1 to {NAME_LENGTH} characters, not “{name[:80]}”.")


# --- answers


def problem_with_level(level: Any, scale: Scale) -> str:
    whole = isinstance(level, int) and not isinstance(level, bool)
    if not whole or not 1 <= level <= len(scale.levels):
        return f"“{scale.name}” must be a whole number from 1 to {len(scale.levels)}."
    return ""


def problem_with_names(names: Any, known: Sequence[str], *, what: str) -> str:
    """What is wrong with a list of names that were chosen among these."""
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return f"“{what}” must be a list of names."
    for place, name in enumerate(names):
        if name not in known:
            return f"“{name[:NAME_LENGTH]}” is none of this queue's {what}."
        if name in names[:place]:
            return f"“{name}” is there twice."
    return ""


def number_in(text: str, *, least: int = 1) -> int | None:
    """A level as a form posts it; none where it is no number."""
    # Three digits: nobody has more levels, and int() takes its time over endless ones.
    if text.isascii() and text.isdigit() and len(text) <= 3 and int(text) >= least:
        return int(text)
    return None


def named(form: Mapping[str, str], prefix: str) -> Iterable[tuple[str, str]]:
    """The fields “prefix.name” of a form that say something, with their values."""
    for field, value in form.items():
        start, _, name = field.partition(".")
        if start == prefix and name and name.isprintable() and value:
            yield name, value


def by_position(form: Mapping[str, str], prefix: str) -> Iterable[tuple[int, str, str]]:
    """The fields “prefix.POSITION.name” of a form, with their values."""
    for field, value in form.items():
        start, _, rest = field.partition(".")
        position, _, name = rest.partition(".")
        place = number_in(position, least=0)
        if start == prefix and place is not None and name and name.isprintable():
            yield place, name, value


# --- rows


def level_row(field: str, scale: Scale, chosen: str, *, none: str = "") -> Row:
    """Radios for the levels; `none` is the word for level 0, where there is one."""
    words = list(enumerate((scale.word(level) for level in range(1, len(scale.levels) + 1)), 1))
    if none:
        words.insert(0, (0, none))
    return Row(
        scale.name,
        tuple(Choice(field, str(level), word, chosen == str(level)) for level, word in words),
    )


def box_row(name: str, field: str, names: Sequence[str], form: Mapping[str, str]) -> Row:
    """A box to tick for each name."""
    return Row(
        name,
        tuple(
            Choice(f"{field}.{one}", "on", one, bool(form.get(f"{field}.{one}"))) for one in names
        ),
        several=True,
        is_ours=True,
    )
