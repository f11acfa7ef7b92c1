"""Go through all that people said of some tasks, whatever they were asked, a piece at a time."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from annotation.models import Annotation, Prompt, Queue, Task, TaskOutput, Turn
from annotation.models.task import TaskQuerySet
from annotation.task_types import TASK_TYPES, TaskType

PIECE = 500


@dataclass(frozen=True, slots=True)
class Judged:
    """An output of a task."""

    key: int
    ref: str
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Said:
    """One annotator's answer."""

    annotation: int
    annotator: int
    answer: dict[str, Any]


@dataclass(slots=True)
class Judgment:
    """A task with its outputs and all that was said of them: of each annotator the newest.

    Of a chat, one turn of one person with the outputs of that turn.
    """

    task: int
    task_type: TaskType
    options: Any
    prompt: dict[str, Any]
    outputs: list[Judged] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    settled: Said | None = None  # by a reviewer
    kept: set[str] | None = None  # the refs of outputs that may become rows, if not all may

    @property
    def counting(self) -> list[Said]:
        """What counts: all that was said, or the answer that outweighs it."""
        return [self.settled] if self.settled else self.said

    @property
    def behind(self) -> list[Said]:
        return [*self.said, *([self.settled] if self.settled else [])]

    @property
    def refs(self) -> list[str]:
        return [output.ref for output in self.outputs]


def judgments(tasks: TaskQuerySet) -> Iterator[Judgment]:
    """The tasks with a prompt and the turns of chats, in the order in which the tasks were made.

    A prompt that somebody writes is about nothing that was there before.
    """
    with_turns = [name for name, one in TASK_TYPES.items() if one.has_turns]
    tasks = tasks.filter(Q(prompt__isnull=False) | Q(queue__type__in=with_turns))
    queues: dict[int, Queue] = {}
    last = 0
    while piece := list(tasks.filter(pk__gt=last).select_related("prompt").order_by("pk")[:PIECE]):
        last = piece[-1].pk
        missing = {task.queue_id for task in piece} - queues.keys()
        queues |= Queue.objects.in_bulk(missing) if missing else {}
        chats = [task for task in piece if queues[task.queue_id].task_type.has_turns]
        talked = _judgments_of_chats(chats, queues)
        found = {
            task.pk: _judgment(task.pk, task.prompt, queues[task.queue_id])
            for task in piece
            if task.prompt and task.pk not in talked
        }
        _add_outputs(found)
        _add_answers(found)
        for task in piece:
            if task.pk in talked:
                yield from talked[task.pk]
            elif task.pk in found:
                yield found[task.pk]


def _judgments_of_chats(
    chats: Sequence[Task], queues: dict[int, Queue]
) -> dict[int, list[Judgment]]:
    """The judged turns, by task. A turn that came with a file is a task like others."""
    if not chats:
        return {}
    queue_of = {task.pk: queues[task.queue_id] for task in chats}
    turns = list(
        Turn.objects.filter(task__in=queue_of, annotation__isnull=False)
        .select_related("prompt", "annotation")
        .order_by("task", "annotator", "round", "number")
    )
    whole = {
        turn.task_id: _judgment(turn.task_id, turn.prompt, queue_of[turn.task_id]) for turn in turns
    }
    _add_outputs(whole)
    slots = [turn.annotation.assignment_id for turn in turns if turn.annotation]
    said: dict[tuple[int, int], Annotation] = {
        (one.assignment_id, one.turn): one
        for one in Annotation.objects.votes().filter(assignment__in=slots)
    }
    found: dict[int, list[Judgment]] = {task: [] for task in whole}
    for turn in turns:
        given = turn.annotation and said.get((turn.annotation.assignment_id, turn.number))
        if not given:
            continue
        judgment = _judgment(turn.task_id, turn.prompt, queue_of[turn.task_id])
        judgment.outputs = [one for one in whole[turn.task_id].outputs if one.ref in given.shown]
        judgment.said = [Said(given.pk, turn.annotator_id, given.answer)]
        found[turn.task_id].append(judgment)
    return found


def _judgment(task: int, prompt: Prompt, queue: Queue) -> Judgment:
    about = {
        "messages": [{"role": one["role"], "content": one["content"]} for one in prompt.messages],
        "language": prompt.language,
        "tags": prompt.all_tags,
        "split": prompt.split,
    }
    return Judgment(task, queue.task_type, queue.type_options, about)


def _add_outputs(found: dict[int, Judgment]) -> None:
    places = TaskOutput.objects.filter(task_id__in=found).order_by("task_id", "position")
    for task, key, ref, text, source in places.values_list(
        "task_id", "output_id", "ref", "output__text", "output__source"
    ):
        found[task].outputs.append(Judged(key, ref, text, source))


def _add_answers(found: dict[int, Judgment]) -> None:
    newest: defaultdict[int, dict[int, Said]] = defaultdict(dict)
    votes = Annotation.objects.votes().filter(assignment__task_id__in=found).order_by("pk")
    for task, annotator, annotation, answer in votes.values_list(
        "assignment__task_id", "assignment__annotator_id", "pk", "answer"
    ):
        newest[task][annotator] = Said(annotation, annotator, answer)
    for task, said in newest.items():
        found[task].said = list(said.values())
    settled = Annotation.objects.settlements().filter(assignment__task_id__in=found)
    for task, annotator, annotation, answer in settled.values_list(
        "assignment__task_id", "assignment__annotator_id", "pk", "answer"
    ):
        found[task].settled = Said(annotation, annotator, answer)
