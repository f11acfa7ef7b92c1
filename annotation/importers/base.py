"""What an importer is given, and what it gives back. Plain values: no Django, no tables."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

Record = dict[str, Any]

LONGEST_LINE = 16 * 1024 * 1024
GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Found:
    """One place in a file: a record of feedback there, or a sentence about what is wrong."""

    line: int
    record: Record = field(default_factory=dict)
    problem: str = ""
    size: int = 0  # bytes, so that a batch of records stays small


class Importer:
    """One way to read a file: as records in the form of feedback JSONL (docs/feedback.md).

    What a record says is checked afterwards, and alike for every format.
    """

    label: str
    example_file: bytes  # a small file that can be read, for tests

    def records(self, file: BinaryIO) -> Iterator[Found]:
        """Read the file from its beginning, with little of it in memory at a time."""
        raise NotImplementedError


def lines_of(file: BinaryIO) -> Iterator[tuple[int, bytes | None, str]]:
    """The lines of a plain or gzipped file with their numbers, or a sentence instead of a line.

    Blank lines are passed over. A file that turns out to be broken ends with a sentence.
    """
    packed = file.read(2) == GZIP
    file.seek(0)
    unpacked: Any = gzip.GzipFile(fileobj=file) if packed else file
    number = 0
    while True:
        number += 1
        try:
            line = unpacked.readline(LONGEST_LINE + 1)
            if len(line) > LONGEST_LINE:
                _pass_over_the_rest(unpacked)
                mebibytes = LONGEST_LINE // 1024 // 1024
                yield number, None, f"The line is longer than {mebibytes} MB."
                continue
        except (EOFError, gzip.BadGzipFile, zlib.error):
            yield number, None, "The gzip file is broken or incomplete from here on."
            return
        if not line:
            return
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line.strip():
            yield number, line, ""


def _pass_over_the_rest(file: BinaryIO) -> None:
    while rest := file.readline(LONGEST_LINE):
        if rest.endswith(b"\n"):
            return
