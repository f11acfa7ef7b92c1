"""What a person sees of a question: texts in the order shown, and never a source or a key."""

import secrets
from dataclasses import dataclass
from typing import Any

from django.db.models import prefetch_related_objects

from annotation.draft import correction_drafted
from annotation.models import (
    Annotation,
    Annotator,
    Assignment,
    Draft,
    Guideline,
    Prompt,
    Queue,
    Task,
)
from annotation.models.prompt import Message
from annotation.task_types.scales import unchanged_names
from truing.options import record_of


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
    own_names: frozenset[str]  # labels and levels that no curator wrote
    form: dict[str, str]
    page: Any  # what the task type's template shows beside
    reason: str
    seconds: float
    key: str  # of the answer that will be given
    is_draft: bool  # it shows what has been typed, and not what was given
    categories: list[str]  # of sensitive content; it is veiled until it is uncovered

    @property
    def type(self) -> str:
        return self.queue.type


def shown_to(assignment: Assignment, annotator: Annotator) -> list[str]:
    """The refs in the order in which this annotator saw them, also when the slot is lost."""
    if assignment.annotator_id == annotator.pk:
        return assignment.shown
    draft = Draft.objects.filter(task=assignment.task_id, annotator=annotator).first()
    return draft.content["shown"] if draft else []


def question_of(assignment: Assignment, annotator: Annotator) -> Question:
    """What the annotator is asked, with what they have typed so far."""
    content = assignment.draft
    if content is None:
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


def question_again(annotation: Annotation, *, as_given: bool = False) -> Question:
    """What the annotator was asked, with what they have begun to correct, or else answered."""
    content = {} if as_given else correction_drafted(annotation)
    return _question(
        annotation.pk,
        annotation.assignment.task,
        annotation.shown,
        annotation.assignment.guideline,
        prompt=_prompt_of_turn(annotation) if annotation.turn else None,
        answer=content.get("answer", annotation.answer) or {},
        reason=content.get("reason", annotation.reason) or "",
        seconds=content.get("seconds") or 0,
        is_draft=bool(content),
    )


def question_to_settle(
    task: Task, shown: list[str], given: Annotation | None, drafted: dict[str, Any]
) -> Question:
    """What a reviewer settles, with the instructions in force, and with what they have typed so
    far, or else with the settled answer, if there is one.
    """
    return _question(
        task.pk,
        task,
        shown,
        task.queue.guidelines.order_by("-number").first(),
        answer=drafted.get("answer", given.answer if given else {}) or {},
        reason=drafted.get("reason", given.reason if given else "") or "",
        seconds=drafted.get("seconds") or 0,
        is_draft=bool(drafted),
    )


def question_about(task: Task, answer: dict[str, Any]) -> Question:
    """A task as its outputs stand in it, with an answer that may be given: for whoever sets it."""
    refs = [place.ref for place in task.task_outputs.all()]
    return _question(task.pk, task, refs, None, answer=answer, reason="", seconds=0)


def _prompt_of_turn(annotation: Annotation) -> Prompt:
    """What a turn of a chat was about: what its outputs answer."""
    of_turn = Prompt.objects.filter(
        outputs__task_outputs__task=annotation.assignment.task_id,
        outputs__task_outputs__ref__in=annotation.shown,
    )
    return of_turn[:1].get()


def _question(
    pk: int,
    task: Task,
    shown: list[str],
    guideline: Guideline | None,
    *,
    prompt: Prompt | None = None,
    answer: dict[str, Any],
    reason: str,
    seconds: float,
    is_draft: bool = False,
) -> Question:
    queue = task.queue
    prompt = prompt or task.prompt
    if "task_outputs" not in getattr(task, "_prefetched_objects_cache", {}):
        prefetch_related_objects([task], "task_outputs__output")
    texts = {place.ref: place.output.text for place in task.task_outputs.all()}
    options = queue.type_options
    form = queue.task_type.form_of(answer, shown)
    return Question(
        pk=pk,
        queue=queue,
        prompt=prompt.messages if prompt else [],
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
        own_names=unchanged_names(options),
        form=form,
        page=queue.task_type.page(options, shown, form),
        reason=reason,
        seconds=seconds,
        key=secrets.token_hex(16),
        is_draft=is_draft,
        categories=task.categories,
    )
