"""Say of some tasks whether those who answered disagree, as their answers stand now."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Q

from annotation.doubt import LEAST, doubt
from annotation.models import Annotation, Assignment, Dispute, Queue, Return, Task
from annotation.models.annotation import VOTES
from annotation.task_types import TASK_TYPES

DIGITS = 6
SETTLED_HERE = [name for name, one in TASK_TYPES.items() if one.can_be_settled]
Slot = Assignment.State
State = Dispute.State


@transaction.atomic
def weigh_disputes(tasks: Iterable[int]) -> None:
    """Write down what is in dispute among these tasks, and what is no more."""
    known = {
        dispute.task_id: dispute
        for dispute in Dispute.objects.select_for_update()
        .filter(task__in=list(tasks))
        .order_by("pk")
    }
    wanted = known.keys() | _answered_twice(tasks)
    said = _said(wanted)
    settled, waiting = _settled(wanted), _waiting(wanted)
    queues = dict(Task.objects.filter(pk__in=wanted).values_list("pk", "queue"))
    changed = []
    for task in sorted(wanted):
        answers = list(said[task].values())
        value = round(doubt(answers), DIGITS)
        state = State.OPEN if value >= LEAST else State.AGREED
        if task in settled:
            state = State.SETTLED
        dispute = known.get(task)
        if dispute is None:
            if state != State.AGREED:
                changed.append(_made(task, queues[task], value, len(answers), state))
            continue
        if dispute.state == State.WAITING and task in waiting and task not in settled:
            state = State.WAITING
        if dispute.state == State.LEFT and dispute.answers == len(answers):
            state = State.LEFT if task not in settled else State.SETTLED
        now = (state, value, len(answers))
        if (dispute.state, dispute.doubt, dispute.answers) != now:
            dispute.state, dispute.doubt, dispute.answers = now
            changed.append(dispute)
    Dispute.objects.bulk_create(
        [one for one in changed if one.pk is None], ignore_conflicts=True, batch_size=1000
    )
    Dispute.objects.bulk_update(
        [one for one in changed if one.pk], ["state", "doubt", "answers"], batch_size=1000
    )


def _made(task: int, queue: int, value: float, answers: int, state: str) -> Dispute:
    return Dispute(task_id=task, queue_id=queue, doubt=value, answers=answers, state=state)


def _answered_twice(tasks: Iterable[int]) -> set[int]:
    """Those of which a dispute may be made: in a queue whose answers can disagree."""
    queues = Queue.objects.filter(type__in=SETTLED_HERE, reserved_for="")
    given = Assignment.objects.filter(
        task__in=list(tasks), queue__in=queues, state=Slot.ANSWERED, annotator__isnull=False
    ).filter(Q(purpose__in=VOTES) | Q(purpose=Assignment.Purpose.ADJUDICATION))
    people: defaultdict[int, list[str]] = defaultdict(list)
    for task, purpose in given.values_list("task", "purpose"):
        people[task].append(purpose)
    return {
        task
        for task, purposes in people.items()
        if len(purposes) > 1 or Assignment.Purpose.ADJUDICATION in purposes
    }


def _said(tasks: Iterable[int]) -> defaultdict[int, dict[int, Any]]:
    """The votes of each task, by annotator."""
    said: defaultdict[int, dict[int, Any]] = defaultdict(dict)
    votes = Annotation.objects.votes().filter(assignment__task__in=list(tasks)).order_by("pk")
    for task, annotator, answer in votes.values_list(
        "assignment__task", "assignment__annotator", "answer"
    ):
        said[task][annotator] = answer
    return said


def _settled(tasks: Iterable[int]) -> set[int]:
    found = Annotation.objects.settlements().filter(assignment__task__in=list(tasks))
    return set(found.values_list("assignment__task", flat=True))


def _waiting(tasks: Iterable[int]) -> set[int]:
    """Those that were sent back to somebody, or that somebody is still to answer.

    Nobody answers in a queue that is closed, nor what was sent back to who has left.
    """
    asked = Assignment.objects.filter(
        task__in=list(tasks), purpose__in=VOTES, state__in=[Slot.FREE, Slot.HELD, Slot.WITHHELD]
    ).exclude(queue__state=Queue.State.CLOSED)
    returned = Return.objects.open().with_a_reader()
    returned = returned.filter(annotation__assignment__task__in=list(tasks)).exclude(
        annotation__assignment__queue__state=Queue.State.CLOSED
    )
    return {
        *asked.values_list("task", flat=True),
        *returned.values_list("annotation__assignment__task", flat=True),
    }
