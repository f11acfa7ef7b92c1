"""Sums that are the same in whatever order they are added.

Votes come in the order of database keys, and floating-point sums depend on their order in the last
digits. A model that goes round and round makes first digits of those. So what is added is rounded
first, to whole multiples of a power of two so large that no sum of them has to be rounded.
"""

import math

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]

BITS = 52  # of a double's fraction


def even(values: Numbers, count: int, largest: float) -> Numbers:
    """The values, rounded so that any `count` of them, none above `largest`, add up exactly."""
    if not largest or not math.isfinite(largest):
        return values
    step = 2.0 ** (math.frexp(largest)[1] + count.bit_length() - BITS)
    rounded: Numbers = np.rint(values / step) * step
    return rounded


def total(values: Numbers) -> float:
    """The sum of all values."""
    if not values.size:
        return 0.0
    return float(even(values, values.size, float(np.abs(values).max())).sum())


def sums_at(places: Places, values: Numbers, size: int, largest: float = 1.0) -> Numbers:
    """For each of `size` places the sum of the values that belong there; shape (size,)."""
    return np.bincount(places, even(values, values.size, largest), size).astype(np.float64)
