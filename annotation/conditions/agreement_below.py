from dataclasses import dataclass

from annotation.conditions.base import Condition, Figures
from truing.options import option


@dataclass(frozen=True)
class AgreementBelowOptions:
    compared: int = option(
        30, "After so many comparisons with another's answer.", min_value=5, max_value=10_000
    )
    share: float = option(
        0.5, "Met where less than this share agrees (0 to 1).", min_value=0, max_value=1
    )


class AgreementBelow(Condition):
    label = "agreement below a share"
    Options = AgreementBelowOptions

    def met_by(self, figures: Figures, options: AgreementBelowOptions) -> str:
        if figures.compared < options.compared:
            return ""
        if figures.agreed >= options.share * figures.compared:
            return ""
        return f"{figures.agreed / figures.compared:.0%} of others' answers agreed with theirs."
