"""Serve a checkpoint: a process of its own answers requests, until somebody stops it."""

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from alignment.cancel import cancel
from alignment.launch import problem_with_files
from alignment.look_after import look_after
from alignment.models import Checkpoint, Serving
from truing.audit import record
from truing.errors import Invalid, Refused
from truing.models import User

State = Serving.State


class CannotServe(Invalid):
    """This cannot be served."""


class NoRoom(Refused):
    """As many checkpoints are served already as this server allows. Stop one first."""


class NotServed(Refused):
    """This checkpoint is not being served."""


@transaction.atomic
def serve(checkpoint: Checkpoint, *, actor: User | None) -> Serving:
    """Begin to serve it. One that is served already is given back."""
    if checkpoint.kind != Checkpoint.Kind.POLICY:
        raise CannotServe(f"{checkpoint} is a reward model: it writes no answers.")
    if problem := problem_with_files(checkpoint):
        raise CannotServe(problem)
    _lock()
    live = Serving.objects.alive()
    if found := live.filter(checkpoint=checkpoint).first():
        return found
    if live.count() >= settings.SERVINGS:
        raise NoRoom
    serving = Serving.objects.create(
        project=checkpoint.project,
        checkpoint=checkpoint,
        state=State.STARTING,
        attempt=1,
        started_at=timezone.now(),
        created_by=actor,
    )
    record(
        "serving.start",
        actor=actor,
        project=checkpoint.project,
        on=serving,
        checkpoint=checkpoint.name,
    )
    look_after_later.defer(serving_id=serving.pk)
    return serving


def stop_serving(checkpoint: Checkpoint, *, actor: User | None) -> Serving:
    """Ask its server to end; whoever looks after it makes it so."""
    serving = Serving.objects.alive().filter(checkpoint=checkpoint).first()
    if serving is None:
        raise NotServed
    with transaction.atomic():
        cancel(serving, actor=actor)
        look_after_later.defer(serving_id=serving.pk)
    return serving


def _lock() -> None:
    # Two at once must not each see the last free place: lock what you count.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('servings'))")


@app.task(queue="runs")
def look_after_later(*, serving_id: int) -> None:
    serving = Serving.objects.filter(pk=serving_id).first()
    if serving:
        look_after(serving)
