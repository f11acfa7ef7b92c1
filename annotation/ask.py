"""Put questions into a queue: a prompt and the outputs that are compared."""

import secrets
import string
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from django.db import connection, transaction

from annotation.categorise import categorise_tasks
from annotation.edit_queue import locked
from annotation.exempt import exempt_authors
from annotation.lanes import lane_for
from annotation.models import Assignment, Output, Prompt, Queue, Task, TaskOutput
from truing.errors import Invalid, Refused
from truing.options import build, record_of

PIECE = 1000
REF_LENGTH = 200

Question = tuple[Prompt | None, Sequence[Output]]


class QueueIsClosed(Refused):
    """This queue is closed: open it before you add questions."""


class RefTaken(Refused):
    """There is already a task with this id in this project."""


class NoQuestion(Invalid):
    """This is not a question for this queue."""


def ask(
    queue: Queue,
    prompt: Prompt | None,
    outputs: Sequence[Output],
    *,
    ref: str = "",
    brief: Mapping[str, Any] | None = None,
) -> Task:
    """Add one task to a queue, with a free slot for each answer it wants.

    Where the queue's type takes no prompt, a brief may say what is wanted.
    """
    if len(ref) > REF_LENGTH or "\x00" in ref:
        raise Invalid(f"The id of a task is text of at most {REF_LENGTH} characters.")
    with transaction.atomic():
        if ref:
            lock_refs(queue.project_id)
            if Task.objects.in_project(queue.project_id).filter(ref=ref).exists():
                raise RefTaken
        queue = locked(queue)
        said = checked_brief(queue, brief or {})
        [task] = _ask(queue, [(prompt, outputs)], ref=ref, brief=said)
    return task


@transaction.atomic
def ask_all(
    queue: Queue, questions: Iterable[Question], *, brief: Mapping[str, Any] | None = None
) -> int:
    """Add a task for each question, all of them or none; say how many."""
    queue = locked(queue)
    said = checked_brief(queue, brief or {})
    rest = iter(questions)
    number = 0
    while piece := list(islice(rest, PIECE)):
        number += len(_ask(queue, piece, brief=said))
    return number


def checked_brief(queue: Queue, brief: Mapping[str, Any]) -> dict[str, Any]:
    """The brief as it is stored: what says nothing is left out."""
    built: Any = build(queue.task_type.Brief, brief)
    if problem := queue.task_type.problem_with_brief(built, queue.type_options):
        raise NoQuestion(problem)
    return {name: value for name, value in record_of(built).items() if value}


def lock_refs(project_id: int) -> None:
    """Nobody else gives out ids of tasks in this project until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('annotation.refs', %s))", [project_id]
        )


def ref_at(position: int) -> str:
    """What an output is called in its task: a, b ... z, then by number. It tells no origin."""
    letters = string.ascii_lowercase
    return letters[position] if position < len(letters) else str(position + 1)


def _ask(
    queue: Queue, questions: Sequence[Question], *, brief: dict[str, Any], ref: str = ""
) -> list[Task]:
    if queue.state == Queue.State.CLOSED:
        raise QueueIsClosed
    for prompt, outputs in questions:
        _check(queue, prompt, outputs)
    tasks = Task.objects.bulk_create(
        # Chance, not counting: the id travels with exports into other projects.
        Task(queue=queue, prompt=prompt, brief=brief, ref=ref or f"task-{secrets.token_hex(8)}")
        for prompt, _ in questions
    )
    TaskOutput.objects.bulk_create(
        TaskOutput(task=task, output=output, position=position, ref=ref_at(position))
        for task, (_, outputs) in zip(tasks, questions, strict=True)
        for position, output in enumerate(outputs)
    )
    Assignment.objects.bulk_create(
        Assignment(task=task, queue=queue, lane=lane_for(queue, level=level))
        for task in tasks
        for level in range(queue.overlap)
    )
    exempt_authors([task.pk for task in tasks])
    categorise_tasks(queue, [task.pk for task in tasks])
    return tasks


def _check(queue: Queue, prompt: Prompt | None, outputs: Sequence[Output]) -> None:
    least, most = queue.task_type.min_outputs, queue.task_type.max_outputs
    if not least <= len(outputs) <= most:
        wanted = f"{least}" if least == most else f"{least} to {most}"
        raise NoQuestion(f"A question in “{queue}” has {wanted} outputs, not {len(outputs)}.")
    if prompt is None:
        if queue.task_type.needs_prompt or outputs:
            raise NoQuestion(f"A question in “{queue}” needs a prompt.")
        return
    if prompt.project_id != queue.project_id:
        raise NoQuestion("The prompt belongs to another project.")
    if len({output.pk for output in outputs}) < len(outputs):
        raise NoQuestion("An output stands twice in the question.")
    if any(output.prompt_id != prompt.pk for output in outputs):
        raise NoQuestion("An output belongs to another prompt.")
