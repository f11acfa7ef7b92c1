"""How often a candidate wins, and how sure that is: plain statistics on scores of prompts.

A prompt's score is 1 where the candidate won, 0 where it lost and 1/2 for a tie; of several
answers to one prompt, their mean, so that prompts are counted and not answers.

The interval is that of Bonett and Price (2012) for a difference of paired proportions: Wald's,
after one won and one lost prompt that nobody saw are added. It keeps near its 95 % for few
prompts, many ties and rates near 0 or 1, where Wald's own claims to be certain; and it is the
same formula for scores between the three.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

Z = 1.959964  # 95 % of a normal distribution lie within so many deviations
ADDED = 2  # imaginary prompts: one won, one lost


@dataclass
class WinRate:
    """A running mean of scores with its interval. Weights may be fractions of a prompt."""

    prompts: float = 0.0
    total: float = 0.0  # of 2 * score - 1, which is between -1 and 1
    squares: float = 0.0

    def add(self, score: float, weight: float = 1.0) -> None:
        """Count a prompt; with a negative weight, take one back."""
        difference = 2 * score - 1
        self.prompts += weight
        self.total += weight * difference
        self.squares += weight * difference * difference

    @property
    def rate(self) -> float:
        return (1 + self.total / self.prompts) / 2 if self.prompts else 0.5

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true rate lies, with 95 % confidence. All of 0 to 1 without a prompt."""
        if not self.prompts:
            return 0.0, 1.0
        size = self.prompts + ADDED
        mean = self.total / size
        variance = max(0.0, (self.squares + ADDED) / size - mean * mean)
        reach = Z * sqrt(variance / size)
        low, high = (1 + mean - reach) / 2, (1 + mean + reach) / 2
        # The interval always holds the rate that was seen.
        return max(0.0, min(low, self.rate)), min(1.0, max(high, self.rate))


def win_rate(scores: Iterable[float]) -> WinRate:
    """The win rate of these prompts."""
    found = WinRate()
    for score in scores:
        found.add(score)
    return found
