"""What the task types share in which people write: how a text is read, counted and cut short."""

from collections.abc import Mapping

from annotation.task_types.base import Answer
from truing.options import BadOption

LONGEST = 200_000  # characters; what is longer is not rendered any more
SHORT = 80


def text_in(form: Mapping[str, str], name: str) -> str:
    """A text as it was typed: a browser ends lines with two characters, PostgreSQL keeps no NUL."""
    return form.get(name, "").replace("\r\n", "\n").replace("\x00", "")


def problem_with_keys(answer: Answer, known: set[str]) -> str:
    if not isinstance(answer, dict):
        return "An answer must be an object."
    if unknown := sorted(set(answer) - known):
        return f"An answer cannot have “{unknown[0]}”."
    return ""


def problem_with_text(text: object, *, empty: str, what: str, least: int, most: int) -> str:
    """What is wrong with a text that somebody wrote, white space at its ends not counted."""
    if not isinstance(text, str):
        return f"{what} must be a text."
    length = len(text.strip())
    if not length:
        return empty
    if length < least:
        return f"{what} has {length:,} characters, and should have {least:,} at least."
    if length > most:
        return f"{what} has {length:,} characters, and may have {most:,} at most."
    return ""


def refuse_odd_limits(least: int, most: int) -> None:
    if least > most:
        raise BadOption(f"Nothing has at least {least:,} and at most {most:,} characters.")


def in_short(text: object) -> str:
    """The beginning of a text, on one line, and how long all of it is."""
    words = " ".join(str(text).split())
    beginning = words if len(words) <= SHORT else f"{words[: SHORT - 1]}…"
    return f"“{beginning}” ({len(str(text)):,} characters)"
