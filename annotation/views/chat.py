"""The chat at the desk: say something, hear the models, choose the best, go on, or end it."""

import json
from collections.abc import Iterator

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, StreamingHttpResponse
from django.utils import translation
from django.views.decorators.http import require_POST

from annotation import judge_turn, stream_replies
from annotation.access import assignment_for
from annotation.assign import come_to_desk, extend_hold
from annotation.end_chat import end_chat
from annotation.models import Annotator, Assignment
from annotation.question import question_of
from annotation.say import say as say_it
from annotation.stream_replies import Event
from annotation.views.desk import go_on, queue_in, reason_in, seconds_in, show
from truing.http import Request, key_of
from truing.markdown import render_markdown
from truing.translated import translated


@require_POST
@login_required
def say(request: Request, slug: str, pk: int) -> HttpResponse:
    """Send a message; the page then fetches the answers."""
    assignment, annotator = assignment_for(request, slug, pk)
    key = request.POST.get("key", "")
    say_it(assignment, request.POST.get("message", ""), annotator=annotator, key=key)
    return _chat_again(request, assignment, annotator)


@require_POST
@login_required
def replies(request: Request, slug: str, pk: int) -> StreamingHttpResponse:
    """The answers as they come: lines of server-sent events, none of which says who."""
    assignment, annotator = assignment_for(request, slug, pk)
    position = key_of(request.POST.get("position", ""))
    events = stream_replies.stream_replies(assignment, annotator, position=position)
    extend_hold(assignment, annotator)
    response = StreamingHttpResponse(
        _lines(events, translation.get_language()), content_type="text/event-stream"
    )
    response["Cache-Control"] = "no-store"
    # Neither compressed nor gathered on its way: each word is there when it is said.
    response["Content-Encoding"] = "identity"
    response["X-Accel-Buffering"] = "no"
    return response


@require_POST
@login_required
def judge(request: Request, slug: str, pk: int) -> HttpResponse:
    """Save which answer is best; it goes on."""
    assignment, annotator = assignment_for(request, slug, pk)
    judge_turn.judge_turn(
        assignment,
        request.POST.get("choice", ""),
        key=request.POST.get("key", ""),
        annotator=annotator,
        seconds=seconds_in(request),
        reason=reason_in(request),
    )
    return _chat_again(request, assignment, annotator)


@require_POST
@login_required
def regenerate(request: Request, slug: str, pk: int) -> HttpResponse:
    """Ask the models once more."""
    assignment, annotator = assignment_for(request, slug, pk)
    judge_turn.regenerate(assignment, annotator=annotator)
    return _chat_again(request, assignment, annotator)


@require_POST
@login_required
def end(request: Request, slug: str, pk: int) -> HttpResponse:
    """End the chat and put the next question in its place."""
    assignment, annotator = assignment_for(request, slug, pk)
    end_chat(assignment, annotator=annotator)
    return go_on(request, slug)


def _chat_again(request: Request, assignment: Assignment, annotator: Annotator) -> HttpResponse:
    if not request.htmx:
        return go_on(request, request.membership.project.slug)
    membership = request.membership
    desk = come_to_desk(membership.project, membership.user, queue=queue_in(request))
    # Whatever else they hold, they go on with this.
    return show(request, question_of(assignment, annotator), desk=desk)


def _lines(events: Iterator[Event], language: str | None) -> Iterator[str]:
    """The events in the language of whoever asked: it is over for this thread when they come."""
    try:
        for event in events:
            if event is None:
                yield ": \n\n"
                continue
            with translation.override(language):
                content = json.dumps(_content(event))
            yield f"data: {content}\n\n"
    finally:
        # Whoever listened has gone: nobody is asked on.
        close = getattr(events, "close", None)
        if close:
            close()


def _content(event: stream_replies.Said) -> dict[str, object]:
    content: dict[str, object] = {"position": event.position}
    if event.problem:
        content |= {
            "problem": translated(event.problem),
            "again": event.problem == stream_replies.BUSY,
        }
    elif event.whole is not None:
        content["html"] = render_markdown(event.whole)
    else:
        content["piece"] = event.piece
    return content
