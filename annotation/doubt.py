"""How far the answers to one question are apart. Plain values in, plain values out.

It is Rao's quadratic entropy (Theoretical Population Biology 21, 1982): how unlike two answers are
that are drawn with replacement, in the mean, unlikeness being one minus `likeness`. So two people
of two and five people of ten who differ are in as much doubt, and more than one of three.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from annotation.likeness import likeness

LEAST = 0.1  # less is no dispute: neighbouring levels, or one answer of twenty
MOST = 0.5  # half of the people say one thing, half another; a ranking may be a little beyond


def doubt(answers: Sequence[Mapping[str, Any]]) -> float:
    """From 0, where all say the same. What cannot be compared adds none."""
    if len(answers) < 2:
        return 0.0
    apart = 0.0
    for place, one in enumerate(answers):
        for other in answers[place + 1 :]:
            alike = likeness(one, other)
            apart += 0.0 if alike is None else 1 - alike
    return 2 * apart / len(answers) ** 2
