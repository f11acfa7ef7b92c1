from dataclasses import dataclass

from annotation.conditions.base import Condition, Figures
from truing.options import option


@dataclass(frozen=True)
class InconsistentOptions:
    repeats: int = option(5, "After so many questions asked twice.", min_value=1, max_value=1000)
    share: float = option(
        0.6, "Met where less than this share is answered alike (0 to 1).", min_value=0, max_value=1
    )


class Inconsistent(Condition):
    label = "the same question is answered differently"
    Options = InconsistentOptions

    def met_by(self, figures: Figures, options: InconsistentOptions) -> str:
        if figures.repeats < options.repeats:
            return ""
        if figures.consistent >= options.share * figures.repeats:
            return ""
        return (
            f"{figures.consistent:.0f} of {figures.repeats} repeated questions had the same answer."
        )
