"""Have answers looked at for disputes that came in behind what has been looked through."""

from annotation.models import Lookout
from truing.models import Project


def look_again_from(project: Project, first: int) -> None:
    """The answers from this key on. A file's answers get their keys long before others see them."""
    Lookout.objects.filter(project=project, seen__gte=first).update(seen=first - 1)
