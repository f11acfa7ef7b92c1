"""What is written to the audit log."""

from typing import Any

from django.db import models

from truing.models import Event, Project, User


def record(
    verb: str,
    *,
    actor: User | None,
    project: Project | None,
    on: models.Model | None = None,
    **details: Any,
) -> Event:
    """Add an event, in the caller's transaction: both are written, or neither."""
    return Event.objects.create(
        project=project,
        actor=actor,
        verb=verb,
        noun=on._meta.model_name or "" if on else "",
        noun_id=on.pk if on else None,
        label=str(on)[:300] if on else "",
        details=details,
    )
