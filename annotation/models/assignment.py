from typing import Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from annotation.models.annotator import Annotator
from annotation.models.queue import MAIN_LANE, Guideline, Queue
from annotation.models.task import Exemption, Task
from truing.models import Project, User


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def in_project(self, project: Project) -> "AssignmentQuerySet":
        return self.filter(queue__project=project)

    def held_by(self, annotator: Annotator) -> "AssignmentQuerySet":
        """What this annotator holds now, and may answer."""
        own = self.filter(annotator=annotator, state=Assignment.State.HELD)
        return own.filter(Q(held_until__gt=timezone.now()) | Q(held_until=None))

    def free(self) -> "AssignmentQuerySet":
        """Slots that nobody has taken, in the order in which they are given."""
        return self.filter(state=Assignment.State.FREE).order_by("lane", "pk")

    def waiting_for_task(self) -> "AssignmentQuerySet":
        """Of the task of an outer query: what is wanted and not given yet."""
        return self.filter(
            task=models.OuterRef("pk"),
            state__in=[Assignment.State.FREE, Assignment.State.HELD],
            purpose=Assignment.Purpose.ANSWER,
        )

    def lapsed(self) -> "AssignmentQuerySet":
        """Slots whose hold has run out, the longest ago first."""
        return self.filter(
            state=Assignment.State.HELD,
            purpose=Assignment.Purpose.ANSWER,
            held_until__lte=timezone.now(),
        ).order_by("held_until")

    def wanted(self) -> "AssignmentQuerySet":
        """Answers that count or are waited for: no checks, no skips, nobody who is left out."""
        left_out = apps.get_model("annotation", "Standing")._default_manager.filter(
            annotator=models.OuterRef("annotator"),
            queue=models.OuterRef("queue"),
            left_out_at__isnull=False,
        )
        found = self.filter(purpose__in=[Assignment.Purpose.ANSWER, Assignment.Purpose.IMPORT])
        return found.exclude(state=Assignment.State.SKIPPED).exclude(models.Exists(left_out))

    def takeable(self) -> "AssignmentQuerySet":
        """Slots that nobody holds, or whose hold has run out."""
        return self.filter(
            Q(state=Assignment.State.FREE)
            | Q(
                state=Assignment.State.HELD,
                purpose=Assignment.Purpose.ANSWER,
                held_until__lte=timezone.now(),
            )
        )

    def once_taken_by(self, user: User) -> "AssignmentQuerySet":
        """What this person holds, has answered or skipped, or began and lost to another.

        A draft is opened when a slot is taken and outlives the hold, so it is the proof.
        """
        begun = Task.objects.filter(drafts__annotator__user=user)
        return self.filter(Q(annotator__user=user) | Q(task__in=begun))

    def begun_or_put_off_by(self, annotator: Annotator) -> "AssignmentQuerySet":
        """Slots of tasks that they put off, or began and lost, the longest ago first."""
        met = Assignment.objects.filter(
            task=models.OuterRef("task"), round=models.OuterRef("round"), annotator=annotator
        ).exclude(pk=models.OuterRef("pk"))
        spared = Exemption.objects.filter(task=models.OuterRef("task"), annotator=annotator)
        put_off = Task.objects.filter(
            exemptions__annotator=annotator, exemptions__why=Exemption.Why.LATER
        )
        begun = Task.objects.filter(drafts__annotator=annotator)
        return (
            self.takeable()
            .filter(Q(task__in=put_off) | Q(task__in=begun), task__is_withheld=False)
            .exclude(models.Exists(met))
            .exclude(models.Exists(spared.exclude(why=Exemption.Why.LATER)))
            .order_by("pk")
        )

    def unmet_by(self, annotator: Annotator) -> "AssignmentQuerySet":
        """Leaves out the tasks that this annotator has met, or is not to be asked."""
        met = Assignment.objects.filter(
            task=models.OuterRef("task"), round=models.OuterRef("round"), annotator=annotator
        )
        spared = Exemption.objects.filter(task=models.OuterRef("task"), annotator=annotator)
        return self.filter(~models.Exists(met) & ~models.Exists(spared))


class Assignment(models.Model):
    """One wanted answer. The hold lives in the row that is locked, so a slot is given once."""

    class State(models.TextChoices):
        FREE = "free"
        HELD = "held"
        ANSWERED = "answered"
        SKIPPED = "skipped"
        WITHHELD = "withheld"  # not given until a curator has decided about the task

    class Purpose(models.TextChoices):
        ANSWER = "answer"
        GOLD = "gold"
        REPEAT = "repeat"
        ADJUDICATION = "adjudication"
        IMPORT = "import"

    # Each index costs every pick and every answer; these have longer ones that begin like them.
    task = models.ForeignKey(
        Task, on_delete=models.CASCADE, related_name="assignments", db_index=False
    )
    # The task's queue again, so that a pick reads one index.
    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="assignments")
    annotator = models.ForeignKey(
        Annotator,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="assignments",
        db_index=False,
    )
    # Free slots are given by lane, and within a lane by key: see annotation/lanes.py. One that is
    # free again is a new row, so nothing ever appears behind somebody's bookmark.
    lane = models.SmallIntegerField(default=MAIN_LANE, db_default=MAIN_LANE)
    state = models.CharField(max_length=10, choices=State.choices, default=State.FREE)
    purpose = models.CharField(max_length=15, choices=Purpose.choices, default=Purpose.ANSWER)
    round = models.PositiveSmallIntegerField(default=1)
    # Held and None: without an end, as a chat is from its first verdict on.
    held_until = models.DateTimeField(null=True, blank=True)
    taken_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    # Drawn when the slot is taken: the outputs' refs in the order shown, and the instructions then.
    shown = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    guideline = models.ForeignKey(
        Guideline,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    skip_reason = models.CharField(max_length=300, blank=True)

    # What its holder has typed, where whoever picked it has read that along with it.
    draft: dict[str, Any] | None = None

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        constraints = [
            # A reviewer may settle what they have been asked themselves.
            models.UniqueConstraint(
                "task",
                "annotator",
                "round",
                models.ExpressionWrapper(
                    Q(purpose="adjudication"), output_field=models.BooleanField()
                ),
                name="one_slot_per_annotator_and_round",
            )
        ]
        indexes = [
            models.Index(
                fields=["queue", "lane", "id"], condition=Q(state="free"), name="assignment_free"
            ),
            models.Index(
                fields=["queue", "held_until"],
                condition=Q(state="held", purpose="answer"),
                name="assignment_held",
            ),
            models.Index(
                fields=["annotator"], condition=Q(state="held"), name="assignment_in_hand"
            ),
            models.Index(fields=["annotator", "queue", "lane", "id"], name="assignment_met"),
            models.Index(fields=["annotator", "-closed_at"], name="assignment_by_annotator"),
            # The few by which others count no more: see `AnnotationQuerySet.counting`.
            models.Index(
                fields=["task"],
                condition=Q(purpose="adjudication") | Q(round__gt=1),
                name="assignment_outweighing",
            ),
        ]

    def __str__(self) -> str:
        return f"slot {self.pk} of {self.task_id}"
