"""Go through the questions and outputs that somebody selects, a piece at a time."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from django.db import connection, transaction

from annotation.aggregators.base import Question, Vote, read_vote
from annotation.models import Annotation, Queue, TaskOutput
from annotation.models.task import TaskQuerySet
from annotation.task_types import TaskType

PIECE = 1000


@contextmanager
def one_moment() -> Iterator[None]:
    """Everything read inside is read as of one moment, however long it takes.

    Inside somebody else's transaction it is that transaction's business.
    """
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


class Selection:
    """The questions of some tasks, with their votes; can be gone through more than once.

    Only a piece is in memory at a time. Tasks about fewer than two outputs are left out.
    """

    def __init__(
        self, tasks: TaskQuerySet, *, bad_as_ties: bool = False, settled: bool = False
    ) -> None:
        self.tasks = tasks
        self.bad_as_ties = bad_as_ties
        self.settled = settled  # with what reviewers settled; who measures people asks for none
        self._queues: dict[int, tuple[TaskType, Any]] = {}

    def __iter__(self) -> Iterator[Question]:
        last = 0
        while True:
            rows = self.tasks.filter(pk__gt=last).order_by("pk")
            found = list(rows.values_list("pk", "prompt__digest", "queue")[:PIECE])
            self._know({queue for *_, queue in found})
            piece = {
                task: _Asked(digest or "", queue, *self._queues[queue])
                for task, digest, queue in found
            }
            if not piece:
                return
            for question in chain(_questions(piece, self.settled), _turns(piece)):
                yield _with_ties(question) if self.bad_as_ties else question
            last = max(piece)

    def _know(self, queues: set[int]) -> None:
        if unknown := queues - self._queues.keys():
            for queue in Queue.objects.filter(pk__in=unknown):
                self._queues[queue.pk] = queue.task_type, queue.type_options


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a task asks: about which prompt, and how."""

    prompt: str
    queue: int
    task_type: TaskType
    options: Any


def _questions(piece: Mapping[int, _Asked], with_settled: bool) -> Iterator[Question]:
    piece = {task: asked for task, asked in piece.items() if not asked.task_type.has_turns}
    refs: defaultdict[int, list[str]] = defaultdict(list)
    names: defaultdict[int, list[str]] = defaultdict(list)
    outputs = TaskOutput.objects.filter(task_id__in=piece).order_by("task_id", "position")
    for task, ref, digest, source in outputs.values_list(
        "task_id", "ref", "output__digest", "output__source"
    ):
        refs[task].append(ref)
        names[task].append(f"{piece[task].prompt}/{digest}/{source}")

    # Somebody who was asked again is heard once: their newest answer takes the earlier one's place.
    votes: defaultdict[int, dict[int, Vote]] = defaultdict(dict)
    answers = Annotation.objects.votes().filter(assignment__task_id__in=piece).order_by("pk")
    for task, annotator, annotation, answer, shown in answers.values_list(
        "assignment__task_id", "assignment__annotator_id", "pk", "answer", "shown"
    ):
        asked = piece[task]
        said = asked.task_type.comparison(answer, asked.options)
        vote = read_vote(said, refs[task], annotation=annotation, annotator=annotator, shown=shown)
        if vote is not None:
            votes[task][annotator] = vote

    settled = _settled(piece, refs) if with_settled else {}
    for task, its_refs in refs.items():
        if len(its_refs) > 1:
            yield Question(
                task,
                tuple(names[task]),
                tuple(votes[task].values()),
                settled=settled.get(task),
                queue=piece[task].queue,
            )


def _settled(piece: Mapping[int, _Asked], refs: Mapping[int, list[str]]) -> dict[int, Vote]:
    """What reviewers settled of these tasks."""
    found: dict[int, Vote] = {}
    answers = Annotation.objects.settlements().filter(assignment__task_id__in=piece)
    for task, annotator, annotation, answer in answers.values_list(
        "assignment__task_id", "assignment__annotator_id", "pk", "answer"
    ):
        said = piece[task].task_type.comparison(answer, piece[task].options)
        if vote := read_vote(said, refs[task], annotation=annotation, annotator=annotator):
            found[task] = vote
    return found


def _turns(piece: Mapping[int, _Asked]) -> Iterator[Question]:
    """Each turn of a chat is a question of its own, about its own outputs and prompt."""
    chats = {task: asked for task, asked in piece.items() if asked.task_type.has_turns}
    if not chats:
        return
    outputs: defaultdict[int, list[tuple[int, str, str]]] = defaultdict(list)
    for task, position, ref, *named in (
        TaskOutput.objects.filter(task_id__in=chats)
        .order_by("task_id", "position")
        .values_list(
            "task_id",
            "position",
            "ref",
            "output__prompt__digest",
            "output__digest",
            "output__source",
        )
    ):
        outputs[task].append((position, ref, "/".join(named)))
    answers = Annotation.objects.votes().filter(assignment__task_id__in=chats)
    for task, annotator, annotation, answer, shown in answers.order_by(
        "assignment__task_id", "pk"
    ).values_list("assignment__task_id", "assignment__annotator_id", "pk", "answer", "shown"):
        asked = chats[task]
        said = asked.task_type.comparison(answer, asked.options)
        # What came with a file may not say what was shown: then it was all there is.
        mine = [place for place in outputs[task] if not shown or place[1] in shown]
        refs = [ref for _, ref, _ in mine]
        vote = read_vote(said, refs, annotation=annotation, annotator=annotator)
        if vote is not None and len(mine) > 1:
            names = tuple(name for *_, name in mine)
            places = tuple(position for position, *_ in mine)
            yield Question(task, names, (vote,), places, queue=asked.queue)


def _with_ties(question: Question) -> Question:
    equal = (tuple(range(len(question.outputs))),)

    def with_ties(vote: Vote) -> Vote:
        return replace(vote, tiers=equal, all_bad=False) if vote.all_bad else vote

    settled = with_ties(question.settled) if question.settled else None
    return replace(question, votes=tuple(map(with_ties, question.votes)), settled=settled)
