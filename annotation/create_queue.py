"""Open a stream of work: what is asked, how many answers a task wants, and the instructions."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from annotation.chat import endpoints_for
from annotation.default_rules import default_rules
from annotation.handling import MOST_ANSWERS, Handling, set_handling
from annotation.models import Guideline, Queue
from annotation.task_types import TASK_TYPES, TaskType
from truing.audit import record
from truing.errors import Invalid, Refused
from truing.models import Project, User
from truing.options import build, record_of
from truing.plugins import plugin_named

NAME_LENGTH = 200
GUIDELINE_LENGTH = 100_000


class QueueNameTaken(Refused):
    """There is already a queue with this name in this project."""


@transaction.atomic
def create_queue(
    project: Project,
    *,
    name: str,
    type: str,
    options: Mapping[str, Any] | None = None,
    overlap: int = 1,
    handling: Mapping[str, Any] | None = None,
    guideline: str = "",
    state: str = Queue.State.OPEN,
    reserved_for: str = "",
    rules: bool = True,
    is_training: bool = False,
    actor: User | None,
) -> Queue:
    """A new queue without tasks. Instructions become its first guideline.

    It gets the usual rules that find careless work, unless `rules` is false.
    """
    task_type = plugin_named(TASK_TYPES, type, "task type")
    chosen: Any = build(task_type.Options, options or {})
    refuse_unknown_endpoints(project, task_type, chosen)
    if state not in Queue.State.values:
        raise Invalid(f"A queue is {', '.join(Queue.State.values)}, not “{state}”.")
    queue = Queue(
        project=project,
        name=checked_name(name),
        type=type,
        options=record_of(chosen),
        overlap=checked_overlap(overlap),
        state=state,
        reserved_for=reserved_for,
        is_training=is_training,
        created_by=actor,
    )
    set_handling(queue, build(Handling, handling or {}))
    save_queue(queue)
    add_guideline(queue, guideline, actor=actor)
    if rules:
        default_rules(queue)
    about = {"reserved_for": reserved_for} if reserved_for else {}
    record(
        "queue.create",
        actor=actor,
        project=project,
        on=queue,
        type=type,
        overlap=queue.overlap,
        **about,
    )
    return queue


def add_guideline(queue: Queue, text: str, *, actor: User | None) -> Guideline | None:
    """Add the text as the queue's next guideline, if it says something new."""
    text = text.replace("\r\n", "\n").strip()
    if len(text) > GUIDELINE_LENGTH or "\x00" in text:
        raise Invalid(f"A guideline is text of at most {GUIDELINE_LENGTH:,} characters.")
    newest = queue.guidelines.order_by("-number").first()
    if text == (newest.text if newest else ""):
        return None
    number = newest.number + 1 if newest else 1
    return Guideline.objects.create(queue=queue, number=number, text=text, created_by=actor)


def refuse_unknown_endpoints(project: Project, task_type: TaskType, options: Any) -> None:
    """Whoever writes the queue is told, not the person who wants to talk."""
    if task_type.has_turns:
        endpoints_for(project, options.endpoints)


def checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or "\x00" in name:
        raise Invalid("A queue needs a name.")
    if len(name) > NAME_LENGTH:
        raise Invalid(f"A queue's name has at most {NAME_LENGTH} characters.")
    return name


def checked_overlap(overlap: int) -> int:
    if not 1 <= overlap <= MOST_ANSWERS:
        raise Invalid(f"A task wants 1 to {MOST_ANSWERS} answers, not {overlap}.")
    return overlap


def save_queue(queue: Queue) -> None:
    """Save it, or refuse a name that another queue of the project has."""
    try:
        with transaction.atomic():
            queue.save()
    except IntegrityError:
        raise QueueNameTaken from None
