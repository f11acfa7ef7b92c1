from django.db import models

from annotation.models.annotation import Annotation
from annotation.models.annotator import Annotator
from annotation.models.endpoint import Endpoint
from annotation.models.output import Output
from annotation.models.prompt import Prompt
from annotation.models.task import Task


class TurnQuerySet(models.QuerySet["Turn"]):
    def of_chat(self, task_id: int, annotator: Annotator, round: int) -> "TurnQuerySet":
        """This person's turns in a chat, in their order."""
        return self.filter(task=task_id, annotator=annotator, round=round).order_by("number")


class Turn(models.Model):
    """What a person has said in a chat, and the verdict on the models' answers once it is given.

    It belongs to a task and a person, like a draft: so it outlives a hold that ran out.
    """

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="turns")
    annotator = models.ForeignKey(Annotator, on_delete=models.CASCADE, related_name="turns")
    round = models.PositiveSmallIntegerField(default=1)
    number = models.PositiveSmallIntegerField()
    # The conversation up to here: it goes on from the answer that was best before.
    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="turns")
    key = models.CharField(max_length=64, blank=True)  # made by the client: sent twice, said once
    attempt = models.PositiveSmallIntegerField(default=1)  # how often the models were asked
    # The verdict; None while the turn is open.
    annotation = models.OneToOneField(
        Annotation, null=True, blank=True, on_delete=models.PROTECT, related_name="chat_turn"
    )
    # The answer with which the chat goes on; none when all were bad.
    went_on = models.ForeignKey(
        Output, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TurnQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["task", "annotator", "round", "number"], name="one_turn_per_number"
            )
        ]

    def __str__(self) -> str:
        return f"turn {self.number} in {self.task}"

    @property
    def chat_id(self) -> str:
        """What lines of feedback call the chat: the task, the person and the round."""
        name = f"{self.task.ref}/{self.annotator.pseudonym}"
        return name if self.round == 1 else f"{name}/round-{self.round}"

    @property
    def line_id(self) -> str:
        """The id of the line that the turn is, once it is judged."""
        return f"{self.chat_id}/{self.number}"


class Reply(models.Model):
    """An endpoint's answer in a turn: wanted, given, or not to be had. Its place is drawn."""

    class Trouble(models.TextChoices):
        """What an annotator may know of why there is none."""

        NONE = ""
        AWAY = "away"
        SLOW = "slow"
        REFUSED = "refused"
        BROKEN = "broken"

    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="replies")
    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()
    output = models.ForeignKey(
        Output, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    trouble = models.CharField(max_length=10, choices=Trouble.choices, blank=True, default="")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["turn", "position"], name="one_reply_per_position"),
            models.UniqueConstraint(fields=["turn", "endpoint"], name="one_reply_per_endpoint"),
        ]

    def __str__(self) -> str:
        return f"reply {self.position + 1} of {self.turn}"
