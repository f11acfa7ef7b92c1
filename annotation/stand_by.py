"""Stand by an answer that was sent back."""

from django.db import transaction

from annotation.close_returns import close_returns
from annotation.comment import comment
from annotation.enter import enter_as
from annotation.models import Annotation, Return
from annotation.weigh_disputes import weigh_disputes
from truing.audit import record
from truing.errors import Refused
from truing.models import User


class NotSentBack(Refused):
    """This answer was not sent back to you, or you have dealt with it."""


@transaction.atomic
def stand_by(annotation: Annotation, *, text: str = "", actor: User) -> None:
    """Their answer stays as it is; the reviewers read why, and decide."""
    slot = annotation.assignment
    assert slot.annotator is not None, "an answer is somebody's"
    enter_as(slot.annotator)
    returns = Return.objects.filter(annotation=annotation)
    if not close_returns(returns, Return.State.KEPT):
        raise NotSentBack
    if text.strip():
        comment(slot.task, text, annotator=slot.annotator, actor=actor)
    weigh_disputes([slot.task_id])
    record("task.stand_by", actor=actor, project=slot.queue.project, on=slot.task)
