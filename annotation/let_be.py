"""Ask nobody else: remove the slots of tasks that nobody has taken. Who has one may answer it."""

from collections.abc import Iterable

from django.db import connection

from annotation.models import Assignment

Slot = Assignment.State

_REMOVE = """
DELETE FROM annotation_assignment
WHERE task_id = ANY(%s) AND purpose = 'answer' AND state IN ('free', 'withheld')
"""


def let_be(tasks: Iterable[int]) -> int:
    """Say how many slots there were."""
    keys = list(tasks)
    nobodys = Assignment.objects.filter(
        task__in=keys, purpose=Assignment.Purpose.ANSWER, state__in=[Slot.FREE, Slot.WITHHELD]
    )
    removed = 0
    with connection.cursor() as cursor:
        # One that somebody is taking at this moment is waited for, and then it is theirs: the
        # condition is checked again. Where a check took its row, what it asked has a new one.
        while nobodys.exists():
            cursor.execute(_REMOVE, [keys])
            removed += cursor.rowcount
    return removed
