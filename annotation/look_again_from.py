"""Have answers looked at again for disputes."""

from annotation.models import Lookout
from truing.models import Project


def look_again_from(project: Project, first: int) -> None:
    """The answers from this key on: 1 is all of them, as after people were left out of merges.

    A file's answers get their keys long before others see them.
    """
    Lookout.objects.filter(project=project, seen__gte=first).update(seen=first - 1)
