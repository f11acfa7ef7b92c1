"""Give a project's tasks and answers out again as feedback lines: nothing lost, one at a time.

The form is described in docs/feedback.md: what is empty is left out of a line.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from annotation.feedback_keys import Record
from annotation.feedback_line import PURPOSES
from annotation.models import (
    Annotation,
    Annotator,
    Assignment,
    Comment,
    Flag,
    Output,
    Prompt,
    Queue,
    Return,
    Task,
    TaskOutput,
    Turn,
)
from annotation.models.task import TaskQuerySet
from truing.models import Project

PIECE = 500
State = Assignment.State
Purpose = Assignment.Purpose


def export_feedback(project: Project, *, queue: Queue | None = None) -> Iterator[Record]:
    """The lines of a project or of one queue: the tasks in the order in which they were made,
    then (of a project) the prompts that came without a task.

    A review that people still work on is left out: its sources would tell who wrote what.
    """
    tasks = Task.objects.in_project(project.pk)
    if queue:
        tasks = tasks.filter(queue=queue)
    yield from lines_of_tasks(tasks.without_running_reviews())
    if not queue:
        yield from _lines_of_prompts(project)


def as_jsonl(lines: Iterable[Record]) -> Iterator[bytes]:
    """Lines as they stand in a file."""
    for line in lines:
        yield json.dumps(line, ensure_ascii=False).encode() + b"\n"


def lines_of_tasks(tasks: TaskQuerySet) -> Iterator[Record]:
    """The lines of these tasks, in the order in which they were made; a piece is in memory."""
    tasks = tasks.select_related("prompt", "queue").order_by("pk")
    last = 0
    while piece := list(tasks.filter(pk__gt=last)[:PIECE]):
        keys = [task.pk for task in piece]
        outputs = _outputs_by_task(keys)
        annotations = _annotations_by_task(keys)
        comments = _comments_by_task(keys)
        chats = _chats_by_task(keys)
        for task in piece:
            if task.pk in chats:
                yield from _lines_of_chat(task, chats[task.pk])
                # Whoever talked has lines of their own, with the outputs of theirs.
                skips = [one for one in annotations[task.pk] if one.get("skipped")]
                outputs[task.pk], annotations[task.pk] = [], [_without_shown(one) for one in skips]
                if not skips and not comments[task.pk]:
                    continue
            yield _line(
                task.ref,
                task.prompt,
                task_type=task.queue.type,
                outputs=outputs[task.pk],
                annotations=annotations[task.pk],
                gold=task.gold,
                is_check=task.is_check,
                brief=task.brief,
                comments=comments[task.pk],
            )
        last = keys[-1]


@dataclass
class _Chat:
    """The judged turns of a task, each with its answer and corrections, and its outputs."""

    turns: list[tuple[Turn, list[Annotation]]] = field(default_factory=list)
    places: list[TaskOutput] = field(default_factory=list)


def _chats_by_task(tasks: list[int]) -> dict[int, _Chat]:
    judged = Turn.objects.filter(task__in=tasks, annotation__isnull=False)
    judged = judged.select_related("prompt", "annotator", "annotation")
    turns = list(judged.order_by("task", "annotator", "round", "number"))
    if not turns:
        return {}
    slots = {turn.annotation.assignment_id for turn in turns if turn.annotation}
    given: dict[tuple[int, int], list[Annotation]] = defaultdict(list)
    answers = Annotation.objects.filter(assignment__in=slots, turn__gt=0)
    for answer in answers.select_related("assignment__guideline").order_by("pk"):
        given[answer.assignment_id, answer.turn].append(answer)
    chats: dict[int, _Chat] = defaultdict(_Chat)
    for turn in turns:
        if turn.annotation:
            its = given[turn.annotation.assignment_id, turn.number]
            chats[turn.task_id].turns.append((turn, its))
    placed = TaskOutput.objects.filter(task__in=list(chats)).select_related("output")
    for place in placed.order_by("task", "position"):
        chats[place.task_id].places.append(place)
    return chats


def _lines_of_chat(task: Task, chat: _Chat) -> Iterator[Record]:
    """A line for each turn that was judged. `meta` says from which line and output it goes on."""
    after: Record = {}
    name = ""
    for turn, answers in chat.turns:
        turn.task = task
        if turn.chat_id != name:
            name, after = turn.chat_id, {}
        places = [place for place in chat.places if place.ref in answers[-1].shown]
        line = _line(
            turn.line_id,
            turn.prompt,
            task_type=task.queue.type,
            outputs=[_output(place.ref, place.output) for place in places],
            annotations=[_annotation_of(answers[-1].assignment, turn.annotator, answers)],
        )
        about = {"id": name, "turn": turn.number, **_filled(after=after)}
        line["meta"] = {**turn.prompt.meta, "chat": about}
        yield line
        for place in places:
            if place.output_id == turn.went_on_id:
                after = {"line": turn.line_id, "output": place.ref}


def _without_shown(annotation: Record) -> Record:
    return {name: value for name, value in annotation.items() if name != "shown"}


def moment(at: datetime) -> str:
    """A time as lines give it: UTC, with as many digits as it needs."""
    digits = "microseconds" if at.microsecond % 1000 else "milliseconds"
    text = at.astimezone(UTC).isoformat(timespec=digits if at.microsecond else "seconds")
    return text.removesuffix("+00:00") + "Z"


def _lines_of_prompts(project: Project) -> Iterator[Record]:
    prompts = Prompt.objects.filter(project=project).exclude(ref="").order_by("pk")
    last = 0
    while piece := list(prompts.filter(pk__gt=last)[:PIECE]):
        outputs: dict[int, list[Record]] = defaultdict(list)
        # Outputs that came later have no ref: they are not part of the line.
        theirs = Output.objects.filter(prompt__in=piece).exclude(ref="").order_by("pk")
        for output in theirs:
            outputs[output.prompt_id].append(_output(output.ref, output))
        for prompt in piece:
            yield _line(prompt.ref, prompt, task_type=prompt.task_type, outputs=outputs[prompt.pk])
        last = piece[-1].pk


def _line(
    ref: str,
    prompt: Prompt | None,
    *,
    task_type: str,
    outputs: list[Record],
    annotations: list[Record] | None = None,
    gold: Record | None = None,
    is_check: bool = False,
    brief: Record | None = None,
    comments: list[Record] | None = None,
) -> Record:
    line = {
        "id": ref,
        "prompt": prompt.messages if prompt else None,
        "language": prompt.language if prompt else "",
        "source": prompt.source if prompt else "",
        "tags": prompt.tags if prompt else None,
        "task_type": task_type,
        "outputs": outputs,
        "annotations": annotations,
        "gold": gold,
        "gold_kind": "attention" if is_check else "",
        "brief": brief,
        "comments": comments,
        "meta": prompt.meta if prompt else None,
    }
    # Gold may be an answer without anything in it; of the rest, what is empty says nothing.
    return {name: value for name, value in line.items() if value or (name == "gold" and gold == {})}


def _output(ref: str, output: Output) -> Record:
    line: Record = {"id": ref, "text": output.text}
    if output.source:
        line["source"] = output.source
    if output.params:
        line["params"] = output.params
    return line


def _outputs_by_task(tasks: list[int]) -> dict[int, list[Record]]:
    outputs: dict[int, list[Record]] = defaultdict(list)
    places = TaskOutput.objects.filter(task__in=tasks).select_related("output")
    for place in places.order_by("task", "position"):
        outputs[place.task_id].append(_output(place.ref, place.output))
    return outputs


def _annotations_by_task(tasks: list[int]) -> dict[int, list[Record]]:
    closed = Assignment.objects.filter(
        task__in=tasks, state__in=[State.ANSWERED, State.SKIPPED], annotator__isnull=False
    )
    slots = list(closed.select_related("annotator", "guideline").order_by("pk"))
    answers: dict[int, list[Annotation]] = defaultdict(list)
    given = Annotation.objects.filter(assignment__in=[slot.pk for slot in slots])
    # Of several answers in one slot each takes the place of the one before.
    for answer in given.order_by("pk"):
        answers[answer.assignment_id].append(answer)
    flags = {
        (flag.task_id, flag.annotator_id, flag.round): flag
        for flag in Flag.objects.filter(task__in=tasks).order_by("pk")
    }
    lines: dict[int, list[Record]] = defaultdict(list)
    for slot in slots:
        line = _annotation(slot, answers[slot.pk])
        flag = flags.get((slot.task_id, slot.annotator_id, slot.round))
        if flag and slot.state == State.SKIPPED and slot.purpose != Purpose.ADJUDICATION:
            line["for_nobody"] = _flag(flag)
        lines[slot.task_id].append(line)
    return lines


def _flag(flag: Flag) -> Record:
    if flag.state == Flag.State.OPEN:
        return {}
    line: Record = {"decision": flag.state, **_filled(note=flag.note)}
    if flag.decided_at:
        line["at"] = moment(flag.decided_at)
    return line


def _comments_by_task(tasks: list[int]) -> dict[int, list[Record]]:
    found = Comment.objects.filter(task__in=tasks).select_related("author", "annotator")
    comments = list(found.order_by("pk"))
    lines: dict[int, list[Record]] = defaultdict(list)
    if not comments:
        return lines
    returns = _returns_by_comment([comment.pk for comment in comments])
    for comment in comments:
        line: Record = {"by": comment.author.pseudonym}
        if comment.annotator:
            line["with"] = comment.annotator.pseudonym
        line |= {"text": comment.text, "at": moment(comment.at)}
        line |= _filled(sent_back=returns.get(comment.pk))
        lines[comment.task_id].append(line)
    return lines


def _returns_by_comment(comments: list[int]) -> dict[int, Record]:
    """What became of the answers that comments sent back; while they wait, nothing has."""
    found = Return.objects.filter(comment__in=comments).exclude(state=Return.State.OPEN)
    returns = list(found.select_related("annotation__assignment"))
    slots = {one.annotation.assignment_id for one in returns}
    answers: dict[int, list[int]] = defaultdict(list)
    given = Annotation.objects.filter(assignment__in=slots).order_by("pk")
    for its_slot, pk in given.values_list("assignment", "pk"):
        answers[its_slot].append(pk)
    lines: dict[int, Record] = {}
    for one in returns:
        slot = one.annotation.assignment
        place = answers[slot.pk].index(one.annotation_id) + 1
        line: Record = {"state": one.state, "answer": place}
        if slot.round != 1:
            line["round"] = slot.round
        if one.closed_at:
            line["at"] = moment(one.closed_at)
        lines[one.comment_id] = line
    return lines


def _annotation(slot: Assignment, answers: list[Annotation]) -> Record:
    return _annotation_of(slot, slot.annotator, answers)


def _annotation_of(
    slot: Assignment, annotator: Annotator | None, answers: list[Annotation]
) -> Record:
    line: Record = {"annotator": annotator.pseudonym if annotator else ""}
    if slot.state == State.SKIPPED:
        line |= {"skipped": True, **_filled(shown=slot.shown, reason=slot.skip_reason)}
        if slot.closed_at:
            line["at"] = moment(slot.closed_at)
        # A settlement that was taken back.
        line |= _filled(earlier=[_answer(answer) for answer in answers])
    elif answers:
        line |= _answer(answers[-1])
        line |= _filled(earlier=[_answer(answer) for answer in answers[:-1]])
    if slot.guideline:
        line["guideline"] = slot.guideline.number
    if slot.purpose in PURPOSES:
        line["purpose"] = slot.purpose
    if slot.round != 1:
        line["round"] = slot.round
    return line


def _answer(answer: Annotation) -> Record:
    line: Record = {"answer": answer.answer, **_filled(shown=answer.shown)}
    if answer.seconds is not None:
        line["seconds"] = answer.seconds
    if answer.at is not None:
        line["at"] = moment(answer.at)
    return line | _filled(reason=answer.reason)


def _filled(**values: Any) -> Record:
    return {name: value for name, value in values.items() if value}
