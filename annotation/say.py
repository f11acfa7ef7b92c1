"""Say something in a chat: the models are asked to go on from the answer that was best."""

import random
from dataclasses import replace

from django.db import transaction

from annotation.chat import (
    Chat,
    ChatOver,
    NobodyAnswers,
    chat_of,
    endpoints_for,
    held_chat,
    open_turn,
    turns_of,
)
from annotation.models import Annotator, Assignment, Draft, Prompt, Reply, Turn
from annotation.models.prompt import Message, prompt_digest, split_of
from annotation.submit import BadKey
from truing.errors import Invalid, Refused

LONGEST_MESSAGE = 100_000


class NothingSaid(Invalid):
    """Write something first."""


class TurnOpen(Refused):
    """First choose the best of these answers."""


@transaction.atomic
def say(assignment: Assignment, text: str, *, annotator: Annotator, key: str = "") -> Turn:
    """Open the next turn. Nobody is asked yet: the answers are fetched by whoever shows them.

    The same key again, or the same text while it is open, gives that turn back: sent twice, said
    once.
    """
    text = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not text:
        raise NothingSaid
    if len(key) > 64 or "\x00" in key:
        raise BadKey
    if len(text) > LONGEST_MESSAGE:
        raise Invalid(f"A message has at most {LONGEST_MESSAGE:,} characters.")
    slot = held_chat(assignment, annotator)
    turns = turns_of(slot, annotator)
    for turn in turns:
        if key and turn.key == key:
            return turn
    if waiting := open_turn(turns):
        if waiting.prompt.text == text:
            return waiting
        raise TurnOpen
    options = slot.queue.type_options
    if len(turns) >= options.most_turns:
        raise ChatOver("This chat has had all its turns. End it.")
    turn = Turn.objects.create(
        task_id=slot.task_id,
        annotator=annotator,
        round=slot.round,
        number=len(turns) + 1,
        prompt=_prompt(slot, turns, text),
        key=key,
    )
    ask_models(turn, slot)
    # It has been sent, so it is nobody's draft any more.
    for draft in Draft.objects.select_for_update().filter(task=slot.task_id, annotator=annotator):
        draft.content = {"shown": draft.content.get("shown", [])}
        draft.save(update_fields=["content", "updated_at"])
    return turn


@transaction.atomic
def begin_chat(assignment: Assignment, *, annotator: Annotator) -> None:
    """Where the task has a prompt, the models answer that first: the person need not begin."""
    slot = held_chat(assignment, annotator)
    if slot.task.prompt is None or turns_of(slot, annotator):
        return
    turn = Turn.objects.create(
        task_id=slot.task_id,
        annotator=annotator,
        round=slot.round,
        number=1,
        prompt=slot.task.prompt,
    )
    ask_models(turn, slot)


def chat_begun(assignment: Assignment, annotator: Annotator) -> Chat:
    """What the person sees of their chat; where the task has a prompt, it begins by itself."""
    problem = ""
    try:
        begin_chat(assignment, annotator=annotator)
    except Refused as refusal:
        problem = str(refusal)  # they may still skip it
    return replace(chat_of(assignment, annotator), problem=problem)


def ask_models(turn: Turn, slot: Assignment) -> None:
    """Draw who answers, and at which places: another order each time."""
    options = slot.queue.type_options
    usable = [
        endpoint
        for endpoint in endpoints_for(slot.queue.project, options.endpoints)
        if endpoint.is_on
    ]
    if not usable:
        raise NobodyAnswers
    drawn = random.sample(usable, k=min(options.at_once, len(usable)))
    Reply.objects.bulk_create(
        Reply(turn=turn, endpoint=endpoint, position=position)
        for position, endpoint in enumerate(drawn)
    )


def _prompt(slot: Assignment, turns: list[Turn], text: str) -> Prompt:
    """The conversation with this message at its end, as a branch of the tree."""
    project = slot.queue.project
    best = next((turn for turn in reversed(turns) if turn.went_on), None)
    root = best.prompt if best else None
    if best and best.went_on:
        before: list[Message] = [
            *best.prompt.messages,
            {"role": "assistant", "content": best.went_on.text},
        ]
    elif turns and slot.task.prompt_id == turns[0].prompt_id:
        # The first answers were all bad: said in other words, on the same side of the split.
        root = turns[0].prompt
        before = turns[0].prompt.messages[:-1]
    else:
        system = slot.queue.type_options.system.strip()
        before = [{"role": "system", "content": system}] if system else []
    messages = [*before, {"role": "user", "content": text}]
    first = next(message["content"] for message in messages if message["role"] == "user")
    language = root.language if root else ""
    source = root.source if root else ""
    tags = root.tags if root else []
    prompt, _ = Prompt.objects.get_or_create(
        project=project,
        digest=prompt_digest(messages, language, source, tags, {}),
        parent=best.went_on if best else None,
        ref="",
        defaults={
            "messages": messages,
            "text": text,
            "language": language,
            "source": source,
            "tags": tags,
            "split": root.split
            if root
            else split_of(
                first,
                eval_percent=project.eval_percent,
                review_percent=project.review_percent,
            ),
        },
    )
    return prompt
