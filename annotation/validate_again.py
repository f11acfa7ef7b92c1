"""Have a correction validated where what it corrects was: others are asked about it anew."""

from annotation.ask import ask
from annotation.edit_queue import locked
from annotation.let_be import let_be
from annotation.models import Annotation, Authorship, Queue, Task
from annotation.models.authorship import gates
from annotation.models.task import TaskQuerySet


def validate_again(before: Annotation, after: Annotation) -> None:
    """Ask in the same queues about what the correction wrote, and about what it replaces no more.

    What was answered stays. Called in the correction's transaction.
    """
    old = Authorship.objects.filter(annotation=before).select_related("output", "prompt").first()
    if old is None:
        return
    new = Authorship.objects.filter(annotation=after).select_related("output__prompt", "prompt")
    written = new.first()
    if written is None or (written.output_id, written.prompt_id) == (old.output_id, old.prompt_id):
        return
    tasks = Task.objects.filter(queue__in=gates()).exclude(queue__state=Queue.State.CLOSED)
    judging = _about(tasks, old)
    queues = list(Queue.objects.filter(tasks__in=judging).distinct().order_by("pk"))
    let_be(judging.values_list("pk", flat=True))
    for queue in queues:
        # Somebody else who wrote the same may have had it asked about already.
        if not _about(tasks.filter(queue=queue), written).exists():
            if written.output:
                ask(locked(queue), written.output.prompt, [written.output])
            else:
                ask(locked(queue), written.prompt, [])


def hold_gates(before: Annotation) -> None:
    """Hold the queues in which others judge what this answer wrote.

    Before its author comes to the desk: who closes a queue holds it, and waits for the desk.
    """
    old = Authorship.objects.filter(annotation=before).first()
    if old:
        judging = _about(Task.objects.filter(queue__in=gates()), old)
        for queue in Queue.objects.filter(tasks__in=judging).distinct().order_by("pk"):
            locked(queue)


def _about(tasks: TaskQuerySet, written: Authorship) -> TaskQuerySet:
    if written.output_id:
        return tasks.filter(task_outputs__output=written.output_id)
    return tasks.filter(prompt=written.prompt_id, task_outputs=None)
