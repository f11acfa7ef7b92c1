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
        share = (
            f" {figures.agreed:.0f} of {figures.compared} others agreed" if figures.compared else ""
        )
        known = f" {figures.gold_right:.0f} of {figures.gold} known answers were right"
        seen = ", and".join(filter(None, (known if figures.gold else "", share)))
        return f"Of {figures.answers} answers{':' if seen else ' most look like guesses'}{seen}."
