"""Nobody sees what others say about a prompt before they have given their own answer."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from annotation.models import Assignment, Draft, Prompt, Queue, Task
from annotation.models.prompt import PromptQuerySet
from truing.errors import Refused
from truing.models import Project, User


class AtYourDesk(Refused):
    """You have this question before you at your desk. Answer or skip it before you see others'."""


def prompts_asked_now(project: Project, user: User) -> PromptQuerySet:
    """The prompts about which this person has a question in hand, in whatever queue.

    Also where their hold has run out, or another has the slot by now, as long as there is one
    that their late answer might take: else they would let it run out, look, and answer.
    """
    held, begun = _in_hand(project, user)
    return Prompt.objects.filter(pk__in=held.values("task__prompt")) | Prompt.objects.filter(
        pk__in=begun.values("task__prompt")
    )


def about_asked_now(project: Project, user: User, *, task: str = "task") -> Q:
    """What is about a question that they have in hand, or about its prompt.

    `task` is the way to the task; empty where the rows are tasks. Some have no prompt.
    """
    itself, prompt = (f"{task}__in", f"{task}__prompt__in") if task else ("pk__in", "prompt__in")
    asked = Q()
    for found in _in_hand(project, user):
        # A NULL among them would leave out everything.
        prompts = found.filter(task__prompt__isnull=False).values("task__prompt")
        asked |= Q(**{itself: found.values("task")}) | Q(**{prompt: prompts})
    return asked


def refuse_asked_now(task: Task, user: User) -> None:
    """Nobody looks up what they are about to say."""
    asked = about_asked_now(task.queue.project, user, task="")
    if Task.objects.filter(asked, pk=task.pk).exists():
        raise AtYourDesk


def _in_hand(
    project: Project, user: User
) -> tuple[QuerySet[Assignment, Assignment], QuerySet[Draft, Draft]]:
    taken = Assignment.objects.in_project(project).exclude(queue__state=Queue.State.CLOSED)
    held = taken.filter(annotator__user=user, state=Assignment.State.HELD)
    waiting = Assignment.objects.filter(
        task=OuterRef("task"), state__in=[Assignment.State.FREE, Assignment.State.HELD]
    )
    begun = Draft.objects.filter(annotator__user=user, task__queue__project=project).exclude(
        task__queue__state=Queue.State.CLOSED
    )
    return held, begun.filter(Exists(waiting))
