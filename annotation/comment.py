"""Write a comment on a task, and read what others wrote.

Nobody sees through a thread what others answered: an annotator's threads are about what they have
answered themselves, each with the reviewers alone, and are closed to them while the same question
is before them again.
"""

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from annotation.models import Annotator, Assignment, Comment, Flag, Reading, Task
from annotation.models.thread import CommentQuerySet
from truing.audit import record
from truing.errors import Invalid, Refused
from truing.models import User

LONGEST = 10_000
Slot = Assignment.State


class Empty(Invalid):
    """Write something first."""


class TooLong(Invalid):
    """A comment has at most 10,000 characters."""


class NotTheirs(Refused):
    """They have not answered this question, so there is nothing to talk about with them."""


class BeforeThem(Refused):
    """This question is before you again: answer it first, then read on."""


@transaction.atomic
def comment(task: Task, text: str, *, annotator: Annotator | None = None, actor: User) -> Comment:
    """Add to the thread with this annotator; without one, to that among reviewers.

    The caller has checked that the actor is a reviewer, or the annotator.
    """
    text = text.strip()
    if not text:
        raise Empty
    if len(text) > LONGEST:
        raise TooLong
    if annotator and not has_dealt_with(task, annotator):
        raise NotTheirs
    project = task.queue.project
    if annotator and annotator.user_id == actor.pk:
        author = annotator
    else:
        author = Annotator.objects.member(project, actor)
    made = Comment.objects.create(task=task, annotator=annotator, author=author, text=text)
    if annotator and annotator.user_id not in (None, actor.pk):
        Annotator.objects.filter(pk=annotator.pk).update(unread=F("unread") + 1)
    record(
        "task.comment",
        actor=actor,
        project=project,
        on=task,
        comment=made.pk,
        **({"annotator": annotator.pseudonym} if annotator else {}),
    )
    return made


def has_dealt_with(task: Task, annotator: Annotator) -> bool:
    """Whether they have answered, skipped or flagged it."""
    closed = Assignment.objects.filter(
        task=task, annotator=annotator, state__in=[Slot.ANSWERED, Slot.SKIPPED]
    )
    return closed.exists() or Flag.objects.filter(task=task, annotator=annotator).exists()


def refuse_before_them(task: Task, annotator: Annotator) -> None:
    """While somebody has a question in hand they read nothing about it."""
    if Assignment.objects.held_by(annotator).filter(task=task).exists():
        raise BeforeThem


def threads_of(annotator: Annotator) -> CommentQuerySet:
    """What was written with this annotator, but for what is before them at this moment."""
    held = Assignment.objects.held_by(annotator)
    return _open_to(annotator).exclude(task__in=held.values("task"))


def _open_to(annotator: Annotator) -> CommentQuerySet:
    return Comment.objects.filter(annotator=annotator).open_to_them()


def unread_by(user: User, comments: CommentQuerySet) -> CommentQuerySet:
    """Those that others wrote since this person read the thread."""
    read = Reading.objects.filter(user=user, task=OuterRef("task"), comment__gte=OuterRef("pk"))
    with_them = Q(Exists(read.filter(annotator=OuterRef("annotator"))))
    among_us = Q(annotator=None) & Q(Exists(read.filter(annotator=None)))
    return comments.exclude(author__user=user).exclude(with_them | among_us)


@transaction.atomic
def mark_read(task: Task, annotator: Annotator | None, user: User) -> None:
    """This person has the whole thread before them."""
    newest = Comment.objects.filter(task=task, annotator=annotator).order_by("-pk").first()
    if newest is None:
        return
    Reading.objects.update_or_create(
        user=user, task=task, annotator=annotator, defaults={"comment": newest}
    )
    if annotator and annotator.user_id == user.pk:
        left = unread_by(user, _open_to(annotator)).count()
        Annotator.objects.filter(pk=annotator.pk).update(unread=left)
        annotator.unread = left
