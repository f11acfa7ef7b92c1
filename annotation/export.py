"""Write a dataset version in a format that a trainer reads: one file for each split with rows.

A project's answers can be written too: as feedback, which loses nothing.
"""

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from annotation.derive import pieces
from annotation.export_feedback import as_jsonl, export_feedback, lines_of_tasks
from annotation.exports import EXPORTS, Export
from annotation.freeze import rows_of
from annotation.measure import Lengths, lengths_of
from annotation.models import DatasetVersion, Queue, Task
from annotation.preview import SPLITS
from annotation.write_parquet import write_parquet
from truing import storage
from truing.errors import Invalid, Refused
from truing.models import Project
from truing.plugins import plugin_named

CONTAINERS = ("jsonl", "parquet")
FEEDBACK = "feedback"


class DoesNotFit(Invalid):
    """This format cannot hold a dataset of this kind."""


class FolderInUse(Refused):
    """The folder holds files of another export."""


class NoFolder(Invalid):
    """The folder to write to cannot be made."""


def export(
    version: DatasetVersion,
    format: str,
    out: Path,
    *,
    container: str = "jsonl",
    max_length: int | None = None,
    tokenizer: str | None = None,
) -> dict[str, Any]:
    """Write a version to a folder, all files or none, and say what was written.

    With a length, also how many rows a trainer would drop or cut at it.
    """
    written_as = format_for(version, format)
    _check_container(container)
    lengths = lengths_of(written_as, max_length, tokenizer) if max_length is not None else None
    splits = [split for split in SPLITS if split in version.manifest["files"]]
    _check_folder(out, container, splits, version)
    rows = {}
    with storage.room_or_refusal(), ExitStack() as drafts:
        finished: list[tuple[Path, Path]] = []
        for split in splits:
            path = out / f"{split}.{container}"
            draft = _draft_of(path, drafts)
            measured = _measured(written_rows(version, format, split), split, lengths)
            rows[split] = _write(draft, measured, written_as, container)
            finished.append((draft, path))
        for draft, path in finished:
            draft.replace(path)
    result: dict[str, Any] = {
        "version": str(version),
        "format": format,
        "out": str(out),
        "files": {split: str(out / f"{split}.{container}") for split in splits},
        "rows": {split: rows.get(split, 0) for split in SPLITS},
    }
    if lengths:
        result["lengths"] = {**lengths.record(), "sentence": lengths.sentence()}
    return result


def export_answers(
    project: Project, out: Path, *, queue: Queue | None = None, container: str = "jsonl"
) -> dict[str, Any]:
    """Write all that a project, or one queue, was asked and answered: feedback, lossless."""
    _check_container(container)
    _make_folder(out)
    path = out / f"feedback.{container}"
    with storage.room_or_refusal(), ExitStack() as drafts:
        draft = _draft_of(path, drafts)
        lines = export_feedback(project, queue=queue)
        number = _write(draft, lines, EXPORTS[FEEDBACK], container)
        draft.replace(path)
    return {"project": project.slug, "format": FEEDBACK, "file": str(path), "lines": number}


def format_for(version: DatasetVersion, format: str) -> Export:
    """The format of that name, if it can hold this version."""
    found = plugin_named(EXPORTS, format, "format")
    if version.kind not in found.reads:
        names = ", ".join(name for name, other in EXPORTS.items() if version.kind in other.reads)
        raise DoesNotFit(f"“{format}” cannot hold a dataset of kind {version.kind}. Use: {names}.")
    return found


def written_rows(version: DatasetVersion, format: str, split: str) -> Iterator[dict[str, Any]]:
    """The rows of a split as a format writes them, one at a time."""
    written_as = format_for(version, format)
    if written_as.of_tasks:
        keys = (row["task"] for row in rows_of(version, split, columns=["task"]))
        return written_as.rows(_lines_of(keys))
    return written_as.rows(rows_of(version, split))


def lines_of(version: DatasetVersion, format: str, split: str) -> Iterator[bytes]:
    """The same as lines of JSON. What is wrong is said at once, not after the first lines."""
    return as_jsonl(written_rows(version, format, split))


def _measured(
    rows: Iterator[dict[str, Any]], split: str, lengths: Lengths | None
) -> Iterator[dict[str, Any]]:
    for row in rows:
        if lengths:
            lengths.add(split, row)
        yield row


def _lines_of(keys: Iterable[int]) -> Iterator[dict[str, Any]]:
    """The feedback lines of tasks; the keys of one task come together."""
    for piece in pieces(key for key, _ in groupby(keys)):
        yield from lines_of_tasks(Task.objects.filter(pk__in=piece))


def _draft_of(path: Path, drafts: ExitStack) -> Path:
    """Where a file is written before it takes its name; gone in the end, whatever happens."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    drafts.callback(draft.unlink, missing_ok=True)
    return draft


def _write(path: Path, rows: Iterable[dict[str, Any]], format: Export, container: str) -> int:
    if container == "parquet":
        return write_parquet(path, format.columns, map(format.flat, rows))
    number = 0
    with path.open("wb") as file:
        for line in as_jsonl(rows):
            file.write(line)
            number += 1
        file.flush()
        os.fsync(file.fileno())
    return number


def _check_container(container: str) -> None:
    if container not in CONTAINERS:
        raise Invalid(f"There is no container “{container}”. There are: {', '.join(CONTAINERS)}.")


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=out):
            pass  # nothing is read or counted for a folder that takes no file
    except OSError as problem:
        if problem.errno in storage.NO_ROOM:
            raise storage.DiskFull from problem
        raise NoFolder(f"{out} is not a folder that can be written to.") from problem


def _check_folder(out: Path, container: str, splits: list[str], version: DatasetVersion) -> None:
    _make_folder(out)
    for split in SPLITS:
        stale = out / f"{split}.{container}"
        if split not in splits and stale.exists():
            raise FolderInUse(
                f"{out} already holds {stale.name}, and {version} has no rows for it. "
                "Choose another folder."
            )
