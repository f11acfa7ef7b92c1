"""What an export format is given, and what it gives back. Plain values: no Django, no tables."""

from collections.abc import Iterable, Iterator
from typing import Any

Row = dict[str, Any]
Message = dict[str, str]

# What a column can hold; files with typed columns need to know it.
MESSAGES = "messages"
TEXT = "text"
NUMBER = "number"
WHOLE = "whole"
YES_NO = "yes_no"
TEXTS = "texts"


class Export:
    """One way to write the rows of a dataset version.

    A row of a preference version has `prompt` (messages), `chosen` and `rejected` (texts), their
    sources, the votes behind it and more; one of the other kinds has `prompt` and `completion`
    (none where a label is about the prompt), and what is said of it.
    """

    label: str
    reads: tuple[str, ...]  # the kinds of dataset that it can write
    columns: dict[str, str]  # what a row has in a file with columns: MESSAGES, TEXT, NUMBER...
    # It is given the tasks behind a version's rows, as feedback lines, instead of the rows.
    of_tasks = False

    def row(self, row: Row) -> Row:
        """One row as this format writes it."""
        raise NotImplementedError

    def rows(self, rows: Iterable[Row]) -> Iterator[Row]:
        """All rows, one at a time. A format that leaves some out says so here."""
        return map(self.row, rows)

    def flat(self, written: Row) -> Row:
        """A written row as its columns hold it, where that is not the same."""
        return written

    def sequences(self, written: Row) -> list[list[Message]]:
        """The conversations of a written row, each as a trainer would cut it into tokens."""
        raise NotImplementedError


def said(text: str) -> list[Message]:
    """An output as the turn that it is."""
    return [{"role": "assistant", "content": text}]
