from dataclasses import dataclass

from annotation.conditions.base import Condition, Figures
from truing.options import option


@dataclass(frozen=True)
class SkippedInRowOptions:
    number: int = option(10, "Met by so many skips without an answer.", min_value=2, max_value=1000)


class SkippedInRow(Condition):
    label = "skipped in a row"
    Options = SkippedInRowOptions

    def met_by(self, figures: Figures, options: SkippedInRowOptions) -> str:
        if figures.skips_in_row < options.number:
            return ""
        return f"{figures.skips_in_row} questions in a row were skipped."
