from dataclasses import dataclass
from math import log

from annotation.conditions.base import Condition, Figures
from truing.options import option


@dataclass(frozen=True)
class CarelessOptions:
    risk: float = option(
        0.03,
        "Of careful people at most this share may be met by chance (0.001 to 0.2).",
        min_value=0.001,
        max_value=0.2,
    )


class Careless(Condition):
    """Wald's sequential test of known answers, checks and other people's answers together."""

    label = "known answers and others speak against care"
    Options = CarelessOptions

    def met_by(self, figures: Figures, options: CarelessOptions) -> str:
        if figures.suspicion < log(1 / options.risk):
            return ""
        seen = []
        if figures.checks_failed:
            seen.append(f"{figures.checks_failed} of {figures.checks} attention checks were failed")
        if figures.gold:
            seen.append(f"{figures.gold_right:.0f} of {figures.gold} known answers were right")
        if figures.compared:
            seen.append(f"{figures.agreed:.0f} of {figures.compared} others agreed")
        if not seen:
            return f"Of {figures.answers} answers most look like guesses."
        *more, last = seen
        told = f"{', '.join(more)}, and {last}" if more else last
        return f"Of {figures.answers} answers: {told}."
