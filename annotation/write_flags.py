"""Write that questions were skipped for everybody, and what curators decided about them."""

from collections.abc import Sequence

from annotation.feedback_line import FlagLine
from annotation.models import Assignment, Flag, Task

Flagged = tuple[int, int, int, str, FlagLine]  # task, annotator, round, reason


def write_flags(flagged: Sequence[Flagged]) -> None:
    """Nobody is asked what was not put back: it waits for a curator, or is set aside."""
    Flag.objects.bulk_create(
        Flag(
            task_id=task,
            annotator_id=annotator,
            round=round,
            reason=reason,
            state=said.decision or Flag.State.OPEN,
            note=said.note,
            decided_at=said.at,
        )
        for task, annotator, round, reason, said in flagged
    )
    away = {task for task, *_, said in flagged if said.decision != Flag.State.PUT_BACK}
    Task.objects.filter(pk__in=away).update(is_withheld=True)
    free = Assignment.objects.filter(task__in=away, state=Assignment.State.FREE)
    free.update(state=Assignment.State.WITHHELD)
