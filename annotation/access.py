"""Turn an id from outside into an object of annotation, and check the role in the same call."""

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
from truing.access import Role, membership_for, project_for
from truing.http import key_of
from truing.models import Project


def queue_for(request: HttpRequest, slug: str, pk: int, *, at_least: Role) -> Queue:
    project = project_for(request, slug, at_least=at_least)
    return get_object_or_404(Queue.objects.select_related("project"), pk=pk, project=project)


def open_queue_for(request: HttpRequest, project: Project) -> Queue | None:
    """The queue that the request asks for, if it asks for one that is open."""
    pk = key_of(request.POST.get("queue") or request.GET.get("queue") or "")
    return Queue.objects.filter(project=project, pk=pk).open().first() if pk else None


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
    membership = membership_for(request, slug)
    assignment = get_object_or_404(
        Assignment.objects.in_project(membership.project)
        .once_taken_by(membership.user)
        .select_related("task__prompt", "queue__project", "guideline"),
        pk=pk,
    )
    return assignment, Annotator.objects.member(membership.project, membership.user)


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
