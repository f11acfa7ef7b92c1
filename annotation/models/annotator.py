import secrets
from collections.abc import Sequence

from django.apps import apps
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce

from truing.models import Membership, Project, User


def new_pseudonym() -> str:
    return f"annotator-{secrets.token_hex(4)}"


class AnnotatorQuerySet(models.QuerySet["Annotator"]):
    def member(self, project: Project, user: User) -> "Annotator":
        """Whoever this member is when they answer here; made when they first do."""
        return self.get_or_create(project=project, user=user)[0]

    def who_read(self) -> "AnnotatorQuerySet":
        """Those who sign in here still: no names from files, and nobody who has left."""
        inside = Membership.objects.filter(
            project=models.OuterRef("project"), user=models.OuterRef("user"), user__is_active=True
        )
        return self.filter(models.Exists(inside))

    def count_returns(self, keys: Sequence[int]) -> None:
        """Write down how many of their answers wait for them, sent back by reviewers."""
        returns = apps.get_model("annotation", "Return")._default_manager.filter(
            annotation__assignment__annotator=models.OuterRef("pk"), state="open"
        )
        number = returns.order_by().values(one=models.Value(1)).annotate(n=models.Count("pk"))
        self.filter(pk__in=keys).update(sent_back=Coalesce(models.Subquery(number.values("n")), 0))


class Annotator(models.Model):
    """Whoever answers in a project: a member, or a name that came with a file. Never a sign-in."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="annotators")
    user = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="annotators"
    )
    # Where the name comes from ("import"), and the name there; both empty for a member.
    source = models.CharField(max_length=60, blank=True)
    name = models.CharField(max_length=200, blank=True)
    # What exports show. A name from a file already is one.
    pseudonym = models.CharField(max_length=200, default=new_pseudonym)

    # Answers given on that day, as the desk shows them.
    day = models.DateField(null=True, blank=True)
    answers_that_day = models.PositiveIntegerField(default=0, db_default=0)
    # Sensitive questions given to them on that day, answered or not.
    sensitive_day = models.DateField(null=True, blank=True)
    sensitive_that_day = models.PositiveIntegerField(default=0, db_default=0)
    # Who is paused is asked nothing. By a person, or by a rule.
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_because = models.CharField(max_length=300, blank=True, db_default="")
    paused_by_hand = models.BooleanField(default=False, db_default=False)
    paused_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    # What they are told at their desk until they have read it.
    notice = models.CharField(max_length=500, blank=True, db_default="")
    # What reviewers wrote to them that they have not read, and answers that were sent back.
    unread = models.PositiveIntegerField(default=0, db_default=0)
    sent_back = models.PositiveIntegerField(default=0, db_default=0)

    objects = AnnotatorQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "user"], name="one_annotator_per_member"),
            models.UniqueConstraint(
                fields=["project", "source", "name"],
                condition=~Q(name=""),
                name="one_annotator_per_external_name",
            ),
        ]
        indexes = [models.Index(fields=["project", "pseudonym"], name="annotator_by_pseudonym")]

    def __str__(self) -> str:
        return self.name or self.pseudonym
