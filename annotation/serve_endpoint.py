"""An endpoint that the platform serves itself: it is there while the server answers."""

from typing import Any

from django.db import transaction

from annotation.add_endpoint import NAME_LENGTH, facts_of
from annotation.models import Endpoint
from truing.audit import record
from truing.models import Project


@transaction.atomic
def endpoint_served(
    project: Project, *, source: str, name: str, base_url: str, model: str
) -> Endpoint:
    """The endpoint of this source, in use at this address; made when there is none."""
    facts: dict[str, Any] = {"base_url": base_url, "model": model, "is_on": True, "problem": ""}
    Project.objects.select_for_update(no_key=True, of=("self",)).get(pk=project.pk)
    endpoint = Endpoint.objects.filter(project=project, served=source).first()
    if endpoint is None:
        endpoint = Endpoint.objects.create(
            project=project, served=source, name=_free_name(project, name), **facts
        )
        record("endpoint.add", actor=None, project=project, on=endpoint, **facts_of(endpoint))
        return endpoint
    for field, value in facts.items():
        setattr(endpoint, field, value)
    endpoint.save(update_fields=list(facts))
    record("endpoint.edit", actor=None, project=project, on=endpoint, base_url=base_url, is_on=True)
    return endpoint


@transaction.atomic
def endpoint_gone(endpoint: Endpoint) -> None:
    """Nobody is sent there any more, until it is served again."""
    if Endpoint.objects.filter(pk=endpoint.pk, is_on=True).update(is_on=False):
        record("endpoint.edit", actor=None, project=endpoint.project, on=endpoint, is_on=False)


def _free_name(project: Project, wanted: str) -> str:
    # Queues name their endpoints in a list with commas.
    name = wanted.replace(",", " ")[: NAME_LENGTH - 20]
    taken = set(Endpoint.objects.filter(project=project).values_list("name", flat=True))
    number = 1
    called = name
    while called in taken:
        number += 1
        called = f"{name} ({number})"
    return called
