from dataclasses import dataclass
from math import log

from annotation.conditions.base import Condition, Figures
from truing.options import option

FEWEST = 10


@dataclass(frozen=True)
class TooFastOptions:
    risk: float = option(
        0.00001,
        "How unlikely it must be for somebody of whom one answer in ten is far below the queue's "
        "median time. 0.00001 is met by 6 such answers in a row.",
        min_value=0.0000001,
        max_value=0.05,
    )
    seconds: float = option(
        0.0,
        "Also met where answers usually take less than so many seconds. 0: never.",
        min_value=0,
        max_value=3600,
    )


class TooFast(Condition):
    """Answers come far faster than those of others in the same queue."""

    label = "far too fast"
    Options = TooFastOptions

    def met_by(self, figures: Figures, options: TooFastOptions) -> str:
        usual = figures.usual_seconds
        if usual is None:
            return ""
        if figures.haste >= log(1 / options.risk):
            return f"An answer usually takes them {usual:.1f} seconds, far less than others need."
        if figures.timed >= FEWEST and usual < options.seconds:
            return f"An answer usually takes them {usual:.1f} seconds, not {options.seconds:g}."
        return ""
