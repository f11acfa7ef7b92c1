"""The annotator's desk: one question at a time."""

from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.access import annotation_for, assignment_for
from annotation.assign import Desk, come_to_desk, extend_hold
from annotation.correct import correct, last_answer
from annotation.draft import save_correction_draft, save_draft
from annotation.feedback_on import Feedback, feedback_on
from annotation.in_words import in_words
from annotation.models import Annotation, Annotator, Assignment, Queue
from annotation.outbox import outbox_of
from annotation.question import Question, question_again, question_of, shown_to
from annotation.say import chat_begun
from annotation.sent_back import reasons_for, sent_back_to, task_sent_back
from annotation.skip import Meaning, skip
from annotation.submit import submit, submit_and_go_on
from annotation.task_types import TASK_TYPES
from annotation.waiting import waiting_for
from truing.access import membership_for
from truing.http import Request, key_of
from truing.markdown import render_markdown
from truing.models import Membership
from truing.pages import render

LAST_ANSWERS = 20
# Those of all types: the next question may be of another.
SCRIPTS = sorted({one.script for one in TASK_TYPES.values() if one.script})


@require_safe
@login_required
@never_cache
def desk(request: Request, slug: str) -> HttpResponse:
    """The question that one holds, or the next."""
    membership_for(request, slug)
    return show_next(request)


@require_safe
@login_required
@never_cache
def waiting(request: Request, slug: str) -> HttpResponse:
    """What waits for oneself, for the card of the project on the page one comes home to."""
    membership = membership_for(request, slug)
    found = waiting_for(membership.project, membership.user)
    return render(request, "annotation/waiting.html", {"waiting": found})


@require_POST
@login_required
def answer(request: Request, slug: str, pk: int) -> HttpResponse:
    """Save an answer and put the next question in its place."""
    assignment, annotator = assignment_for(request, slug, pk)
    read = assignment.queue.task_type.read(request.POST, shown_to(assignment, annotator))
    given: dict[str, Any] = {
        "key": request.POST.get("key", ""),
        "annotator": annotator,
        "seconds": seconds_in(request),
        "reason": reason_in(request),
    }
    if not request.htmx:
        annotation = submit(assignment, read, **given)
        if feedback := feedback_on(annotation):
            messages.info(request, feedback.sentence)
        return go_on(request, slug)
    annotation, desk = submit_and_go_on(assignment, read, **given, queue=queue_in(request))
    return show_desk(request, desk, feedback_on(annotation))


@require_POST
@login_required
def skip_question(request: Request, slug: str, pk: int) -> HttpResponse:
    assignment, annotator = assignment_for(request, slug, pk)
    meaning = request.POST.get("meaning") or Meaning.NOT_ME
    skip(assignment, reason=reason_in(request), meaning=meaning, annotator=annotator)
    return go_on(request, slug)


@require_POST
@login_required
def draft(request: Request, slug: str, pk: int) -> HttpResponse:
    """Keep what has been typed so far, and the slot with it."""
    assignment, annotator = assignment_for(request, slug, pk)
    read = assignment.queue.task_type.read(request.POST, shown_to(assignment, annotator))
    content = {
        "answer": read,
        "reason": reason_in(request),
        "seconds": seconds_in(request),
    }
    save_draft(assignment, content, annotator=annotator)
    return hold_or_gone(extend_hold(assignment, annotator))


@require_POST
@login_required
def correction_draft(request: Request, slug: str, pk: int) -> HttpResponse:
    """Keep what has been typed so far to correct an answer."""
    annotation = annotation_for(request, slug, pk)
    content = {
        "answer": annotation.assignment.queue.task_type.read(request.POST, annotation.shown),
        "reason": reason_in(request),
        "seconds": seconds_in(request),
    }
    save_correction_draft(annotation, content)
    return HttpResponse(status=204)


@require_POST
@login_required
def hold(request: Request, slug: str, pk: int) -> HttpResponse:
    """The page is still open."""
    assignment, annotator = assignment_for(request, slug, pk)
    return hold_or_gone(extend_hold(assignment, annotator))


@require_POST
@login_required
def preview(request: Request, slug: str) -> HttpResponse:
    """A text as others will see it, rendered and sanitised where all texts are."""
    membership_for(request, slug)
    return HttpResponse(render_markdown(request.POST.get("text", "")))


@require_safe
@login_required
@never_cache
def last_answers(request: Request, slug: str) -> HttpResponse:
    """What one has answered last, each to be corrected; or what came before one of them."""
    membership = membership_for(request, slug)
    me = annotator_of(membership)
    in_hand = Assignment.objects.held_by(me)
    asked_again = Q(assignment__task__in=in_hand.values("task")) & ~Q(assignment__in=in_hand)
    given = (
        Annotation.objects.newest_of(me)
        .exclude(assignment__queue__state=Queue.State.CLOSED)
        .exclude(asked_again)  # nobody looks up what they said before
        .select_related("assignment__task__prompt", "assignment__queue")
    )
    before = key_of(request.GET.get("before", ""))
    if before:
        given = given.filter(pk__lt=before)
    page = list(given[: LAST_ANSWERS + 1])
    earlier = page[LAST_ANSWERS - 1].pk if len(page) > LAST_ANSWERS else None
    sent_back = [] if before else sent_back_to(me)
    waiting = {one.annotation.pk: one.reasons for one in sent_back}
    # What was sent back first: it waits for its author, however long ago they wrote it.
    shown = [one.annotation for one in sent_back]
    shown += [annotation for annotation in page[:LAST_ANSWERS] if annotation.pk not in waiting]
    rows = [
        {
            "pk": annotation.pk,
            "is_sent_back": annotation.pk in waiting,
            "reasons": waiting.get(annotation.pk, []),
            "question": annotation.assignment.task.prompt,
            "categories": annotation.assignment.task.categories,
            "answer": in_words(annotation.assignment.queue, annotation.answer, annotation.shown),
            "at": annotation.at,
        }
        for annotation in shown
    ]
    context = {"rows": rows, "earlier": earlier, "before": before}
    return render(request, "annotation/last_answers.html", context, fragment="rows")


