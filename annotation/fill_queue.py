"""Fill a queue with questions about prompts and outputs that are there already."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q

from annotation.ask import Question, ask_all
from annotation.edit_queue import locked, refuse_reserved
from annotation.models import Output, Queue, Task
from annotation.models.prompt import PromptQuerySet
from truing.audit import record
from truing.errors import Invalid, Refused
from truing.models import User

PIECE = 500
MOST_QUESTIONS = 10_000


class NothingToAsk(Refused):
    """No prompt fits that has enough outputs and is not in this queue yet."""


@transaction.atomic
def fill_queue(
    queue: Queue,
    prompts: PromptQuerySet,
    *,
    outputs_each: int = 2,
    limit: int = 1000,
    actor: User | None,
) -> int:
    """Ask about each of these prompts that is not in the queue yet; say how many there were.

    The outputs are drawn by chance, from different sources where there are enough.
    """
    queue = locked(queue)
    refuse_reserved(queue)
    least, most = queue.task_type.min_outputs, queue.task_type.max_outputs
    if not least <= outputs_each <= most:
        raise Invalid(f"A question in this queue has {least} to {most} outputs.")
    if not 1 <= limit <= MOST_QUESTIONS:
        raise Invalid(f"Add 1 to {MOST_QUESTIONS:,} questions at a time.")
    added = ask_all(queue, _questions(queue, prompts, outputs_each, limit))
    if not added:
        raise NothingToAsk
    record("queue.fill", actor=actor, project=queue.project, on=queue, tasks=added)
    return added


def askable(queue: Queue, prompts: PromptQuerySet, outputs_each: int) -> PromptQuerySet:
    """Those of the prompts with enough outputs that are not in the queue yet."""
    asked = Task.objects.filter(queue=queue, prompt=OuterRef("pk"))
    # What is judged in a review is judged nowhere else, or people would meet it twice.
    usable = Q(outputs__in=Output.objects.open_to_all())
    return (
        prompts.filter(~Exists(asked), project=queue.project_id)
        .annotate(usable=Count("outputs", filter=usable))
        .filter(usable__gte=outputs_each)
    )


def _questions(
    queue: Queue, prompts: PromptQuerySet, outputs_each: int, limit: int
) -> Iterator[Question]:
    fitting = askable(queue, prompts, outputs_each).order_by("pk")
    last, left = 0, limit
    while left and (piece := list(fitting.filter(pk__gt=last)[: min(PIECE, left)])):
        outputs: dict[int, list[Output]] = defaultdict(list)
        for output in Output.objects.open_to_all().filter(prompt__in=piece).order_by("pk"):
            outputs[output.prompt_id].append(output)
        for prompt in piece:
            yield prompt, drawn(outputs[prompt.pk], outputs_each)
        last, left = piece[-1].pk, left - len(piece)


def drawn(outputs: Sequence[Output], number: int) -> list[Output]:
    """So many by chance, in chance order: each from another source as long as there is one."""
    shuffled = random.sample(outputs, k=len(outputs))
    met: dict[str, int] = defaultdict(int)
    rounds = []
    for place, output in enumerate(shuffled):
        rounds.append((met[output.source], place, output))
        met[output.source] += 1
    chosen = [output for _, _, output in sorted(rounds, key=lambda item: item[:2])[:number]]
    random.shuffle(chosen)
    return chosen
