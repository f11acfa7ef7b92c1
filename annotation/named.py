"""Turn a name from the command line into an object, or say in a sentence that there is none."""

from annotation.models import DatasetVersion, Queue
from truing.errors import Refused
from truing.models import Project


class NoSuchQueue(Refused):
    """There is no such queue."""

    status = 404


class NoSuchVersion(Refused):
    """There is no such dataset version."""

    status = 404


def queue_named(project: Project, name: str) -> Queue:
    queue = project.queues.filter(name=name).first()
    if queue is None:
        raise NoSuchQueue(f"There is no queue “{name}” in {project.slug}.")
    return queue


def version_named(name: str) -> DatasetVersion:
    """The version called `project/dataset@number`."""
    version = DatasetVersion.objects.named(name).select_related("dataset__project").first()
    if version is None:
        raise NoSuchVersion(
            f"There is no dataset version “{name}”. Its name looks like project/dataset@1."
        )
    return version
