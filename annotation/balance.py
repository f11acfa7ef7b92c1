"""Chance that comes out even: sides in blocks, and checks one in each stretch of the work.

Drawn from the server's secret, so that nobody can tell what comes next, and from nothing else, so
that nothing has to be written down.
"""

import random
from collections.abc import Sequence
from math import ceil, floor

from django.utils.crypto import salted_hmac

ROUNDING = 1e-9
Whose = tuple[int, int]  # an annotator in a queue


def balanced(refs: Sequence[str], whose: Whose, taken: int) -> list[str]:
    """An order by chance; over as many questions as there are places, each ref has each of them.

    A block is a random order and its rotations, themselves in random order.
    """
    size = len(refs)
    if size < 2:
        return list(refs)
    block, place = divmod(taken, size)
    chance = _chance("sides", whose, size, block)
    order = chance.sample(list(refs), k=size) if size > 2 else list(refs)
    turn = chance.sample(range(size), k=size)[place]
    return order[turn:] + order[:turn]


def is_due(kind: str, whose: Whose, taken: int, share: float) -> bool:
    """Whether a check is due now: one at a random place of each 1 / share questions."""
    return due_before(kind, whose, taken + 1, share) > due_before(kind, whose, taken, share)


def due_before(kind: str, whose: Whose, taken: int, share: float) -> int:
    """How many checks are due among the first so many questions."""
    if share <= 0 or taken <= 0:
        return 0
    if share >= 1:
        return taken
    # In block number k stand the questions from k / share on.
    block = floor((taken - 1) * share + ROUNDING)
    first, end = _start(block, share), _start(block + 1, share)
    place = first + _chance(kind, whose, block).randrange(max(1, end - first))
    return block + (place < taken)


def _start(block: int, share: float) -> int:
    return ceil(block / share - ROUNDING)


def _chance(*what: object) -> random.Random:
    return random.Random(salted_hmac("annotation.balance", repr(what)).digest())
