"""Tag prompts with what most of those who classified them say. Derived: it can be done anew."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from annotation.categorise import categorise_prompts
from annotation.models import Annotation, Prompt, Queue, Task
from annotation.task_types import TASK_TYPES

TAGGING = [name for name, task_type in TASK_TYPES.items() if task_type.tags_prompts]


@transaction.atomic
def retag(prompts: Iterable[int]) -> None:
    """Write `judged_tags` of these prompts as the answers now stand.

    A prompt gets a tag (“Topic:code”) where more than half of those who answered a queue about
    it say so.
    """
    # Two answers at once: the second waits here, and then counts the first.
    locked = Prompt.objects.select_for_update(no_key=True, of=("self",))
    held = list(locked.filter(pk__in=set(prompts)).order_by("pk"))
    tags = _tags_of([prompt.pk for prompt in held])
    changed = [prompt for prompt in held if prompt.judged_tags != tags[prompt.pk]]
    for prompt in changed:
        prompt.judged_tags = tags[prompt.pk]
    Prompt.objects.bulk_update(changed, ["judged_tags"], batch_size=500)
    categorise_prompts(prompt.pk for prompt in changed)


def retag_if_classified(queue: Queue, prompt: int | None) -> None:
    """What an answer to a question about a prompt changes, if it is one that tags."""
    if prompt is not None and queue.task_type.tags_prompts:
        retag([prompt])


def retag_answered_by(annotator: int, queue: Queue) -> None:
    """What changes when somebody's answers in a queue count no more, or count again."""
    if queue.task_type.tags_prompts:
        asked = Task.objects.filter(queue=queue, prompt__isnull=False)
        theirs = asked.filter(assignments__annotator=annotator, assignments__state="answered")
        retag(theirs.values_list("prompt_id", flat=True))


def _tags_of(prompts: list[int]) -> defaultdict[int, list[str]]:
    votes = Annotation.objects.counting().filter(
        assignment__task__prompt__in=prompts, assignment__queue__type__in=TAGGING
    )
    # Who answered again is heard once.
    newest: defaultdict[tuple[int, int], dict[int | None, Any]] = defaultdict(dict)
    for prompt, queue, annotator, answer in votes.order_by("pk").values_list(
        "assignment__task__prompt", "assignment__queue", "assignment__annotator", "answer"
    ):
        newest[prompt, queue][annotator] = answer
    queues = Queue.objects.in_bulk({queue for _, queue in newest})
    tags: defaultdict[int, list[str]] = defaultdict(list)
    for (prompt, queue), answers in newest.items():
        said = _said(queues[queue], list(answers.values()))
        most = [tag for tag, number in said.items() if number * 2 > len(answers)]
        tags[prompt] = sorted({*tags[prompt], *most})
    return tags


def _said(queue: Queue, answers: list[Any]) -> Counter[str]:
    """How many of these answers say what."""
    options = queue.type_options
    return Counter(
        f"{finding.name}:{finding.value}"
        for answer in answers
        for finding in queue.task_type.findings(answer, (), options)
    )
