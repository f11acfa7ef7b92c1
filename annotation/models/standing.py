from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from annotation.conditions import CONDITIONS, Figures
from annotation.models.annotator import Annotator
from annotation.models.queue import Queue
from truing.models import Project, User


def condition_choices() -> list[tuple[str, str]]:
    # A function, so that a new condition needs no migration.
    return [(name, condition.label) for name, condition in CONDITIONS.items()]


class StandingQuerySet(models.QuerySet["Standing"]):
    def in_project(self, project: Project) -> "StandingQuerySet":
        return self.filter(queue__project=project)

    def narrowed(
        self, *, text: str = "", queue: int | None = None, state: str = ""
    ) -> "StandingQuerySet":
        """Those of people called so, in one queue, or who are paused, left out or met by a rule."""
        found: StandingQuerySet = self
        if text:
            found = found.filter(
                Q(annotator__pseudonym__icontains=text)
                | Q(annotator__user__name__icontains=text)
                | Q(annotator__user__email__icontains=text)
            )
        if queue is not None:
            found = found.filter(queue=queue)
        if state == "paused":
            found = found.filter(annotator__paused_at__isnull=False)
        elif state == "left_out":
            found = found.left_out()
        elif state == "fired":
            met = Firing.objects.in_force().filter(standing=models.OuterRef("pk"))
            found = found.filter(models.Exists(met))
        return found

    def left_out(self) -> "StandingQuerySet":
        """Those whose answers do not count."""
        return self.filter(left_out_at__isnull=False)


class Standing(models.Model):
    """How somebody's work in one queue stands: counters that each answer moves on."""

    annotator = models.ForeignKey(Annotator, on_delete=models.CASCADE, related_name="standings")
    queue = models.ForeignKey(
        Queue, on_delete=models.CASCADE, related_name="standings", db_index=False
    )
    answers = models.PositiveIntegerField(default=0, db_default=0)
    skips = models.PositiveIntegerField(default=0, db_default=0)
    skips_in_row = models.PositiveIntegerField(default=0, db_default=0)
    # Known answers: a ranking may be half right. Checks are counted apart.
    gold = models.PositiveIntegerField(default=0, db_default=0)
    gold_right = models.FloatField(default=0, db_default=0)
    checks = models.PositiveIntegerField(default=0, db_default=0)
    checks_failed = models.PositiveIntegerField(default=0, db_default=0)
    # Answers of others to the same questions that were there before.
    compared = models.PositiveIntegerField(default=0, db_default=0)
    agreed = models.FloatField(default=0, db_default=0)
    repeats = models.PositiveIntegerField(default=0, db_default=0)
    consistent = models.FloatField(default=0, db_default=0)
    # What was best was shown first, or last.
    lefts = models.PositiveIntegerField(default=0, db_default=0)
    rights = models.PositiveIntegerField(default=0, db_default=0)
    # Of two outputs of different length, the longer or the shorter one was better.
    longer = models.PositiveIntegerField(default=0, db_default=0)
    shorter = models.PositiveIntegerField(default=0, db_default=0)
    # Three outputs of one prompt, each two of them compared; and those that go round in a circle.
    triads = models.PositiveIntegerField(default=0, db_default=0)
    circles = models.PositiveIntegerField(default=0, db_default=0)
    timed = models.PositiveIntegerField(default=0, db_default=0)
    log_seconds = models.FloatField(default=0, db_default=0)  # the sum
    log_seconds_squared = models.FloatField(default=0, db_default=0)
    # Evidence, as annotation/evidence.py weighs it.
    of_others = models.FloatField(default=0, db_default=0)
    judged = models.PositiveIntegerField(
        default=0, db_default=0
    )  # questions that others answered too
    accuracy = models.FloatField(null=True, blank=True)
    suspicion = models.FloatField(default=0, db_default=0)
    leaning_left = models.FloatField(default=0, db_default=0)
    leaning_right = models.FloatField(default=0, db_default=0)
    haste = models.FloatField(default=0, db_default=0)
    level = models.JSONField(
        default=dict, db_default={}
    )  # what was usual in the queue when it was last looked up
    # Who was put right by a person begins anew: only what came since then counts for rules.
    since = models.DateTimeField(null=True, blank=True)
    before = models.JSONField(default=dict, db_default={})  # the counters at that moment
    left_out_at = models.DateTimeField(null=True, blank=True)
    # The share of their answers that comes of knowing, and what it rests on: annotation/rely.py.
    reliability = models.FloatField(null=True, blank=True)
    relied_on = models.PositiveIntegerField(default=0, db_default=0)

    objects = StandingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["queue", "annotator"], name="one_standing_per_annotator_and_queue"
            )
        ]
        indexes = [
            models.Index(
                fields=["annotator", "queue"],
                condition=Q(left_out_at__isnull=False),
                name="standing_left_out",
            )
        ]

    def __str__(self) -> str:
        return f"{self.annotator} in {self.queue}"

    def counters(self) -> dict[str, float]:
        return {name: getattr(self, name) for name in COUNTERS}

    def figures(self) -> Figures:
        """What rules look at: all that came since a person last put it right."""
        counted = {
            name: value - self.before.get(name, 0) for name, value in self.counters().items()
        }
        return Figures(
            **counted,
            skips_in_row=self.skips_in_row,
            suspicion=self.suspicion,
            leaning_left=self.leaning_left,
            leaning_right=self.leaning_right,
            haste=self.haste,
        )


