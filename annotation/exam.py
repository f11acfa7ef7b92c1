"""Mark exams: who is right often enough gets the exam's skill."""

from typing import Any

from annotation.certainty import said_in
from annotation.grant import How, grant
from annotation.models import Annotation, Annotator, Assignment, Grant, Queue

PASSED = "This was the exam, and you have passed: “{}” is one of your skills now."
FAILED = "This was the exam. Too few of your answers were right for “{}”."


def share_right(
    queue: Queue, answer: dict[str, Any], gold: dict[str, Any], refs: list[str]
) -> float:
    """How much of a known answer this answer says, from 0 to 1."""
    wanted, said = said_in(queue, gold, refs), said_in(queue, answer, refs)
    if not wanted:
        return float(answer == gold)
    return sum(said.get(part) == value for part, value in wanted.items()) / len(wanted)


def mark(slot: Assignment, annotator: Annotator) -> Grant | None:
    """After an exam's last check: the skill, where enough was right. A skip is not right."""
    queue = slot.queue
    if not queue.exam_skill or slot.purpose != Assignment.Purpose.GOLD:
        return None
    closed = Assignment.objects.filter(
        annotator=annotator,
        queue=queue,
        purpose=slot.purpose,
        state__in=[Assignment.State.ANSWERED, Assignment.State.SKIPPED],
    )
    asked = closed.count()
    if asked < queue.exam_size:
        return None
    given = (
        Annotation.objects.current()
        .filter(
            assignment__annotator=annotator,
            assignment__queue=queue,
            assignment__purpose=Assignment.Purpose.GOLD,
        )
        .select_related("assignment__task")
        .prefetch_related("assignment__task__task_outputs")
    )
    right = 0.0
    for annotation in given:
        task = annotation.assignment.task
        refs = [place.ref for place in task.task_outputs.all()]
        right += share_right(queue, annotation.answer, task.gold or {}, refs)
    has_passed = right / asked >= queue.exam_share
    if asked == queue.exam_size:
        _tell(annotator, (PASSED if has_passed else FAILED).format(queue.exam_skill))
    if not has_passed:
        return None
    return grant(annotator, queue.exam_skill, how=How.EXAM, queue=queue, actor=annotator.user)


def _tell(annotator: Annotator, sentence: str) -> None:
    """What a rule has just told them goes first."""
    if Annotator.objects.filter(pk=annotator.pk, notice="").update(notice=sentence):
        annotator.notice = sentence
