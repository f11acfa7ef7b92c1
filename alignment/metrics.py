"""What a process writes while it works, as pages and followers read it: bounded, whole lines."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TAIL_BYTES = 16_384
POINTS = 600  # of a curve: more than a screen can show
NOT_CURVES = ("step", "total", "at", "epoch")
FIRST = ("loss", "eval_loss")
COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
RATE_LINES = 50

Line = dict[str, Any]


def last_line(folder: Path) -> Line:
    """The newest whole line of metrics.jsonl; empty when there is none."""
    return next(iter(reversed(_last_lines(folder))), {})


def _last_lines(folder: Path) -> list[Line]:
    content = _tail(folder / "metrics.jsonl")
    lines = content[: content.rfind(b"\n") + 1].splitlines()
    return [line for raw in lines if (line := _read(raw))]


def _tail(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(0, size - TAIL_BYTES))
            return stream.read()
    except FileNotFoundError:
        return b""


def _read(raw: bytes) -> Line | None:
    try:
        line = json.loads(raw)
    except ValueError:
        return None  # cut in two by a kill, or by where the tail begins
    return line if isinstance(line, dict) and "step" in line else None


def seconds_left(folder: Path) -> float | None:
    """How long it will take at the speed of its newest steps; None while that is not known."""
    lines = _last_lines(folder)[-RATE_LINES:]
    if len(lines) < 2:
        return None
    first, last = lines[0], lines[-1]
    steps = last["step"] - first["step"]
    if steps <= 0 or not last.get("total"):
        return None
    return max(0.0, (last["at"] - first["at"]) / steps * (last["total"] - last["step"]))


def curves(folder: Path, *, points: int = POINTS) -> dict[str, list[list[float]]]:
    """Each metric as [step, value] pairs. Of a long run, evenly chosen lines and the last one."""
    found: dict[str, list[list[float]]] = {}
    for line in _chosen(folder / "metrics.jsonl", points):
        for name, value in line.items():
            if name not in NOT_CURVES and isinstance(value, int | float):
                found.setdefault(name, []).append([line["step"], value])
    names = sorted(found, key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))
    return {name: _thinned(found[name], points) for name in names}


def _chosen(file: Path, points: int) -> Iterator[Line]:
    """Every n-th line, and all that measure the eval rows, which are few."""
    try:
        with file.open("rb") as stream:
            total = sum(1 for _ in stream)
            stream.seek(0)
            stride = max(1, total // points)
            for number, raw in enumerate(stream):
                wanted = number % stride == 0 or number == total - 1 or b'"eval_' in raw
                if wanted and raw.endswith(b"\n") and (line := _read(raw)):
                    yield line
    except FileNotFoundError:
        return


def _thinned(pairs: list[list[float]], points: int) -> list[list[float]]:
    if len(pairs) <= 2 * points:
        return pairs
    return pairs[:: len(pairs) // points] + pairs[-1:]


def log_tail(folder: Path, *, lines: int = 60) -> str:
    """The end of the log as a person reads it: no colours, no overwritten progress bars."""
    text = COLOURS.sub("", _tail(folder / "log.txt").decode("utf-8", "replace"))
    shown = [line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")]
    return "\n".join(shown[-lines:]).strip("\n").replace("\x00", "")
