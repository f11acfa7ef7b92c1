"""Set a task's known answer: as gold, which measures, or as an attention check, which nobody fails
who reads the question.
"""

from typing import Any

from django.db import transaction

from annotation.asked_now import refuse_asked_now
from annotation.edit_queue import refuse_reserved
from annotation.exempt import see_answers
from annotation.models import Task
from annotation.submit import BadAnswer
from annotation.task_types import TaskType
from truing.audit import record
from truing.errors import Refused
from truing.models import User

WHY_LENGTH = 2000


class NoneKnown(Refused):
    """A chat has no known answer: every person has another one."""


def takes_why(task_type: TaskType) -> bool:
    """Whether its answers have a place for the reason why one is right."""
    said = {**task_type.example_answer, "reason": "So."}
    return not task_type.problem_with(said, ["a", "b"], task_type.Options())


@transaction.atomic
def set_known(
    task: Task, answer: dict[str, Any], *, is_check: bool = False, why: str = "", actor: User | None
) -> Task:
    """From now on answers are compared with this one; what was given stays counted as it was.

    `why` is shown after the answer, where the queue is for training. Whoever says what is right is
    not asked it.
    """
    queue = task.queue
    refuse_reserved(queue)
    if actor:
        refuse_asked_now(task, actor)
    if queue.task_type.has_turns:
        raise NoneKnown
    refs = list(task.task_outputs.values_list("ref", flat=True))
    options = queue.type_options
    problem = queue.task_type.problem_with(answer, refs, options)
    if not problem and queue.task_type.needs_texts:
        texts = dict(task.task_outputs.values_list("ref", "output__text"))
        problem = queue.task_type.problem_with_texts(answer, texts, options)
    if problem:
        raise BadAnswer(problem)
    why = why.replace("\x00", "").strip()[:WHY_LENGTH]
    known = {**answer, "reason": why} if why and takes_why(queue.task_type) else answer
    Task.objects.filter(pk=task.pk).update(gold=known, is_check=is_check)
    task.gold, task.is_check = known, is_check
    if actor:
        see_answers(task, actor)
    kind = "attention" if is_check else "gold"
    record("task.known", actor=actor, project=queue.project, on=task, queue=queue.pk, kind=kind)
    return task


@transaction.atomic
def forget_known(task: Task, *, actor: User | None) -> None:
    """Nothing is known of it any more; it is a question like others."""
    refuse_reserved(task.queue)
    if Task.objects.filter(pk=task.pk, gold__isnull=False).update(gold=None, is_check=False):
        queue = task.queue
        record("task.unknown", actor=actor, project=queue.project, on=task, queue=queue.pk)
