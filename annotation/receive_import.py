"""Keep an uploaded file until somebody has looked at what is in it."""

import os
import unicodedata
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from annotation.importers import IMPORTERS
from annotation.intake import QueueOfReview
from annotation.models import Import, Queue
from truing import home
from truing.audit import record
from truing.errors import Invalid
from truing.models import Project, User
from truing.plugins import plugin_named
from truing.storage import room_or_refusal

LARGEST = 4 * 1024**3
KEPT = timedelta(days=1)  # a file that nobody has said yes to


class Upload(Protocol):
    @property
    def name(self) -> str | None: ...

    @property
    def size(self) -> int | None: ...

    def chunks(self) -> Iterable[bytes]: ...


class TooLarge(Invalid):
    """The file is larger than 4 GB. Split it, or use “truing import” on the server."""


class EmptyUpload(Invalid):
    """The file is empty."""


@transaction.atomic
def receive_import(
    project: Project,
    upload: Upload,
    *,
    format: str = "feedback",
    queue: Queue | None = None,
    actor: User | None,
) -> Import:
    """Keep the file under a name of our own; nothing of it comes in yet."""
    plugin_named(IMPORTERS, format, "format")
    if queue and queue.reserved_for:
        raise QueueOfReview
    if not upload.size:
        raise EmptyUpload
    if upload.size > LARGEST:
        raise TooLarge
    _forget_old_ones(project)
    made = Import.objects.create(
        project=project,
        queue=queue,
        format=format,
        name=_shown_name(upload.name or ""),
        size=upload.size,
        created_by=actor,
    )
    _write(made.file, upload)
    record("import.upload", actor=actor, project=project, on=made, size=upload.size)
    return made


def _write(path: Path, upload: Upload) -> None:
    home.make(Path(settings.UPLOADS), mode=0o700)
    try:
        with room_or_refusal():
            # A file of that name can only be left from an earlier database.
            private = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(private, "wb") as file:
                for chunk in upload.chunks():
                    file.write(chunk)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _shown_name(name: str) -> str:
    """What a person calls the file, without what could not be shown."""
    name = name.replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in name if unicodedata.category(sign)[0] != "C")[:200]


def _forget_old_ones(project: Project) -> None:
    old = Import.objects.filter(
        project=project, state=Import.State.UPLOADED, created_at__lt=timezone.now() - KEPT
    )
    for one in old:
        if one.move(Import.State.UPLOADED, Import.State.CANCELLED, ended_at=timezone.now()):
            one.file.unlink(missing_ok=True)
