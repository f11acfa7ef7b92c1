"""Nobody sees what others say about a prompt before they have given their own answer."""

from django.db.models import Exists, OuterRef

from annotation.models import Assignment, Draft, Prompt, Queue
from annotation.models.prompt import PromptQuerySet
from truing.models import Project, User


def prompts_asked_now(project: Project, user: User) -> PromptQuerySet:
    """The prompts about which this person has a question in hand, in whatever queue.

    Also where their hold has run out, or another has the slot by now, as long as there is one
    that their late answer might take: else they would let it run out, look, and answer.
    """
    taken = Assignment.objects.in_project(project).exclude(queue__state=Queue.State.CLOSED)
    held = taken.filter(annotator__user=user, state=Assignment.State.HELD)
    waiting = Assignment.objects.filter(
        task=OuterRef("task"), state__in=[Assignment.State.FREE, Assignment.State.HELD]
    )
    begun = Draft.objects.filter(annotator__user=user, task__queue__project=project).exclude(
        task__queue__state=Queue.State.CLOSED
    )
    begun = begun.filter(Exists(waiting))
    return Prompt.objects.filter(pk__in=held.values("task__prompt")) | Prompt.objects.filter(
        pk__in=begun.values("task__prompt")
    )
