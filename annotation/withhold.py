"""Give no slot of a task that was taken out, until a curator has decided about it."""

from annotation.models import Assignment, Task

State = Assignment.State


def withhold(task: Task) -> None:
    """Its free slots. The caller holds the task, and waits for nobody who may want it.

    What somebody is taking at this moment is theirs.
    """
    free = Assignment.objects.filter(task=task, state=State.FREE)
    nobodys = free.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True)
    free.filter(pk__in=list(nobodys)).update(state=State.WITHHELD)


def is_withheld_late(slot: Assignment) -> bool:
    """Withhold a slot that came in when its task was just being taken out, or was let go then.

    The caller has locked it. False where it may be given; so it may while a curator decides.
    """
    if slot.state != State.FREE or not slot.task.is_withheld:
        return False
    tasks = Task.objects.select_for_update(skip_locked=True, no_key=True)
    if not tasks.filter(pk=slot.task_id, is_withheld=True):
        return False
    return bool(Assignment.objects.filter(pk=slot.pk).update(state=State.WITHHELD))
