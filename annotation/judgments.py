"""Go through all that people said of some tasks, whatever they were asked, a piece at a time."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from annotation.models import Annotation, Queue, Task, TaskOutput
from annotation.models.task import TaskQuerySet
from annotation.task_types import TaskType

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
    """A task with its outputs and all that was said of them: of each annotator the newest."""

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
    """The tasks with a prompt, in the order in which they were made.

    What is said in a task without one (a chat, a prompt that somebody writes) is about nothing
    that was there before.
    """
    tasks = tasks.filter(prompt__isnull=False)
    queues: dict[int, Queue] = {}
    last = 0
    while piece := list(tasks.filter(pk__gt=last).select_related("prompt").order_by("pk")[:PIECE]):
        last = piece[-1].pk
        missing = {task.queue_id for task in piece} - queues.keys()
        queues |= Queue.objects.in_bulk(missing) if missing else {}
        found = {task.pk: _judgment(task, queues[task.queue_id]) for task in piece}
        _add_outputs(found)
        _add_answers(found)
        yield from found.values()


def _judgment(task: Task, queue: Queue) -> Judgment:
    prompt = task.prompt
    assert prompt is not None  # those without are not selected
    about = {
        "messages": [{"role": one["role"], "content": one["content"]} for one in prompt.messages],
        "language": prompt.language,
        "tags": prompt.all_tags,
        "split": prompt.split,
    }
    return Judgment(task.pk, queue.task_type, queue.type_options, about)


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
