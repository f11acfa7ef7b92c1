"""Turn an id from outside into an object of annotation, and check the role in the same call."""

from typing import cast

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from annotation.comment import has_dealt_with
from annotation.models import (
    Annotation,
    Annotator,
    Assignment,
    Dataset,
    DatasetVersion,
    Endpoint,
    Firing,
    Flag,
    Grant,
    Import,
    Prompt,
    Queue,
    Rule,
    Task,
)
from annotation.once_taken import slot_once_taken
from truing.access import Role, membership_for, project_for, show_in_frame
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
    found = slot_once_taken(slug, pk, user)
    if found is None:
        raise Http404
    assignment, membership = found
    show_in_frame(request, membership)
    who = assignment.annotator
    if who is None or who.user_id != user.pk:
        who = Annotator.objects.member(membership.project, user)
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


def grant_for(request: HttpRequest, slug: str, pk: int) -> Grant:
    """A skill that somebody has in this project, for its curators."""
    project = project_for(request, slug, at_least=Role.CURATOR)
    found = Grant.objects.in_project(project).standing().given_by_others()
    found = found.select_related("annotator__project")
    return get_object_or_404(found, pk=pk)


def flag_for(request: HttpRequest, slug: str, pk: int) -> Flag:
    """A question that somebody has flagged, for the project's curators."""
    project = project_for(request, slug, at_least=Role.CURATOR)
    found = Flag.objects.select_related("task__queue__project")
    return get_object_or_404(found, pk=pk, task__queue__project=project)


def task_for(request: HttpRequest, slug: str, pk: int, *, at_least: Role = Role.REVIEWER) -> Task:
    """A question with all that was answered, for reviewers."""
    project = project_for(request, slug, at_least=at_least)
    found = Task.objects.select_related("queue__project", "prompt")
    return get_object_or_404(found, pk=pk, queue__project=project)


def own_task_for(request: HttpRequest, slug: str, pk: int) -> tuple[Task, Annotator]:
    """A question that this person has answered, skipped or flagged, and who they are here."""
    membership = membership_for(request, slug)
    found = Task.objects.select_related("queue__project", "prompt")
    task = get_object_or_404(found, pk=pk, queue__project=membership.project)
    me = Annotator.objects.member(membership.project, membership.user)
    if not has_dealt_with(task, me):
        raise Http404
    return task, me


def annotator_for(request: HttpRequest, slug: str, pk: int, *, at_least: Role) -> Annotator:
    project = project_for(request, slug, at_least=at_least)
    found = Annotator.objects.select_related("project", "user", "paused_by")
    return get_object_or_404(found, pk=pk, project=project)


def firing_for(request: HttpRequest, slug: str, pk: int) -> Firing:
    """Something that a rule did, for reviewers."""
    project = project_for(request, slug, at_least=Role.REVIEWER)
    return get_object_or_404(Firing.objects.in_project(project), pk=pk)


def rule_for(request: HttpRequest, slug: str, pk: int) -> Rule:
    project = project_for(request, slug, at_least=Role.CURATOR)
    return get_object_or_404(Rule.objects.select_related("project"), pk=pk, project=project)


def rule_over(request: HttpRequest, slug: str, pk: int, rule: int) -> tuple[Queue, Rule]:
    """A queue, and one of the rules that hold in it."""
    queue = queue_for(request, slug, pk, at_least=Role.CURATOR)
    found = Rule.objects.over(queue).select_related("project")
    return queue, get_object_or_404(found, pk=rule)


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
