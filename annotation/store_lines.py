"""Decide what lines of feedback bring to their project, and store it: all that fits, in one go."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from annotation.ask import checked_brief, lock_refs
from annotation.create_queue import create_queue
from annotation.edit_queue import locked
from annotation.feedback_keys import BadLine
from annotation.feedback_line import AnnotationLine, CommentLine, Line, asks, problem_with_answers
from annotation.models import Guideline, Queue
from annotation.recognise import Arrival, Known
from annotation.task_types import TASK_TYPES
from annotation.write_lines import Stored, Wanted, write_lines
from truing.audit import record
from truing.errors import Refused
from truing.models import Project, User

Numbered = tuple[int, Line]


@transaction.atomic
def store_lines(
    project: Project, lines: Iterable[Numbered], *, queue: Queue | None, actor: User | None
) -> Stored:
    """Store what is new in these lines, each with an id of its own; refuse what does not fit.

    Lines that ask go into the queue, or into one for their type that is made on demand.
    """
    # One import at a time in a project, so that an id or a name comes in once.
    lock_refs(project.pk)
    arrivals = [Arrival.of(number, line) for number, line in lines]
    known = Known(project, [arrival.line.id for arrival in arrivals])
    sorting = _Sorting(project, queue, actor)
    sorting.hold(arrivals, known)
    refused = []
    for arrival in arrivals:
        try:
            sorting.sort(arrival, known)
        except BadLine as problem:
            refused.append((arrival.number, str(problem)))
    stored = Stored(unchanged=sorting.unchanged)
    if sorting.wanted:
        write_lines(project, sorting.wanted, stored)
        counts = {name: value for name, value in vars(stored).items() if name != "refused"}
        record("feedback.import", actor=actor, project=project, on=queue, **counts)
    stored.refused = refused
    return stored


class _Sorting:
    """Finds out for each line whether it is new, known or wrong."""

    def __init__(self, project: Project, queue: Queue | None, actor: User | None) -> None:
        self.project = project
        self.named = queue
        self.actor = actor
        self.wanted = Wanted()
        self.unchanged = 0
        self.queues: dict[int, Queue] = {}
        self.options: dict[int, Any] = {}
        self.for_type: dict[str, Queue] = {}

    def hold(self, arrivals: Iterable[Arrival], known: Known) -> None:
        """Hold the queues that the lines are about, in their order, as others do who hold many."""
        lines = [arrival.line for arrival in arrivals if asks(arrival.line)]
        keys = {known.tasks[line.id].queue_id for line in lines if line.id in known.tasks}
        if self.named:
            keys.add(self.named.pk)
        else:
            types = {line.task_type for line in lines if line.id not in known.tasks}
            keys |= {found.pk for type in types if (found := self._found_for(type)[0])}
        for queue in Queue.objects.filter(pk__in=keys).order_by("pk"):
            self._held(queue)

    def sort(self, arrival: Arrival, known: Known) -> None:
        """Decide what a line brings, or raise BadLine."""
        line = arrival.line
        if known.has(line):
            if problem := known.difference(arrival):
                raise BadLine(problem)
            self._sort_known(line, known)
        elif known.is_turn(line):
            self.unchanged += 1
        elif asks(line):
            queue = self._queue_for(line)
            self._check_answers(line, queue)
            self._check_brief(line, queue)
            self._check_guidelines(line.annotations, queue)
            self.wanted.tasks.append((queue, arrival))
        else:
            if len({shape[1:] for shape in arrival.shape}) < len(arrival.shape):
                raise BadLine("Two outputs of the line are the same.")
            self.wanted.prompts.append(arrival)

    def _sort_known(self, line: Line, known: Known) -> None:
        annotations: list[AnnotationLine] = []
        comments: list[CommentLine] = []
        if asks(line):
            annotations, problem = known.added(line)
            if problem:
                raise BadLine(problem)
            comments, problem = known.added_comments(line)
            if problem:
                raise BadLine(problem)
        if not annotations and not comments:
            self.unchanged += 1
            return
        task = known.tasks[line.id]
        queue = self._held(task.queue)
        if queue.reserved_for:
            raise BadLine(f"“{line.id}” belongs to a review, which takes no answers from files.")
        self._check_answers(line, queue)
        self._check_guidelines(annotations, queue)
        self.wanted.comments += [(task.pk, comment) for comment in comments]
        if annotations:
            self.wanted.answers.append((queue, task.pk, line.id, annotations))

    def _queue_for(self, line: Line) -> Queue:
        if self.named:
            queue = self._held(self.named)
            if queue.type != line.task_type:
                raise BadLine(
                    f"The queue “{queue}” asks for {queue.type}, and the line for {line.task_type}."
                )
            return queue
        if line.task_type not in self.for_type:
            self.for_type[line.task_type] = self._held(self._made_for(line.task_type))
        return self.for_type[line.task_type]

    def _made_for(self, task_type: str) -> Queue:
        found, name = self._found_for(task_type)
        return found or create_queue(self.project, name=name, type=task_type, actor=self.actor)

    def _found_for(self, task_type: str) -> tuple[Queue | None, str]:
        """The queue that lines of a type go into, and what it is called."""
        name = f"Imported: {TASK_TYPES[task_type].label}"[:180]
        number = 1
        while True:
            called = name if number == 1 else f"{name} ({number})"
            queue = Queue.objects.filter(project=self.project, name=called).first()
            if queue is None or (queue.type == task_type and not queue.reserved_for):
                return queue, called
            number += 1

    def _held(self, queue: Queue) -> Queue:
        if queue.pk not in self.queues:
            self.queues[queue.pk] = locked(queue)
        return self.queues[queue.pk]

    def _check_answers(self, line: Line, queue: Queue) -> None:
        if queue.pk not in self.options:
            self.options[queue.pk] = queue.type_options
        if problem := problem_with_answers(line, self.options[queue.pk]):
            raise BadLine(problem)

    def _check_brief(self, line: Line, queue: Queue) -> None:
        try:
            checked_brief(queue, line.brief)
        except Refused as refusal:
            raise BadLine(f"Brief: {refusal}") from None

    def _check_guidelines(self, annotations: list[AnnotationLine], queue: Queue) -> None:
        """Know every guideline that is named. A queue that has no instructions gets the numbers."""
        wanted = {one.guideline for one in annotations if one.guideline is not None}
        if not wanted:
            return
        if queue.pk not in self.wanted.guidelines:
            self.wanted.guidelines[queue.pk] = dict(queue.guidelines.values_list("number", "pk"))
        numbers = self.wanted.guidelines[queue.pk]
        missing = sorted(wanted - numbers.keys())
        if missing and queue.guidelines.exclude(text="").exists():
            raise BadLine(f"The queue “{queue}” has no guideline {missing[0]}.")
        for number in missing:
            numbers[number] = Guideline.objects.create(queue=queue, number=number).pk
