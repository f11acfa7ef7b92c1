"""Nobody sees what others say about a prompt before they have given their own answer."""

from django.db.models import Q, QuerySet
from django.utils import timezone

from annotation.models import Assignment, Prompt
from truing.models import Project, User


def prompts_asked_now(project: Project, user: User) -> QuerySet[Prompt]:
    """The prompts about which this person has a question in hand, in whatever queue."""
    held = Assignment.objects.in_project(project).filter(
        Q(held_until__gt=timezone.now()) | Q(held_until=None),
        annotator__user=user,
        state=Assignment.State.HELD,
    )
    return Prompt.objects.filter(pk__in=held.values("task__prompt"))
