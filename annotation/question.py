"""What a person sees of a question: texts in the order shown, and never a source or a key."""

import secrets
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from annotation.assign import last_closed_slot
from annotation.models import Annotation, Annotator, Assignment, Draft, Guideline, Queue, Task
from annotation.models.prompt import Message
from truing.options import record_of

AHEAD_AT_MOST = 500


@dataclass(frozen=True)
class ShownOutput:
    position: int
    number: int
    text: str
    place: str  # where a draft or an answer has put it, if anywhere
    page: Any = None  # what the task type's template shows beside it


@dataclass(frozen=True)
class Question:
    pk: int  # of the assignment, or of the answer that is being corrected
    queue: Queue
    prompt: list[Message]
    brief: dict[str, str]  # in place of a prompt, where there is none
    outputs: list[ShownOutput]
    guideline: Guideline | None
    options: dict[str, Any]
    form: dict[str, str]
    page: Any  # what the task type's template shows beside
    reason: str
    seconds: float
    key: str  # of the answer that will be given

    @property
    def type(self) -> str:
        return self.queue.type


@dataclass(frozen=True)
class Progress:
    today: int
    ahead: int
    is_more: bool  # than could be counted in no time


def shown_to(assignment: Assignment, annotator: Annotator) -> list[str]:
    """The refs in the order in which this annotator saw them, also when the slot is lost."""
    if assignment.annotator_id == annotator.pk:
        return assignment.shown
    draft = Draft.objects.filter(task=assignment.task_id, annotator=annotator).first()
    return draft.content["shown"] if draft else []


def question_of(assignment: Assignment, annotator: Annotator) -> Question:
    """What the annotator is asked, with what they have typed so far."""
    draft = Draft.objects.filter(task=assignment.task_id, annotator=annotator).first()
    content = draft.content if draft else {}
    return _question(
        assignment.pk,
        assignment.task,
        assignment.shown,
        assignment.guideline,
        answer=content.get("answer") or {},
        reason=content.get("reason") or "",
        seconds=content.get("seconds") or 0,
    )


def question_again(annotation: Annotation) -> Question:
    """What the annotator was asked, with what they answered."""
    return _question(
        annotation.pk,
        annotation.assignment.task,
        annotation.shown,
        annotation.assignment.guideline,
        answer=annotation.answer,
        reason=annotation.reason,
        seconds=0,
    )


def progress_of(annotator: Annotator, queue: Queue | None) -> Progress:
    """How much this annotator has answered today, and how many tasks of the queue lie ahead."""
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    answered = Assignment.objects.filter(annotator=annotator, state=Assignment.State.ANSWERED)
    ahead: list[int] = []
    if queue:
        free = Assignment.objects.filter(queue=queue).unmet_by(annotator).free()
        free = free.filter(pk__gt=last_closed_slot(annotator, queue))
        ahead = list(free.values_list("task_id", flat=True)[:AHEAD_AT_MOST])
    return Progress(
        today=answered.filter(closed_at__gte=midnight).count(),
        ahead=len(set(ahead)),
        is_more=len(ahead) == AHEAD_AT_MOST,
    )


def _question(
    pk: int,
    task: Task,
    shown: list[str],
    guideline: Guideline | None,
    *,
    answer: dict[str, Any],
    reason: str,
    seconds: float,
) -> Question:
    queue = task.queue
    texts = dict(task.task_outputs.values_list("ref", "output__text"))
    options = queue.type_options
    form = queue.task_type.form_of(answer, shown)
    return Question(
        pk=pk,
        queue=queue,
        prompt=task.prompt.messages if task.prompt else [],
        brief=task.brief,
        outputs=[
            ShownOutput(
                position,
                position + 1,
                texts[ref],
                form.get(f"place_{position}", ""),
                queue.task_type.beside(options, position, form),
            )
            for position, ref in enumerate(shown)
        ],
        guideline=guideline,
        options=record_of(options),
        form=form,
        page=queue.task_type.page(options, shown, form),
        reason=reason,
        seconds=seconds,
        key=secrets.token_hex(16),
    )
