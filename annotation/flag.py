"""Take a task out until a curator has decided about it, and decide."""

from django.db import transaction
from django.utils import timezone

from annotation.certainty import ask_more_of
from annotation.edit_queue import locked, refuse_reserved
from annotation.lanes import lane_back
from annotation.models import Annotator, Assignment, Flag, Task
from annotation.withhold import withhold
from truing.audit import record
from truing.errors import Refused
from truing.models import User

State = Assignment.State


class AlreadyDecided(Refused):
    """Somebody has already decided about this."""


@transaction.atomic
def flag(task: Task, annotator: Annotator, *, reason: str = "", round: int = 1) -> Flag:
    """Nobody is asked this from now on. Who has it before them may still answer it."""
    # Nobody adds slots to it meanwhile that would be free.
    locked_task = Task.objects.select_for_update(no_key=True, of=("self",))
    task = locked_task.select_related("queue__project").get(pk=task.pk)
    if not task.is_withheld:
        task.is_withheld = True
        task.save(update_fields=["is_withheld"])
    withhold(task)
    made = Flag.objects.create(task=task, annotator=annotator, reason=reason[:300], round=round)
    project = task.queue.project
    record("task.flag", actor=annotator.user, project=project, on=task, reason=reason[:300])
    return made


@transaction.atomic
def decide(flagged: Flag, *, put_back: bool, note: str = "", actor: User | None) -> None:
    """Put the task back for everybody, or set it aside for good. Both can be decided once."""
    queue = locked(flagged.task.queue)
    refuse_reserved(queue)
    task = Task.objects.select_for_update(no_key=True).get(pk=flagged.task_id)
    open_flags = Flag.objects.filter(task=task, state=Flag.State.OPEN)
    if not open_flags.filter(pk=flagged.pk).exists():
        raise AlreadyDecided
    waiting = Assignment.objects.filter(task=task, state=State.WITHHELD)
    if put_back:
        # New rows, at the end: bookmarks may have gone beyond the old ones.
        again = [
            Assignment(
                task=task,
                queue=queue,
                purpose=slot.purpose,
                round=slot.round,
                lane=lane_back(queue, slot.lane, priority=task.priority),
            )
            for slot in waiting.order_by("pk")
        ]
        waiting.delete()
        Assignment.objects.bulk_create(again)
        task.is_withheld = False
        task.save(update_fields=["is_withheld"])
        ask_more_of(queue, [task.pk])
    open_flags.update(
        state=Flag.State.PUT_BACK if put_back else Flag.State.SET_ASIDE,
        decided_at=timezone.now(),
        decided_by=actor,
        note=note[:300],
    )
    verb = "task.put_back" if put_back else "task.set_aside"
    record(verb, actor=actor, project=queue.project, on=task, note=note[:300])
