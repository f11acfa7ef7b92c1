"""Turn an id from outside into an object of annotation, and check the role in the same call."""

from typing import Any, cast

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from annotation.models import (
    Annotation,
    Annotator,
    Assignment,
    Dataset,
    DatasetVersion,
    Endpoint,
    Import,
    Prompt,
    Queue,
)
from truing.access import Role, membership_in, project_for, seen_in
from truing.models import User


def queue_for(request: HttpRequest, slug: str, pk: int, *, at_least: Role) -> Queue:
    project = project_for(request, slug, at_least=at_least)
    return get_object_or_404(Queue.objects.select_related("project"), pk=pk, project=project)


def prompt_for(request: HttpRequest, slug: str, pk: int, *, at_least: Role) -> Prompt:
    project = project_for(request, slug, at_least=at_least)
    return get_object_or_404(Prompt.objects.select_related("project"), pk=pk, project=project)


def import_for(request: HttpRequest, slug: str, pk: int) -> Import:
    project = project_for(request, slug, at_least=Role.CURATOR)
    found = Import.objects.select_related("project", "queue", "created_by")
    return get_object_or_404(found, pk=pk, project=project)


def endpoint_for(request: HttpRequest, slug: str, pk: int) -> Endpoint:
    project = project_for(request, slug, at_least=Role.ENGINEER)
    return get_object_or_404(Endpoint.objects.select_related("project"), pk=pk, project=project)


def assignment_for(request: HttpRequest, slug: str, pk: int) -> tuple[Assignment, Annotator]:
    """A slot that this person took, though another may have it by now, and who they are here."""
    user = cast(User, request.user)
    found: Any = get_object_or_404(
        Assignment.objects.filter(queue__project__slug=slug, pk=pk)
        .once_taken_by(user)
        .select_related("task", "queue__project", "annotator")
        .annotate(membership=membership_in("queue__project", user))
        .exclude(membership=None)
    )
    assignment: Assignment = found
    project = assignment.queue.project
    seen_in(request, project, found.membership)
    assignment.task.queue = assignment.queue
    who = assignment.annotator
    if who is None or who.user_id != user.pk:
        who = Annotator.objects.member(project, user)
    return assignment, who


def annotation_for(request: HttpRequest, slug: str, pk: int) -> Annotation:
    """An answer that this person gave."""
    project = project_for(request, slug)
    return get_object_or_404(
        Annotation.objects.in_project(project).select_related(
            "assignment__task__prompt",
            "assignment__queue__project",
            "assignment__annotator",
            "assignment__guideline",
        ),
        pk=pk,
        assignment__annotator__user_id=request.user.pk,
    )


def dataset_for(request: HttpRequest, slug: str, name: str, *, at_least: Role) -> Dataset:
    project = project_for(request, slug, at_least=at_least)
    return get_object_or_404(Dataset.objects.select_related("project"), name=name, project=project)


def version_for(
    request: HttpRequest, slug: str, name: str, number: int, *, at_least: Role
) -> DatasetVersion:
    project = project_for(request, slug, at_least=at_least)
    return get_object_or_404(
        DatasetVersion.objects.select_related("dataset__project"),
        dataset__project=project,
        dataset__name=name,
        number=number,
    )
