"""Ask somebody again who was paused; and put away what they were told."""

from django.db import transaction

from annotation.enforce import begin_anew
from annotation.models import Annotator, Standing
from truing.audit import record
from truing.models import User


@transaction.atomic
def resume(annotator: Annotator, *, actor: User | None) -> None:
    """They get questions again. Firings stay; for rules, their work counts from now on."""
    person = Annotator.objects.select_for_update(no_key=True).get(pk=annotator.pk)
    if person.paused_at is None:
        return
    person.paused_at, person.paused_because = None, ""
    person.paused_by, person.paused_by_hand = None, False
    person.save(update_fields=["paused_at", "paused_because", "paused_by", "paused_by_hand"])
    for standing in Standing.objects.select_for_update().filter(annotator=person).order_by("pk"):
        begin_anew(standing)
        standing.save()
    record("annotator.resume", actor=actor, project=annotator.project, on=annotator)


def read_notice(annotator: Annotator) -> None:
    """They have read what they were told."""
    Annotator.objects.filter(pk=annotator.pk).exclude(notice="").update(notice="")
