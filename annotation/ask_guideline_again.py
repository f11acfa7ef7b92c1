"""Ask again what was answered under an earlier version of the guideline."""

from dataclasses import dataclass

from django.db import transaction

from annotation.ask_again import ask_again
from annotation.edit_queue import locked, refuse_reserved
from annotation.models import Annotation, Assignment, Queue
from annotation.models.annotation import VOTES
from truing.errors import Invalid
from truing.models import User

Slot = Assignment.State


class NoSuchGuideline(Invalid):
    """This queue has no guideline of this number."""


class InForce(Invalid):
    """This version is in force: what was answered under it is not asked again."""


@dataclass(frozen=True)
class AskedAgain:
    """What is, or would be, asked again."""

    tasks: int
    slots: int
    answers: int  # that count now, and will not once somebody has answered again


def answered_under(queue: Queue, number: int, *, or_earlier: bool = False) -> dict[int, int]:
    """The tasks whose merged answer rests on answers under this version, and on how many of them.

    Those that are being asked again already are left out.
    """
    same = {"assignment__guideline__number__lte" if or_earlier else "assignment__guideline__number"}
    given = Annotation.objects.counting().filter(
        assignment__queue=queue, **dict.fromkeys(same, number)
    )
    under: dict[int, int] = {}
    rounds: dict[int, int] = {}
    for task, round in given.values_list("assignment__task", "assignment__round").iterator():
        under[task] = under.get(task, 0) + 1
        rounds[task] = max(round, rounds.get(task, 0))
    waiting = Assignment.objects.filter(
        queue=queue, round__gt=1, purpose__in=VOTES, state__in=[Slot.FREE, Slot.HELD, Slot.WITHHELD]
    )
    for task, round in waiting.values_list("task", "round").iterator():
        if round > rounds.get(task, round):
            under.pop(task, None)
    return under


@transaction.atomic
def ask_guideline_again(
    queue: Queue,
    number: int,
    *,
    or_earlier: bool = False,
    why: str = "",
    dry_run: bool = False,
    actor: User | None,
) -> AskedAgain:
    """A new round for each task that was answered under this version. A dry run only counts.

    What was answered stays, and counts until somebody has answered in the new round.
    """
    queue = locked(queue)
    refuse_reserved(queue)
    numbers = list(queue.guidelines.order_by("number").values_list("number", flat=True))
    if number not in numbers:
        raise NoSuchGuideline
    if number == numbers[-1]:
        raise InForce
    under = answered_under(queue, number, or_earlier=or_earlier)
    slots = len(under) * queue.overlap
    if under and not dry_run:
        versions = f"guideline {number}" + (" and earlier" if or_earlier else "")
        slots = ask_again(queue, sorted(under), why=why.strip() or versions, actor=actor)
    return AskedAgain(tasks=len(under), slots=slots, answers=sum(under.values()))
