"""Fetch the answers to a chat's open turn from its models, all at once, a piece at a time.

One thread of the web carries a stream, and one thread for each model listens to it; those touch
no table. How many streams a web process carries is bounded, so that the desk never starves:
whoever comes when all are taken is asked to come again.
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from django.conf import settings
from django.db import connection, transaction

from annotation.chat import TROUBLE, ChatOver, NoChat, open_turn, turns_of
from annotation.complete import LONGEST_SECONDS, EndpointFailed, Trouble, complete
from annotation.judge_turn import NoTurn
from annotation.models import Annotator, Assignment, Endpoint, Output, Reply
from annotation.models.output import output_digest

STREAMS = threading.BoundedSemaphore(settings.CHAT_STREAMS)
# A model that says nothing is listened to for a while after whoever asked has gone.
LISTENERS = threading.BoundedSemaphore(16 * settings.CHAT_STREAMS)
# Something is written at least so often: only then is it seen that nobody listens any more.
BEAT_SECONDS = 2.0
SWITCHED_OFF = "It was asked for an answer while it was switched off, or not served."
TOO_LONG = "The endpoint has not come to an end in time."


@dataclass(frozen=True)
class Said:
    """What happens at a place of the screen: a piece of text, the whole, or that there is none."""

    position: int
    piece: str = ""
    whole: str | None = None
    problem: str = ""


BUSY = "All lines are taken just now. It is tried again by itself."
Event = Said | None  # None: nothing new, but somebody may have left


def stream_replies(
    assignment: Assignment, annotator: Annotator, *, position: int | None = None
) -> Iterator[Event]:
    """Ask the models that have not answered; with a position, the one there again.

    What is wrong with the request is raised at once; then it goes on as it is read.
    """
    if not assignment.queue.task_type.has_turns:
        raise NoChat
    if assignment.annotator_id != annotator.pk or assignment.state != Assignment.State.HELD:
        raise ChatOver
    turn = open_turn(turns_of(assignment, annotator))
    if turn is None:
        raise NoTurn
    wanted = turn.replies.filter(output=None).select_related("endpoint", "turn__prompt")
    wanted = wanted.filter(trouble="") if position is None else wanted.filter(position=position)
    together = assignment.queue.type_options.together
    return _stream(list(wanted), turn.prompt.messages, together)


def _stream(
    wanted: Sequence[Reply], messages: Sequence[Mapping[str, str]], together: bool
) -> Iterator[Event]:
    if not STREAMS.acquire(blocking=False):
        yield from (Said(reply.position, problem=BUSY) for reply in wanted)
        return
    over = threading.Event()
    try:
        # Nothing is read for a while, and others may need the connection.
        if not connection.in_atomic_block:
            connection.close()
        said: SimpleQueue[tuple[int, Said | EndpointFailed]] = SimpleQueue()
        for place, reply in enumerate(wanted):
            if not reply.endpoint.is_on:
                # Somebody else may listen at its address by now.
                said.put((place, EndpointFailed(Trouble.AWAY, SWITCHED_OFF)))
                continue
            if not LISTENERS.acquire(blocking=False):
                said.put((place, Said(reply.position, problem=BUSY)))
                continue
            threading.Thread(
                target=_listen,
                args=(place, reply.endpoint, reply.position, messages, said, over),
                daemon=True,
            ).start()
        kept_back: list[Said] = []
        for event in _as_it_comes(wanted, said):
            if not together or event is None:
                yield event
            elif not event.piece:
                kept_back.append(event)
        yield from kept_back
    finally:
        over.set()
        STREAMS.release()


def _as_it_comes(
    wanted: Sequence[Reply], said: "SimpleQueue[tuple[int, Said | EndpointFailed]]"
) -> Iterator[Event]:
    waiting = set(range(len(wanted)))
    beat = time.monotonic()
    # Whoever sends the head of an answer letter by letter keeps to every other limit.
    deadline = beat + LONGEST_SECONDS + BEAT_SECONDS
    while waiting:
        if time.monotonic() > deadline:
            for place in sorted(waiting):
                yield _note_trouble(wanted[place], EndpointFailed(Trouble.SLOW, TOO_LONG))
            return
        try:
            place, what = said.get(timeout=BEAT_SECONDS)
        except Empty:
            yield None
            beat = time.monotonic()
            continue
        reply = wanted[place]
        if isinstance(what, EndpointFailed):
            waiting.discard(place)
            yield _note_trouble(reply, what)
        elif what.problem:
            waiting.discard(place)
            yield what
        elif what.whole is not None:
            waiting.discard(place)
            if kept := keep_reply(reply, what.whole):
                yield Said(reply.position, whole=kept.text)
        else:
            yield what
        if time.monotonic() - beat > BEAT_SECONDS:
            yield None
            beat = time.monotonic()


def _listen(
    place: int,
    endpoint: Endpoint,
    position: int,
    messages: Sequence[Mapping[str, str]],
    said: "SimpleQueue[tuple[int, Said | EndpointFailed]]",
    over: threading.Event,
) -> None:
    """In a thread of its own. Ends when nobody listens any more, at the next word or silence."""
    pieces = []
    try:
        for piece in complete(endpoint, messages):
            if over.is_set():
                return
            # PostgreSQL keeps every character but this one.
            piece = piece.replace("\x00", "").encode("utf-8", "replace").decode()
            pieces.append(piece)
            said.put((place, Said(position, piece=piece)))
    except EndpointFailed as failure:
        said.put((place, failure))
    except BaseException as failure:
        said.put((place, EndpointFailed.of_bug(failure)))
        raise
    else:
        said.put((place, Said(position, whole="".join(pieces))))
    finally:
        LISTENERS.release()


@transaction.atomic
def keep_reply(reply: Reply, text: str) -> Output | None:
    """Keep what it said as an output. None where the models were asked anew meanwhile.

    Two windows may have asked at once: the first answer to come stays.
    """
    found = (
        Reply.objects.select_for_update(of=("self",))
        .select_related("output", "endpoint", "turn__prompt")
        .filter(pk=reply.pk)
        .first()
    )
    if found is None or found.output:
        return found.output if found else None
    endpoint = found.endpoint
    params = dict(endpoint.params)
    if not endpoint.served:
        params["model"] = endpoint.model
    found.output, _ = Output.objects.get_or_create(
        prompt=found.turn.prompt,
        digest=output_digest(text, params),
        source=endpoint.source,
        defaults={"text": text, "params": params},
    )
    found.trouble = Reply.Trouble.NONE
    found.save(update_fields=["output", "trouble"])
    Endpoint.objects.filter(pk=endpoint.pk).exclude(problem="").update(problem="")
    return found.output


def _note_trouble(reply: Reply, failure: EndpointFailed) -> Said:
    """The annotator reads what kind of trouble it is, the engineers the endpoint's own words."""
    Reply.objects.filter(pk=reply.pk, output=None).update(trouble=failure.trouble.value)
    Endpoint.objects.filter(pk=reply.endpoint_id).update(problem=str(failure)[:1000])
    return Said(reply.position, problem=TROUBLE[failure.trouble.value])
