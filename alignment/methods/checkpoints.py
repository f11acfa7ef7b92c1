"""Which checkpoints of a run are whole: one gets its name only when all of it is on disk."""

import json
import os
import re
import shutil
from pathlib import Path

KEPT = 2
UNFINISHED = "unfinished"  # the folder in which a checkpoint is written


def place_for_new(folder: Path) -> Path:
    """The folder to write checkpoints in before they have their names."""
    return folder / "checkpoints" / UNFINISHED


def finish(folder: Path, step: int) -> Path:
    """Give the checkpoint of this step its name, and delete all but the last two."""
    written = place_for_new(folder) / f"checkpoint-{step}"
    (written / "training_args.bin").unlink(missing_ok=True)  # a pickle that nobody needs
    # On disk first, then the name: a name never stands for half of a checkpoint.
    for file in sorted(written.rglob("*")):
        if file.is_file():
            _sync(file)
    named = folder / "checkpoints" / written.name
    if named.exists():
        shutil.rmtree(named)
    written.rename(named)
    _sync(named.parent)
    for old in whole(folder)[:-KEPT]:
        shutil.rmtree(old)
    return named


def whole(folder: Path) -> list[Path]:
    """The whole checkpoints of a run, oldest first."""
    found = {
        int(match[1]): path
        for path in (folder / "checkpoints").glob("checkpoint-*")
        if (match := re.fullmatch(r"checkpoint-(\d+)", path.name))
    }
    return [found[step] for step in sorted(found)]


def last_whole(folder: Path) -> Path | None:
    """The checkpoint to go on from, if there is one."""
    return next(reversed(whole(folder)), None)


def step_of(checkpoint: Path | None) -> int:
    return int(checkpoint.name.rpartition("-")[2]) if checkpoint else 0


def drop_unfinished(folder: Path) -> None:
    """Delete what an attempt that was killed had begun to write."""
    shutil.rmtree(place_for_new(folder), ignore_errors=True)


def cut_metrics(folder: Path, step: int) -> None:
    """Delete the lines of metrics.jsonl past this step: those steps are done again."""
    file = folder / "metrics.jsonl"
    if not file.exists():
        return
    kept = [line for line in metrics(folder) if line["step"] <= step]
    rewritten = file.with_suffix(".new")
    rewritten.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
    rewritten.replace(file)


def metrics(folder: Path) -> list[dict[str, float]]:
    """The lines of metrics.jsonl, without one that a kill has cut in two."""
    lines = []
    file = folder / "metrics.jsonl"
    for line in file.read_bytes().split(b"\n") if file.exists() else []:
        try:
            lines.append(json.loads(line))
        except ValueError:
            continue
    return lines


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