COUNTERS = (
    "answers",
    "skips",
    "gold",
    "gold_right",
    "checks",
    "checks_failed",
    "compared",
    "agreed",
    "repeats",
    "consistent",
    "lefts",
    "rights",
    "timed",
    "log_seconds",
)


class RuleQuerySet(models.QuerySet["Rule"]):
    def over(self, queue: Queue) -> "RuleQuerySet":
        """Those that hold in a queue: its own, and those of its project."""
        return self.filter(
            Q(queue=queue) | Q(queue=None, project=queue.project_id), is_on=True
        ).order_by("pk")


class Rule(models.Model):
    """When somebody's work looks like this, then that is done. For a queue, or for all of them."""

    class Then(models.TextChoices):
        TELL = "tell", "tell them"
        PAUSE = "pause", "pause them"
        LEAVE_OUT = "leave_out", "leave their answers out of merges"
        ASK_AGAIN = "ask_again", "ask others in their place"
        TAKE_SKILL = "take_skill", "take a skill away"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="rules")
    queue = models.ForeignKey(
        Queue, null=True, blank=True, on_delete=models.CASCADE, related_name="rules"
    )
    when = models.CharField(max_length=40, choices=condition_choices)
    options = models.JSONField(default=dict, blank=True)
    then = ArrayField(models.CharField(max_length=20, choices=Then.choices))
    skill = models.CharField(max_length=100, blank=True)  # the one that is taken away
    sentence = models.CharField(max_length=500, blank=True)  # what they are told
    is_on = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RuleQuerySet.as_manager()

    def __str__(self) -> str:
        return self.get_when_display()

    @property
    def condition_options(self) -> Any:
        """The options as the condition's own dataclass."""
        return CONDITIONS[self.when].built(self.options)


class FiringQuerySet(models.QuerySet["Firing"]):
    def in_project(self, project: Project) -> "FiringQuerySet":
        return self.filter(standing__queue__project=project)

    def in_force(self) -> "FiringQuerySet":
        return self.filter(undone_at=None)

    def for_work_of(self, standing: Standing) -> "FiringQuerySet":
        """Those in force for work that still counts: since a person put it right, if one did."""
        found = self.in_force().filter(standing=standing)
        return found.filter(at__gt=standing.since) if standing.since else found

    def that_did(self, rule: Rule) -> "FiringQuerySet":
        """Those that did all that the rule says now: it may have been changed since."""
        found = self.filter(rule=rule, then__contains=rule.then)
        if Rule.Then.TAKE_SKILL in rule.then:
            found = found.filter(skill__in=["", rule.skill])  # empty: they had none to lose
        return found


class Firing(models.Model):
    """A rule met somebody's work: why, and what was done. It can be undone once."""

    rule = models.ForeignKey(Rule, null=True, on_delete=models.SET_NULL, related_name="firings")
    standing = models.ForeignKey(Standing, on_delete=models.CASCADE, related_name="firings")
    when = models.CharField(max_length=40)
    then = ArrayField(models.CharField(max_length=20))
    skill = models.CharField(max_length=100, blank=True)
    reason = models.CharField(max_length=500)
    at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = FiringQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(F("standing"), F("id").desc(), name="firing_by_standing")]

    def __str__(self) -> str:
        return self.reason
