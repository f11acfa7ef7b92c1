"""End a chat: its slot is answered. One that nobody goes on with ends by itself."""

from datetime import timedelta

from django.db import models, transaction
from django.db.models import Max
from django.utils import timezone
from procrastinate.contrib.django import app

from annotation.chat import held_chat, turns_of
from annotation.enter import enter_as
from annotation.models import Annotator, Assignment, Bookmark, Draft, Turn
from truing.errors import Refused

LEFT_ALONE = timedelta(days=1)
MOST_AT_ONCE = 1000


class TooEarly(Refused):
    """This chat cannot be ended yet."""


@transaction.atomic
def end_chat(assignment: Assignment, *, annotator: Annotator) -> None:
    """The slot is answered. A turn without a verdict is dropped."""
    annotator = enter_as(annotator)
    slot = held_chat(assignment, annotator)
    judged = [turn for turn in turns_of(slot, annotator) if turn.annotation_id]
    least = slot.queue.type_options.least_turns
    if len(judged) < least:
        raise TooEarly(f"This chat wants {least} turn{'s' * (least > 1)} at least. Or skip it.")
    _close(slot, annotator)


def end_left_chats() -> int:
    """End those that nobody has gone on with for a day; say how many."""
    limit = timezone.now() - LEFT_ALONE
    # Only a chat with a verdict is held without an end.
    left = (
        Assignment.objects.filter(state=Assignment.State.HELD, held_until=None)
        .annotate(last=Max("annotations__at"))
        .filter(last__lt=limit, annotator__isnull=False)
        .select_related("annotator")[:MOST_AT_ONCE]
    )
    ended = 0
    for chat in list(left):
        assert chat.annotator is not None, "so it was asked for"
        with transaction.atomic():
            # As they do themselves at their desk: first they, then the slot.
            annotator = enter_as(chat.annotator)
            slot = (
                Assignment.objects.select_for_update(skip_locked=True, of=("self",))
                .filter(pk=chat.pk, state=Assignment.State.HELD, held_until=None)
                .exclude(annotations__at__gte=limit)  # they have just gone on with it
                .first()
            )
            if slot:
                _close(slot, annotator)
                ended += 1
    return ended


def _close(slot: Assignment, annotator: Annotator) -> None:
    Turn.objects.of_chat(slot.task_id, annotator, slot.round).filter(annotation=None).delete()
    Draft.objects.filter(task=slot.task_id, annotator=annotator).delete()
    slot.state = Assignment.State.ANSWERED
    slot.held_until = None
    slot.closed_at = timezone.now()
    slot.save(update_fields=["state", "held_until", "closed_at"])
    _count(annotator, slot.queue_id)


def _count(annotator: Annotator, queue_id: int) -> None:
    """One answer more today, here and in all, as every answer counts."""
    today = timezone.now().date()
    more = {
        "day": today,
        "answers_that_day": models.Case(
            models.When(day=today, then=models.F("answers_that_day") + 1), default=1
        ),
    }
    Annotator.objects.filter(pk=annotator.pk).update(**more)
    Bookmark.objects.filter(annotator=annotator, queue=queue_id).update(**more)


@app.periodic(cron="17 * * * *")
@app.task(queueing_lock="end_left_chats", pass_context=False)
def end_left_chats_later(timestamp: int) -> None:
    end_left_chats()
