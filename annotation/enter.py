"""Come to the desk: one person is served at a time, and queues change for nobody meanwhile.

Whoever asks or answers shares the desk's lock with all others of the project; pausing and closing
a queue wait until those who are being served have gone, and hold the next ones off. So a queue
that is paused gives no question any more, and one that is closed takes no answer.
"""

from typing import Any

from django.db import connection

from annotation.models import Annotator
from truing.models import Project, User
from truing.prepared import fetch

# One person in two tabs is served one thing after the other, so that they never hold two slots of
# one task, and never go beyond a cap.
_COLUMNS = ", ".join(str(field.column) for field in Annotator._meta.concrete_fields)
_ENTER = f"""
SELECT {_COLUMNS}, pg_advisory_xact_lock_shared(hashtextextended('annotation.desk', project_id))
FROM annotation_annotator WHERE """
_ENTER_MEMBER = _ENTER + "project_id = %s AND user_id = %s FOR NO KEY UPDATE"
_ENTER_AS = _ENTER + "id = %s FOR NO KEY UPDATE"


def enter(project: Project, user: User) -> Annotator:
    """Whoever this member is when they answer here, alone until the transaction ends."""
    values = [project.pk, user.pk]
    rows = fetch(_ENTER_MEMBER, values)
    if not rows:
        Annotator.objects.member(project, user)
        rows = fetch(_ENTER_MEMBER, values)
    return _annotator(rows[0])


def enter_as(annotator: Annotator) -> Annotator:
    """The same for somebody who is known already; as they are now."""
    return _annotator(fetch(_ENTER_AS, [annotator.pk])[0])


def clear_desk(project: Project) -> None:
    """Wait until nobody is being served, and serve nobody until the transaction ends."""
    fetch("SELECT pg_advisory_xact_lock(hashtextextended('annotation.desk', %s))", [project.pk])


def add_slots(queue_id: int) -> None:
    """Keep bookmarks where they are until the transaction ends: slots are coming in.

    A slot gets its key before others see it. Were a bookmark moved beyond it in between, its
    owner would never be asked.
    """
    fetch(
        "SELECT pg_advisory_xact_lock_shared(hashtextextended('annotation.slots', %s))", [queue_id]
    )


def _annotator(row: tuple[Any, ...]) -> Annotator:
    names = [field.attname for field in Annotator._meta.concrete_fields]
    return Annotator.from_db(connection.alias, names, row[:-1])
