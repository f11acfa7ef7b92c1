from collections.abc import Mapping
from dataclasses import dataclass
from math import exp
from typing import Any

from truing.options import build


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of somebody's work in a queue. See the table of the same names."""

    answers: int = 0
    skips: int = 0
    skips_in_row: int = 0
    gold: int = 0
    gold_right: float = 0
    checks: int = 0
    checks_failed: int = 0
    compared: int = 0
    agreed: float = 0
    repeats: int = 0
    consistent: float = 0
    lefts: int = 0
    rights: int = 0
    timed: int = 0
    log_seconds: float = 0
    suspicion: float = 0
    leaning_left: float = 0
    leaning_right: float = 0
    haste: float = 0

    @property
    def usual_seconds(self) -> float | None:
        """The geometric mean, which a lunch break does not move much."""
        return exp(self.log_seconds / self.timed) if self.timed else None


class Condition:
    """One thing that a rule can look for."""

    label: str
    Options: type  # a frozen dataclass

    def built(self, values: Mapping[str, Any]) -> Any:
        return build(self.Options, values)

    def met_by(self, figures: Figures, options: Any) -> str:
        """Say in one sentence what is seen where the condition is met; say nothing where not."""
        raise NotImplementedError
