"""Look through the answers that came in, for tasks on which people disagree.

A step at the desk does nothing for it: answers are looked at, in the order of their keys, when
somebody wants to know. How far a project has been looked through is kept.
"""

import time
from typing import Any

from django.db import connection

from annotation.models import Annotation, Lookout
from annotation.weigh_disputes import SETTLED_HERE, weigh_disputes
from truing.models import Project

WINDOW = 3000  # answers
# An answer gets its key a moment before others see it, so the last ones are looked at twice.
MARGIN = 300
PATIENCE_SECONDS = 1.0

_WINDOW = """
SELECT count(*), max(said.id), array_agg(DISTINCT slot.task_id) FILTER (
    WHERE queue.project_id = %(project)s AND queue.reserved_for = '' AND queue.type = ANY(%(types)s)
)
FROM (
    SELECT id, assignment_id FROM annotation_annotation WHERE id > %(after)s
    ORDER BY id LIMIT %(window)s
) said
JOIN annotation_assignment slot ON slot.id = said.assignment_id
JOIN annotation_queue queue ON queue.id = slot.queue_id
"""


def find_disputes(project: Project, *, patience_seconds: float = PATIENCE_SECONDS) -> bool:
    """Look at what has come in since last time. False when there may be more to look at."""
    started = time.monotonic()
    lookout = Lookout.objects.get_or_create(project=project)[0]
    while True:
        at = lookout.seen
        number, last, tasks = _window(project, at)
        if tasks:
            weigh_disputes(tasks)
        is_over = number < WINDOW
        lookout.seen = max(at, last - MARGIN) if is_over else last
        # What came in behind it meanwhile is looked at from there.
        moved = Lookout.objects.filter(pk=lookout.pk, seen=at).update(seen=lookout.seen)
        if not moved:
            lookout.refresh_from_db()
        elif is_over:
            return True
        if time.monotonic() - started > patience_seconds:
            return False


def share_seen(project: Project) -> float:
    """How far the look has come, from 0 to 1."""
    newest = Annotation.objects.order_by("-pk").values_list("pk", flat=True).first()
    seen = Lookout.objects.filter(project=project).values_list("seen", flat=True).first()
    return min(1.0, ((seen or 0) + MARGIN) / newest) if newest else 1.0


def _window(project: Project, after: int) -> tuple[int, int, list[int]]:
    values: dict[str, Any] = {
        "project": project.pk,
        "types": SETTLED_HERE,
        "after": after,
        "window": WINDOW,
    }
    with connection.cursor() as cursor:
        cursor.execute(_WINDOW, values)
        number, last, tasks = cursor.fetchone()
    return number, last or 0, tasks or []
