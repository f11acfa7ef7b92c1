"""Fill a queue with questions about prompts and outputs that are there already."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q

from annotation.ask import Question, ask_all
from annotation.edit_queue import locked, refuse_reserved
from annotation.models import Output, Queue, Task, TaskOutput
from annotation.models.authorship import withdrawn, written
from annotation.models.output import OutputQuerySet
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
    outputs_each: int | None = None,
    limit: int = 1000,
    output_source: str = "",
    written_here: bool = False,
    actor: User | None,
) -> int:
    """Ask about each of these prompts that is not in the queue yet; say how many there were.

    Several outputs are drawn by chance, from different sources where there are enough. With one
    output each, every output is asked about that is not in the queue yet. Outputs may be those of
    one source only; and what is asked about, only what people wrote here.
    """
    queue = locked(queue)
    refuse_reserved(queue)
    if not queue.task_type.needs_prompt:
        raise Invalid("The questions of this queue come without a prompt.")
    least, most = queue.task_type.min_outputs, queue.task_type.max_outputs
    if outputs_each is None:
        outputs_each = min(max(2, least), most)
    if not least <= outputs_each <= most:
        raise Invalid(f"A question in this queue has {least} to {most} outputs.")
    if not 1 <= limit <= MOST_QUESTIONS:
        raise Invalid(f"Add 1 to {MOST_QUESTIONS:,} questions at a time.")
    outputs = Output.objects.open_to_all().exclude(withdrawn("output"))
    if output_source:
        outputs = outputs.filter(source=output_source)
    prompts = prompts.filter(project=queue.project_id).exclude(withdrawn("prompt"))
    if outputs_each == 1:
        if written_here:
            outputs = outputs.filter(written("output"))
        questions = _each_output(queue, outputs.filter(prompt__in=prompts), limit)
    else:
        if written_here:
            prompts = prompts.filter(written("prompt"))
        questions = _questions(queue, prompts, outputs, outputs_each, limit)
    added = ask_all(queue, questions)
    if not added:
        raise NothingToAsk
    record("queue.fill", actor=actor, project=queue.project, on=queue, tasks=added)
    return added


def askable(
    queue: Queue, prompts: PromptQuerySet, usable: OutputQuerySet, outputs_each: int
) -> PromptQuerySet:
    """Those of the prompts with enough usable outputs that are not in the queue yet."""
    asked = Task.objects.filter(queue=queue, prompt=OuterRef("pk"))
    fitting = prompts.filter(~Exists(asked))
    if not outputs_each:
        return fitting
    return fitting.annotate(usable=Count("outputs", filter=Q(outputs__in=usable))).filter(
        usable__gte=outputs_each
    )


def _each_output(queue: Queue, outputs: OutputQuerySet, limit: int) -> Iterator[Question]:
    asked = TaskOutput.objects.filter(task__queue=queue, output=OuterRef("pk"))
    fitting = outputs.filter(~Exists(asked)).select_related("prompt").order_by("pk")
    last, left = 0, limit
    while left and (piece := list(fitting.filter(pk__gt=last)[: min(PIECE, left)])):
        yield from ((output.prompt, [output]) for output in piece)
        last, left = piece[-1].pk, left - len(piece)


def _questions(
    queue: Queue, prompts: PromptQuerySet, usable: OutputQuerySet, outputs_each: int, limit: int
) -> Iterator[Question]:
    # What is judged in a review is judged nowhere else, or people would meet it twice.
    fitting = askable(queue, prompts, usable, outputs_each).order_by("pk")
    last, left = 0, limit
    while left and (piece := list(fitting.filter(pk__gt=last)[: min(PIECE, left)])):
        outputs: dict[int, list[Output]] = defaultdict(list)
        if outputs_each:
            for output in usable.filter(prompt__in=piece).order_by("pk"):
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
