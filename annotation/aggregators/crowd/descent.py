"""Find where a smooth function is least (L-BFGS: Liu and Nocedal, Math. Programming 45, 1989).

scipy has it too, but nothing else here needs scipy, and its sums depend on the parameters' order.
"""

from collections import deque
from collections.abc import Callable

import numpy as np

from annotation.aggregators.crowd.sums import Numbers, total

KEPT = 30  # steps remembered, from which the curvature is guessed
STEPS = 1000
HALVINGS = 40
ENOUGH = 1e-4  # of the promised decrease (Armijo)

Function = Callable[[Numbers], tuple[float, Numbers]]  # its value there, and its slope


def lowest(function: Function, start: Numbers, *, close: float) -> Numbers:
    """Where the function is least, going down from the start until no slope exceeds `close`."""
    place = start
    value, slope = function(place)
    past: deque[tuple[Numbers, Numbers, float]] = deque(maxlen=KEPT)
    for _ in range(STEPS):
        if np.abs(slope).max(initial=0.0) < close:
            break
        step = _downhill(slope, past)
        promised = total(step * slope)
        length = 1.0
        for _ in range(HALVINGS):
            there = place + length * step
            new_value, new_slope = function(there)
            if new_value <= value + ENOUGH * length * promised:
                break
            length /= 2
        else:
            break  # as low as numbers can tell
        moved, turned = there - place, new_slope - slope
        curved = total(moved * turned)
        if curved > 0:
            past.append((moved, turned, curved))
        place, value, slope = there, new_value, new_slope
    return place


def _downhill(slope: Numbers, past: deque[tuple[Numbers, Numbers, float]]) -> Numbers:
    """The slope against the curvature seen so far, pointing down."""
    if not past:
        return -slope / max(1.0, float(np.abs(slope).max()))
    step = slope.copy()
    shares = []
    for moved, turned, curved in reversed(past):
        share = total(moved * step) / curved
        step -= share * turned
        shares.append(share)
    _, turned, curved = past[-1]
    step *= curved / total(turned * turned)
    for (moved, turned, curved), share in zip(past, reversed(shares), strict=True):
        step += moved * (share - total(turned * step) / curved)
    return -step
