from typing import Any

from django.db import connection, models

from truing.models.project import Project
from truing.models.user import User

# Steps from one value to the next through the index. SELECT DISTINCT would read every event.
_VALUES = """
WITH RECURSIVE step AS (
    (SELECT {column} AS value FROM truing_event WHERE project_id = %(project)s
        AND {column} IS NOT NULL ORDER BY {column} LIMIT 1)
    UNION ALL
    SELECT (SELECT {column} FROM truing_event WHERE project_id = %(project)s
        AND {column} > step.value ORDER BY {column} LIMIT 1)
    FROM step WHERE step.value IS NOT NULL
)
SELECT value FROM step WHERE value IS NOT NULL
"""


class EventQuerySet(models.QuerySet["Event"]):
    def in_project(self, project: Project) -> "EventQuerySet":
        return self.filter(project=project).select_related("actor")

    def narrowed(self, *, verb: str = "", actor_id: int | None = None) -> "EventQuerySet":
        """Those of one verb, or of one person, or both."""
        events = self
        if verb:
            events = events.filter(verb=verb)
        if actor_id is not None:
            events = events.filter(actor_id=actor_id)
        return events

    def verbs_in(self, project: Project) -> list[str]:
        """The verbs that this project's log knows, in order."""
        return [str(value) for value in _values("verb", project)]

    def actors_in(self, project: Project) -> "models.QuerySet[User]":
        """Whoever did something in this project, members or not any more."""
        return User.objects.filter(pk__in=_values("actor_id", project)).order_by("name", "email")


def _values(column: str, project: Project) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(_VALUES.format(column=column), {"project": project.pk})
        return [value for (value,) in cursor.fetchall()]


class Event(models.Model):
    """Who did what to what, and when. Rows are only ever added: a trigger refuses the rest."""

    # Nothing is deleted under an event's feet: it outlives what it names.
    project = models.ForeignKey(
        Project, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="events"
    )
    actor = models.ForeignKey(
        User, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    verb = models.CharField(max_length=60)  # "queue.create"
    noun = models.CharField(max_length=60, blank=True)  # "queue"
    noun_id = models.BigIntegerField(null=True)
    label = models.CharField(max_length=300, blank=True)  # what it was called then
    details = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["project", "-id"], name="event_by_project"),
            models.Index(fields=["project", "verb", "-id"], name="event_by_verb"),
            models.Index(fields=["project", "actor", "-id"], name="event_by_actor"),
            models.Index(fields=["noun", "noun_id"], name="event_by_noun"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.label}"
