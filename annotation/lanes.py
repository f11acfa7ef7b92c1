"""Where a free slot stands in its queue: slots are given by lane, and within a lane by key.

So every order is the same short walk along one index. A slot that becomes free again, or whose
place changes, is a new row at the end of its lane: people only ever go forward.
"""

import random

from annotation.models import Queue
from annotation.models.queue import HIGHEST_PRIORITY, MAIN_LANE

Order = Queue.Order
FRONT_LANE = 0  # what came back is given before what nobody has had
LAST_LEVEL = 9  # the answers after the tenth share a lane
RANDOM_LANES = 30_000


def lane_for(queue: Queue, *, priority: int = 0, level: int = 0, is_begun: bool = False) -> int:
    """The lane of a slot: `level` answers are wanted before it, and its task may be begun."""
    match queue.order:
        case Order.RANDOM:
            return random.randrange(RANDOM_LANES)
        case Order.PRIORITY:
            return MAIN_LANE - priority
        case Order.BREADTH:
            return MAIN_LANE + min(level, LAST_LEVEL)
        case Order.DEPTH if is_begun:
            return FRONT_LANE
    return MAIN_LANE


def lane_back(queue: Queue, lane: int, *, priority: int) -> int:
    """The lane of a slot that comes back from this one.

    The queue's order, and the task's priority, may have changed since that one was taken.
    """
    match queue.order:
        case Order.RANDOM:
            return lane_for(queue)
        case Order.PRIORITY:
            return lane_for(queue, priority=priority)
        case Order.BREADTH:
            return min(max(lane, MAIN_LANE), lanes_of(queue)[-1])
    return FRONT_LANE


def lanes_of(queue: Queue) -> list[int]:
    """The lanes in which slots of this queue stand, in order; none where chance decides."""
    match queue.order:
        case Order.RANDOM:
            return []
        case Order.PRIORITY:
            return list(range(MAIN_LANE - HIGHEST_PRIORITY, MAIN_LANE + HIGHEST_PRIORITY + 1))
        case Order.BREADTH:
            levels = queue.most_wanted
            return list(range(MAIN_LANE, MAIN_LANE + min(levels, LAST_LEVEL + 1)))
    return [FRONT_LANE, MAIN_LANE]


# The same for many slots at once; `level`, `priority` and `is_begun` are columns of the query.
LANE = f"""
CASE %(order)s
    WHEN 'random' THEN floor(random() * {RANDOM_LANES})
    WHEN 'priority' THEN {MAIN_LANE} - priority
    WHEN 'breadth' THEN {MAIN_LANE} + least(level, {LAST_LEVEL})
    WHEN 'depth' THEN CASE WHEN is_begun THEN {FRONT_LANE} ELSE {MAIN_LANE} END
    ELSE {MAIN_LANE}
END
"""
