"""Judge a chat's turn: the best answer goes on, and the verdict is an annotation."""

import random
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from annotation.ask import ref_at
from annotation.chat import held_chat, open_turn, turns_of
from annotation.enter import enter_as
from annotation.models import Annotation, Annotator, Assignment, Output, Reply, TaskOutput, Turn
from annotation.observe import observe
from annotation.say import ask_models
from annotation.submit import LONGEST_REASON, LONGEST_SECONDS, BadAnswer, BadKey, write_down
from annotation.task_types.chat import verdict
from annotation.weigh import is_due
from truing.errors import Refused


class NoTurn(Refused):
    """Nothing waits for your verdict. Say something first."""


class NoAnswerYet(Refused):
    """No model has answered yet. Wait, ask them again, or stop."""


@transaction.atomic
def judge_turn(
    assignment: Assignment,
    choice: str,
    *,
    key: str,
    annotator: Annotator,
    seconds: float | None = None,
    reason: str = "",
) -> Annotation:
    """Save which answer is best: a position as shown, "tie" or "all_bad".

    Models that have not answered are left out of it. The same key again gives back the
    annotation that was saved.
    """
    if twin := _twin(assignment, annotator, key):
        return twin
    annotator = enter_as(annotator)
    slot = held_chat(assignment, annotator)
    if twin := _twin(assignment, annotator, key):
        return twin  # it was written while we waited for the lock
    turns = turns_of(slot, annotator)
    turn = open_turn(turns)
    if turn is None:
        raise NoTurn
    answered = list(turn.replies.exclude(output=None).select_related("output"))
    if not answered:
        raise NoAnswerYet
    refs = _placed(slot, answered)
    # Places are those on the screen, where models that failed have one too.
    shown = [refs[reply.position] for reply in answered]
    places = {str(reply.position): str(place) for place, reply in enumerate(answered)}
    answer = verdict(places.get(choice, choice if not choice.isdigit() else ""), shown)
    queue = slot.queue
    if problem := queue.task_type.problem_with(answer, shown, queue.type_options):
        raise BadAnswer(problem)
    if len(reason.strip()) > LONGEST_REASON:
        raise BadAnswer(f"A reason has at most {LONGEST_REASON:,} characters.")
    if not (1 <= len(key) <= 64 and key.isprintable()):
        raise BadKey
    turn.annotation = write_down(
        assignment=slot,
        answer=answer,
        shown=shown,
        seconds=None if seconds is None else min(seconds, LONGEST_SECONDS),
        reason=reason.replace("\x00", "").strip(),
        turn=turn.number,
        key=key,
        at=timezone.now(),
    )
    turn.went_on = _goes_on(answer, shown, answered)
    turn.save(update_fields=["annotation", "went_on"])
    # From now on the slot is this person's for good: nobody else may get a chat with answers.
    slot.held_until = None
    slot.save(update_fields=["held_until"])
    observe(turn.annotation, annotator, weighs=is_due(annotator.pk, slot.queue_id))
    return turn.annotation


@transaction.atomic
def regenerate(assignment: Assignment, *, annotator: Annotator) -> Turn:
    """Ask the models once more, in another order. What they said before is forgotten here."""
    slot = held_chat(assignment, annotator)
    turn = open_turn(turns_of(slot, annotator))
    if turn is None:
        raise NoTurn
    turn.replies.all().delete()
    turn.attempt += 1
    turn.save(update_fields=["attempt"])
    ask_models(turn, slot)
    return turn


def _twin(assignment: Assignment, annotator: Annotator, key: str) -> Annotation | None:
    return Annotation.objects.filter(
        key=key, assignment=assignment, assignment__annotator=annotator
    ).first()


def _placed(slot: Assignment, answered: list[Reply]) -> dict[int, str]:
    """Put the outputs into the task; the ref of each by its position on the screen.

    In the order of the endpoints, which is the same each time: which comes first means something.
    """
    held = TaskOutput.objects.filter(task=slot.task_id).aggregate(last=Max("position"))["last"]
    start = 0 if held is None else held + 1
    in_order = sorted(answered, key=lambda reply: reply.endpoint_id)
    refs = {reply.position: ref_at(start + place) for place, reply in enumerate(in_order)}
    TaskOutput.objects.bulk_create(
        TaskOutput(
            task_id=slot.task_id,
            output=reply.output,
            position=start + place,
            ref=refs[reply.position],
        )
        for place, reply in enumerate(in_order)
        if reply.output
    )
    return refs


def _goes_on(answer: dict[str, Any], shown: list[str], answered: list[Reply]) -> Output | None:
    if answer.get("all_bad"):
        return None
    # Of equals, chance decides.
    best = shown.index(random.choice(answer["tiers"][0]))
    return answered[best].output