@require_safe
@login_required
@never_cache
def take_back(request: Request, slug: str) -> HttpResponse:
    """The last answer again, to be changed: what is given is followed, never deleted."""
    membership = membership_for(request, slug)
    return show(request, question_again(last_answer(annotator_of(membership))), is_correction=True)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def correct_answer(request: Request, slug: str, pk: int) -> HttpResponse:
    """Show an answer as it was given; save the one that takes its place."""
    annotation = annotation_for(request, slug, pk)
    queue = annotation.assignment.queue
    if request.method != "POST":
        question = question_again(annotation, as_given="as_given" in request.GET)
        return show(request, question, is_correction=True)
    correct(
        annotation,
        queue.task_type.read(request.POST, annotation.shown),
        key=request.POST.get("key", ""),
        seconds=seconds_in(request),
        reason=reason_in(request),
    )
    messages.success(request, "Your correction is saved.")
    return go_on(request, slug)


def go_on(request: Request, slug: str) -> HttpResponse:
    """The next question in this one's place; without htmx, by way of the page."""
    if request.htmx:
        return show_next(request)
    return redirect(desk_address(slug, key_of(request.POST.get("queue", ""))))


def desk_address(slug: str, queue: int | None) -> str:
    return reverse("desk", args=[slug]) + (f"?queue={queue}" if queue else "")


def show_next(request: Request) -> HttpResponse:
    membership = request.membership
    desk = come_to_desk(membership.project, membership.user, queue=queue_in(request))
    return show_desk(request, desk)


def show_desk(request: Request, desk: Desk, feedback: Feedback | None = None) -> HttpResponse:
    question = question_of(desk.assignment, desk.annotator) if desk.assignment else None
    return show(request, question, desk=desk, feedback=feedback)


def show(
    request: Request,
    question: Question | None,
    *,
    desk: Desk | None = None,
    is_correction: bool = False,
    feedback: Feedback | None = None,
) -> HttpResponse:
    """The desk with this question, or with none."""
    context: dict[str, Any] = {
        "question": question,
        "desk": desk,
        "queues": desk.queues if desk else [],
        "chosen": desk.chosen if desk else None,
        "is_correction": is_correction,
        "feedback": feedback,
        # Without a script, the page is asked for once more with it uncovered.
        "is_veiled": bool(question and question.categories) and "shown" not in request.GET,
        "scripts": SCRIPTS,
        "outbox": SimpleLazyObject(lambda: outbox_of(request.membership)),
        "skips": Meaning.choices,
    }
    if is_correction and question:
        context["desk_again"] = desk_address(request.membership.project.slug, queue_in(request))
        context["reasons"] = reasons_for(question.pk)
        context["returned_task"] = task_sent_back(question.pk)
    elif desk and (not request.htmx or not question or question.queue.task_type.writes):
        # Where nobody writes, a step does not ask for it: the page did when it was opened.
        context["sent_back"] = len(sent_back_to(desk.annotator))
    elif desk:
        context["sent_back"] = desk.annotator.sent_back
    if question and question.queue.task_type.has_turns and not is_correction:
        context["chat"] = chat_begun(
            *assignment_for(request, request.membership.project.slug, question.pk)
        )
    if not question and desk:
        chosen = desk.chosen
        # An answer's own address shows nothing to who comes back to it.
        context["desk_again"] = desk_address(
            request.membership.project.slug, chosen.pk if chosen else None
        )
        project = request.membership.project
        context["is_for_others"] = (
            not desk.queues and Queue.objects.for_the_skilled(project).exists()
        )
    if question:
        templates = [f"annotation/task_types/{name}.html" for name in (question.type, "_any")]
        context["task_templates"] = templates
        context["keys_templates"] = [f"{template}#keys" for template in templates]
        context["keys"] = {
            "options": question.options,
            "page": bool(question.page),
            "categories": bool(question.categories),
            "has_prompt": bool(question.prompt) or question.queue.task_type.has_turns,
        }
        context["numbers"] = [output.number for output in question.outputs]
    return render(request, "annotation/desk.html", context, fragment="question")


def queue_in(request: Request) -> int | None:
    """The queue that the request asks for, or the page that it comes from: who has corrected an
    answer goes on where they were."""
    asked = request.POST.get("queue") or request.GET.get("queue")
    if not asked and request.htmx:
        said = (request.htmx.current_url or "").partition("?")[2].partition("#")[0]
        asked = parse_qs(said).get("queue", [""])[0]
    return key_of(asked or "")


def annotator_of(membership: Membership) -> Annotator:
    return Annotator.objects.member(membership.project, membership.user)


def hold_or_gone(is_held: bool) -> HttpResponse:
    return HttpResponse(status=204 if is_held else 410)


def seconds_in(request: Request) -> float | None:
    """The time that the page measured, if it did."""
    with suppress(ValueError):
        seconds = float(request.POST.get("seconds", ""))
        if 0 <= seconds < float("inf"):
            return seconds
    return None


def reason_in(request: Request) -> str:
    return text_in(request, "reason")


def text_in(request: Request, name: str = "text") -> str:
    """A text as it was typed: a browser ends lines with two characters, PostgreSQL keeps no NUL."""
    return request.POST.get(name, "").replace("\r\n", "\n").replace("\x00", "")
