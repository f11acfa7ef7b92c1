"""Tell lines that a project knows from new ones, and what they would change."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from annotation.feedback_line import AnnotationLine, CommentLine, Line, ReturnLine, asks
from annotation.models import (
    Annotation,
    Assignment,
    Comment,
    Output,
    Prompt,
    Task,
    TaskOutput,
    Turn,
)
from annotation.models.output import output_digest
from annotation.models.prompt import prompt_digest
from truing.models import Project

State = Assignment.State
Shape = list[tuple[str, str, str]]  # ref, digest and source of each output
Who = tuple[str, int, bool]  # pseudonym, round, whether it settles


@dataclass
class Arrival:
    """A line on its way in, with what makes its prompt and its outputs the same as others.

    The digest is empty where there is no prompt.
    """

    number: int
    line: Line
    digest: str
    shape: Shape

    @classmethod
    def of(cls, number: int, line: Line) -> "Arrival":
        about = (line.messages, line.language, line.source, line.tags, line.meta)
        digest = prompt_digest(*about) if line.messages else ""
        shape = [(one.ref, output_digest(one.text, one.params), one.source) for one in line.outputs]
        return cls(number, line, digest, shape)


class Known:
    """What a project has under the ids of some lines, read with a few queries."""

    def __init__(self, project: Project, ids: Iterable[str]) -> None:
        ids = list(ids)
        tasks = Task.objects.in_project(project.pk).filter(ref__in=ids)
        self.tasks = {task.ref: task for task in tasks.select_related("queue", "prompt")}
        prompts = Prompt.objects.filter(project=project, ref__in=ids)
        self.prompts = {prompt.ref: prompt for prompt in prompts}
        self.shapes = self._shapes()
        self.slots: dict[int, dict[Who, Assignment]] = defaultdict(dict)
        self.answers: dict[int, list[Any]] = defaultdict(list)
        self._read_answers()
        self.comments = self._comments()
        self.turns = _turns(project, [ref for ref in ids if ref not in self.tasks])

    def has(self, line: Line) -> bool:
        return line.id in self.tasks or line.id in self.prompts

    def difference(self, arrival: Arrival) -> str:
        """What a known line says otherwise than before; nothing where it is the same."""
        line = arrival.line
        task = self.tasks.get(line.id)
        if (task is not None) != asks(line):
            return f"“{line.id}” is already here, with other outputs."
        if task:
            prompt, brief, type, name = task.prompt, task.brief, task.queue.type, ("task", task.pk)
        else:
            prompt, brief = self.prompts[line.id], {}
            type, name = prompt.task_type, ("prompt", prompt.pk)
        if (prompt.digest if prompt else "") != arrival.digest:
            return f"“{line.id}” is already here, with another prompt, language, tags or meta."
        if brief != line.brief:
            return f"“{line.id}” is already here, with another brief."
        if type != line.task_type:
            return f"“{line.id}” is already here, as a task of another type."
        if self.shapes.get(name, []) != arrival.shape:
            return f"“{line.id}” is already here, with other outputs."
        if task and line.gold is not None and task.gold != line.gold:
            return f"“{line.id}” is already here, with another gold answer."
        if task and line.gold is not None and task.is_check != line.is_check:
            return f"“{line.id}” is already here, with another kind of known answer."
        return ""

    def added(self, line: Line) -> tuple[list[AnnotationLine], str]:
        """The annotations that are new to a known task, or what speaks against the line."""
        slots = self.slots[self.tasks[line.id].pk]
        new = []
        for annotation in line.annotations:
            slot = slots.get(annotation.who)
            if slot is None:
                new.append(annotation)
            elif not self._says_the_same(slot, annotation):
                return [], (
                    f"Annotator “{annotation.annotator}” has already answered “{line.id}”,"
                    " and otherwise."
                )
        return new, ""

    def added_comments(self, line: Line) -> tuple[list[CommentLine], str]:
        """What was written about a known task and is not here yet, or what speaks against it."""
        written = self.comments[self.tasks[line.id].pk]
        new = [one for one in line.comments if one.what not in written]
        for one in new:
            if one.sent_back and not self._has_what_was_sent_back(
                line, one.with_whom, one.sent_back
            ):
                return [], (
                    f"An answer of “{one.with_whom}” to “{line.id}” was sent back that is not"
                    " here, or in another place."
                )
        return new, ""

    def is_turn(self, line: Line) -> bool:
        """Whether a chat of this project says the same in one of its turns, which is a line."""
        given = self.turns.get(line.id)
        if given is None or len(line.annotations) != 1 or line.annotations[0].is_skip:
            return False
        return line.annotations[0].answers[-1].answer in given

    def _says_the_same(self, slot: Assignment, annotation: AnnotationLine) -> bool:
        if annotation.is_skip:
            return slot.state == State.SKIPPED
        # What the file says may have been corrected here since.
        return annotation.answers[-1].answer in self.answers[slot.pk]

    def _has_what_was_sent_back(self, line: Line, whose: str, back: ReturnLine) -> bool:
        """Whether that place holds the same answer here, if the line does not bring it."""
        who = (whose, back.round, False)
        slot = self.slots[self.tasks[line.id].pk].get(who)
        if slot is None:
            return True
        [said] = [one.answers for one in line.annotations if one.who == who]
        here = self.answers[slot.pk]
        return here[back.answer - 1 : back.answer] == [said[back.answer - 1].answer]

    def _comments(self) -> dict[int, set[Any]]:
        written: dict[int, set[Any]] = defaultdict(set)
        found = Comment.objects.filter(task__in=[task.pk for task in self.tasks.values()])
        for one in found.select_related("author", "annotator"):
            with_whom = one.annotator.pseudonym if one.annotator else ""
            written[one.task_id].add((one.author.pseudonym, with_whom, one.at, one.text))
        return written

    def _shapes(self) -> dict[tuple[str, int], Shape]:
        shapes: dict[tuple[str, int], Shape] = defaultdict(list)
        places = TaskOutput.objects.filter(task__in=[task.pk for task in self.tasks.values()])
        # What was said in a chat stands in lines of its own, the outputs with it.
        talked = Turn.objects.filter(task__in=list(self.tasks.values()), annotation__isnull=False)
        places = places.exclude(task__in=talked.values("task"))
        for task, *shape in places.order_by("task", "position").values_list(
            "task", "ref", "output__digest", "output__source"
        ):
            shapes["task", task].append((shape[0], shape[1], shape[2]))
        outputs = Output.objects.filter(prompt__in=[one.pk for one in self.prompts.values()])
        for prompt, *shape in (
            outputs.exclude(ref="").order_by("pk").values_list("prompt", "ref", "digest", "source")
        ):
            shapes["prompt", prompt].append((shape[0], shape[1], shape[2]))
        return shapes

    def _read_answers(self) -> None:
        slots = Assignment.objects.filter(
            task__in=[task.pk for task in self.tasks.values()], annotator__isnull=False
        ).select_related("annotator")
        for slot in slots:
            if slot.annotator:
                who = (slot.annotator.pseudonym, slot.round, slot.purpose == "adjudication")
                self.slots[slot.task_id][who] = slot
        given = Annotation.objects.filter(
            assignment__task__in=[task.pk for task in self.tasks.values()]
        )
        for slot_id, answer in given.order_by("pk").values_list("assignment", "answer"):
            self.answers[slot_id].append(answer)


def _turns(project: Project, ids: Sequence[str]) -> dict[str, list[Any]]:
    """Those of these lines that are turns of chats held here, and what was answered in them."""
    chats = {ref[:place] for ref in ids for place, sign in enumerate(ref) if sign == "/"}
    if not chats:
        return {}
    judged = Turn.objects.filter(
        task__queue__project=project, task__ref__in=chats, annotation__isnull=False
    ).select_related("task", "annotator", "annotation")
    named = {turn.line_id: turn for turn in judged}
    known = {ref: named[ref] for ref in ids if ref in named}
    slots = [turn.annotation.assignment_id for turn in known.values() if turn.annotation]
    given: dict[tuple[int, int], list[Any]] = defaultdict(list)
    answers = Annotation.objects.filter(assignment__in=slots)
    for slot, number, answer in answers.values_list("assignment", "turn", "answer"):
        given[slot, number].append(answer)
    return {
        ref: given[turn.annotation.assignment_id, turn.number]
        for ref, turn in known.items()
        if turn.annotation
    }
