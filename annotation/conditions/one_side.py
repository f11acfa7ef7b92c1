from dataclasses import dataclass
from math import log

from annotation.conditions.base import Condition, Figures
from truing.options import option


@dataclass(frozen=True)
class OneSideOptions:
    risk: float = option(
        0.0001,
        "How unlikely it must be for somebody who takes one side six times in ten. "
        "0.0001 is met by 20 in a row.",
        min_value=0.000001,
        max_value=0.05,
    )


class OneSide(Condition):
    """Sides are drawn evenly, so what is better stands on each of them half of the time."""

    label = "always the same side"
    Options = OneSideOptions

    def met_by(self, figures: Figures, options: OneSideOptions) -> str:
        limit = log(1 / options.risk)
        if figures.leaning_left >= limit:
            return f"What stood first was best in {figures.lefts} of {figures.answers} answers."
        if figures.leaning_right >= limit:
            return f"What stood last was best in {figures.rights} of {figures.answers} answers."
        return ""
