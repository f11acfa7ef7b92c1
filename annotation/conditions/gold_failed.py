from dataclasses import dataclass

from annotation.conditions.base import Condition, Figures
from truing.options import option


@dataclass(frozen=True)
class GoldFailedOptions:
    asked: int = option(5, "After so many known answers.", min_value=1, max_value=1000)
    share: float = option(
        0.6, "Met where less than this share is right (0 to 1).", min_value=0, max_value=1
    )


class GoldFailed(Condition):
    label = "too few known answers are right"
    Options = GoldFailedOptions

    def met_by(self, figures: Figures, options: GoldFailedOptions) -> str:
        if figures.gold < options.asked or figures.gold_right >= options.share * figures.gold:
            return ""
        return f"{figures.gold_right:.0f} of {figures.gold} known answers were right."
