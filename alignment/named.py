"""Turn a name from the command line into an object, or say in a sentence that there is none."""

from alignment.models import Checkpoint, Review, Run
from truing.errors import Refused
from truing.models import Project


class NoSuchCheckpoint(Refused):
    """There is no such checkpoint."""

    status = 404


class NoSuchRun(Refused):
    """There is no such run."""

    status = 404


class NoSuchReview(Refused):
    """There is no such review."""

    status = 404


def checkpoint_named(project: Project, name: str) -> Checkpoint:
    """By its name, or by its number."""
    checkpoint = Checkpoint.objects.named(project, name).select_related("project").first()
    if checkpoint is None:
        raise NoSuchCheckpoint(f"There is no checkpoint “{name}” in {project.slug}.")
    return checkpoint


def run_numbered(number: int) -> Run:
    run = Run.objects.select_related("project").filter(pk=number).first()
    if run is None:
        raise NoSuchRun(f"There is no run {number}.")
    return run


def review_numbered(number: int) -> Review:
    review = (
        Review.objects.select_related("project", "candidate", "baseline", "queue")
        .filter(pk=number)
        .first()
    )
    if review is None:
        raise NoSuchReview(f"There is no review {number}.")
    return review
