"""Put questions without a prompt into a queue: somebody is to write one, or to talk."""

from collections.abc import Mapping
from itertools import repeat
from typing import Any

from django.db import transaction

from annotation.ask import NoQuestion, Question, ask_all, checked_brief
from annotation.edit_queue import refuse_reserved
from annotation.models import Queue
from truing.audit import record
from truing.errors import Invalid
from truing.models import User

MOST_QUESTIONS = 10_000
BLANK: Question = (None, ())


@transaction.atomic
def ask_blank(
    queue: Queue, number: int, *, brief: Mapping[str, Any] | None = None, actor: User | None
) -> int:
    """Add so many tasks, each with this brief; say how many."""
    refuse_reserved(queue)
    if queue.task_type.needs_prompt:
        raise NoQuestion("A question in this queue is about a prompt.")
    if not 1 <= number <= MOST_QUESTIONS:
        raise Invalid(f"Add 1 to {MOST_QUESTIONS:,} questions at a time.")
    added = ask_all(queue, repeat(BLANK, number), brief=brief)
    said = checked_brief(queue, brief or {})
    record("queue.fill", actor=actor, project=queue.project, on=queue, tasks=added, brief=said)
    return added
