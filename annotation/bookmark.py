"""Move bookmarks: somebody's own, and the queue's, before which no slot is free any more."""

from annotation.models import Annotator, Bookmark
from annotation.pick import MARK, UNMET, WINDOW, OpenQueue, Stretch, withheld_in
from truing.prepared import fetch, run

# A bookmark is moved when so many keys lie between it and what was picked.
FAR = 256
FAR_FOR_ALL = 4096

_MOVE = f"""
WITH near AS MATERIALIZED (
    SELECT ahead.id, ahead.queue_id, ahead.task_id, ahead.round
    FROM annotation_assignment ahead
    WHERE ahead.state = 'free' AND ahead.queue_id = %(in)s AND ahead.lane = %(lane)s
        AND ahead.id > %(after)s
    ORDER BY ahead.id LIMIT {WINDOW}
), first AS (
    SELECT id FROM near WHERE {UNMET.format(slot="near", mark=MARK)} ORDER BY id LIMIT 1
)
UPDATE annotation_bookmark SET positions = positions || jsonb_build_object(
    %(lane)s::text, coalesce((SELECT id FROM first) - 1, (SELECT max(id) FROM near), %(picked)s)
)
WHERE queue_id = %(in)s AND annotator_id = %(annotator)s
"""
_MOVE_FLOOR = """
INSERT INTO annotation_bookmark (queue_id, positions)
SELECT %(in)s, jsonb_build_object(%(lane)s::text, id - 1) FROM (
    SELECT ahead.id FROM annotation_assignment ahead
    WHERE ahead.state = 'free' AND ahead.queue_id = %(in)s AND ahead.lane = %(lane)s
        AND ahead.id > %(floor)s
    ORDER BY ahead.id LIMIT 1
) first
ON CONFLICT (queue_id, annotator_id) DO UPDATE
    SET positions = annotation_bookmark.positions || excluded.positions
"""


def is_far(stretch: Stretch | None, slot: int) -> bool:
    return stretch is not None and stretch.lane == stretch.last_lane and slot - stretch.after > FAR


def move(annotator: Annotator, queue: OpenQueue, stretch: Stretch, picked: int) -> None:
    """Move the bookmark up to the first free slot that they have not met, locked or not.

    Nothing is moved while slots are coming in, or while somebody else moves: next time will do.
    """
    [[is_alone]] = fetch(
        "SELECT pg_try_advisory_xact_lock(hashtextextended('annotation.slots', %s))",
        [stretch.queue],
    )
    if not is_alone:
        return
    values = {"in": stretch.queue, "lane": stretch.lane, "after": stretch.after}
    own = {"annotator": annotator.pk, "picked": picked, **withheld_in([queue])}
    run(_MOVE, {**values, **own})
    floor = queue.floor.get(str(stretch.lane), 0)
    if stretch.after - floor > FAR_FOR_ALL:
        run(_MOVE_FLOOR, {**values, "floor": floor})


def remember_sweep(bookmarked: OpenQueue, annotator: Annotator) -> None:
    """Where the look through the whole queue has come to."""
    lane, slot = bookmarked.swept
    Bookmark.objects.filter(queue=bookmarked.queue, annotator=annotator).update(
        swept_lane=lane, swept_slot=slot, swept_at=bookmarked.swept_at
    )
