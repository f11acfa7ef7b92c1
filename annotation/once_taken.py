"""Find a slot for whoever has taken it, with all that an answer to it needs, in one statement."""

from typing import Any

from annotation.models import Annotator, Assignment, Queue, Task
from annotation.rows import columns, made
from truing.models import Membership, Project, User
from truing.prepared import fetch

_MODELS: tuple[Any, ...] = (Assignment, Task, Queue, Project, Membership, Annotator)
_NAMES = ("slot", "task", "queue", "project", "membership", "holder")
_SELECT = ", ".join(map(columns, _MODELS, _NAMES))
# A draft is opened when a slot is taken and outlives the hold, so it is the proof.
_FIND = f"""
SELECT {_SELECT}
FROM annotation_assignment slot
JOIN annotation_task task ON task.id = slot.task_id
JOIN annotation_queue queue ON queue.id = slot.queue_id
JOIN truing_project project ON project.id = queue.project_id
JOIN truing_membership membership
    ON membership.project_id = project.id AND membership.user_id = %(user)s
LEFT JOIN annotation_annotator holder ON holder.id = slot.annotator_id
WHERE slot.id = %(slot)s AND project.slug = %(slug)s AND (
    holder.user_id = %(user)s OR EXISTS (
        SELECT FROM annotation_draft draft
        JOIN annotation_annotator one ON one.id = draft.annotator_id
        WHERE draft.task_id = slot.task_id AND one.user_id = %(user)s
    )
)
"""


def slot_once_taken(slug: str, pk: int, user: User) -> tuple[Assignment, Membership] | None:
    """What this person holds, has answered or skipped, or began and lost to another."""
    if pk > LARGEST_KEY:
        return None
    rows = fetch(_FIND, {"slot": pk, "slug": slug, "user": user.pk})
    if not rows:
        return None
    found: list[Any] = []
    start = 0
    for model in _MODELS:
        end = start + len(model._meta.concrete_fields)
        found.append(made(model, rows[0][start:end]) if rows[0][start] is not None else None)
        start = end
    slot, task, queue, project, membership, holder = found
    queue.project = membership.project = project
    membership.user = user
    slot.task, slot.queue, task.queue = task, queue, queue
    if holder:
        slot.annotator = holder
    return slot, membership


LARGEST_KEY = 2**63 - 1
