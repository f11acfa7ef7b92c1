from dataclasses import dataclass

from annotation.conditions.base import Condition, Figures
from truing.options import option


@dataclass(frozen=True)
class CheckFailedOptions:
    failed: int = option(2, "Met by so many failed checks.", min_value=1, max_value=100)


class CheckFailed(Condition):
    label = "attention checks failed"
    Options = CheckFailedOptions

    def met_by(self, figures: Figures, options: CheckFailedOptions) -> str:
        if figures.checks_failed < options.failed:
            return ""
        return f"{figures.checks_failed} of {figures.checks} attention checks were failed."
