"""What a training method says of itself, and what it is given. No Django here."""

import json
import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any


@dataclass(frozen=True)
class Work:
    """All that a training process is given, and where it leaves what it made."""

    folder: Path
    options: Any
    train_file: Path | None  # JSONL as the method's `reads` export writes it
    eval_file: Path | None
    base: Path | None  # the model it starts from: a folder (or a hub name)
    reward: Path | None  # the reward model, for methods that ask one
    resume: Path | None = None  # the last whole checkpoint of an earlier attempt
    started: float = field(default_factory=time.time)
    stop: Event = field(default_factory=Event)  # set when the process is told to end

    def report(self, *, step: int, total: int, **metrics: float) -> None:
        """Add one line to metrics.jsonl, which the run's page shows.

        Names are made plain (`rewards/margins` is `rewards_margins`), and what is no number
        in JSON (NaN, infinity) is left out.
        """
        line: dict[str, float] = {"step": step, "total": total, "at": round(time.time(), 3)}
        for name, value in metrics.items():
            if math.isfinite(value):
                line[name.replace("/", "_").replace(" ", "_")] = value
        with (self.folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def is_cancelled(self) -> bool:
        """Whether somebody asked for the end: save a checkpoint, and stop."""
        return self.stop.is_set() or (self.folder / "cancel").exists()


class Method:
    """One way to train."""

    label: str
    reads: str  # the export that it trains on
    makes: str = "policy"  # or "reward"
    needs_base: bool = True  # False: it can start from nothing
    needs_reward: bool = False
    Options: type  # a frozen dataclass: the form, the API's schema, and the record of the run

    def problem_with(self, options: Any, *, has_base: bool, has_eval: bool) -> str:
        """One sentence on what in these options has no effect or no meaning here, or ""."""
        return ""

    def train(self, work: Work) -> dict[str, float]:
        """Train, leave the model in `work.folder / "model"`, and return the last metrics.

        Stops early, leaving a checkpoint and no model, when `work.is_cancelled()`. Raises
        Refused with a sentence for the person when it cannot go on.
        """
        raise NotImplementedError
