"""Write rows to parquet and read them back, a piece at a time, in constant memory."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import pyarrow

PIECE = 1000  # rows a group: what a reader holds in memory at once

# What a column holds, beside what exports may name.
KINDS = ("messages", "text", "number", "whole", "yes_no", "texts", "keys")

PREFERENCE = {
    "prompt": "messages",
    "chosen": "text",
    "rejected": "text",
    "chosen_source": "text",
    "rejected_source": "text",
    "tie": "yes_no",
    "agreement": "number",
    "strength": "number",
    "votes": "whole",
    "votes_chosen": "whole",
    "votes_tied": "whole",
    "votes_rejected": "whole",
    "language": "text",
    "tags": "texts",
    "task": "whole",
    "annotations": "keys",
}
DEMONSTRATION = {
    "prompt": "messages",
    "completion": "text",
    "source": "text",
    "language": "text",
    "tags": "texts",
    "output": "whole",
    "task": "whole",
    "annotations": "keys",
}
# What is said of one output, or of a prompt: then there is no completion.
JUDGMENT = {
    "prompt": "messages",
    "completion": "text",
    "source": "text",
    "language": "text",
    "tags": "texts",
    "output": "whole",
    "task": "whole",
    "annotations": "keys",
}
UNPAIRED = {
    **JUDGMENT,
    "label": "yes_no",
    "score": "number",
    "flagged": "yes_no",
    "votes": "whole",
}
LABEL = {
    **JUDGMENT,
    "name": "text",
    "value": "text",
    "level": "number",
    "share": "number",
    "votes": "whole",
    "voters": "whole",
}
CRITIQUE = {
    **JUDGMENT,
    "critique": "text",
    "labels": "texts",
    "severity": "number",
    "start": "whole",
    "end": "whole",
    "quote": "text",
}
COLUMNS = {
    "preference": PREFERENCE,
    "unpaired_preference": UNPAIRED,
    "instruction": DEMONSTRATION,
    "text": DEMONSTRATION,
    "label": LABEL,
    "critique": CRITIQUE,
}


def schema_of(columns: Mapping[str, str]) -> "pyarrow.Schema":
    import pyarrow

    message = pyarrow.struct([("role", pyarrow.string()), ("content", pyarrow.string())])
    types = {
        "messages": pyarrow.list_(message),
        "text": pyarrow.string(),
        "number": pyarrow.float64(),
        "whole": pyarrow.int64(),
        "yes_no": pyarrow.bool_(),
        "texts": pyarrow.list_(pyarrow.string()),
        "keys": pyarrow.list_(pyarrow.int64()),
    }
    return pyarrow.schema([(name, types[kind]) for name, kind in columns.items()])


class ParquetFile:
    """A parquet file that grows by rows. Leaving it closes it."""

    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        from pyarrow.parquet import ParquetWriter

        self.schema = schema_of(columns)
        self.rows = 0
        self._waiting: list[dict[str, Any]] = []
        # Our own file object, so that a full disk is the operating system's error.
        self._file = path.open("wb")
        self._writer = ParquetWriter(self._file, self.schema, compression="zstd")

    def add(self, row: dict[str, Any]) -> None:
        self._waiting.append(row)
        self.rows += 1
        if len(self._waiting) >= PIECE:
            self._write()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None and self._waiting:
                self._write()
            if kind is None:
                self._writer.close()
        finally:
            self._file.close()

    def _write(self) -> None:
        import pyarrow

        self._writer.write_table(pyarrow.Table.from_pylist(self._waiting, schema=self.schema))
        self._waiting = []


def write_parquet(path: Path, columns: Mapping[str, str], rows: Iterable[dict[str, Any]]) -> int:
    """Write all rows to one file, and say how many there were."""
    with ParquetFile(path, columns) as file:
        for row in rows:
            file.add(row)
    return file.rows


def read_parquet(
    path: Path,
    *,
    start: int = 0,
    stop: int | None = None,
    columns: list[str] | None = None,
) -> Iterator[dict[str, Any]]:
    """The rows of a file, one at a time, or some of them: what lies before them is not read."""
    from pyarrow.parquet import ParquetFile as Reader

    with Reader(path) as reader:
        before = 0
        for group in range(reader.num_row_groups):
            size = reader.metadata.row_group(group).num_rows
            if stop is not None and before >= stop:
                return
            if before + size > start:
                rows = reader.read_row_group(group, columns=columns).to_pylist()
                last = None if stop is None else stop - before
                yield from rows[max(0, start - before) : last]
            before += size
