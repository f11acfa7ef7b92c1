from django.db import models

from annotation.models.annotator import Annotator
from annotation.models.queue import Queue


class Bookmark(models.Model):
    """How far somebody has come in a queue, so that nothing they have met is read again.

    Without an annotator it is everybody's: what lies before it is not free for anybody.
    """

    queue = models.ForeignKey(
        Queue, on_delete=models.CASCADE, related_name="bookmarks", db_index=False
    )
    annotator = models.ForeignKey(
        Annotator, null=True, blank=True, on_delete=models.CASCADE, related_name="bookmarks"
    )
    # For each lane the key of the last slot that is behind them: {"10": 4711}.
    positions = models.JSONField(default=dict, db_default={})
    # Who finds nothing ahead looks through the whole queue once more, a stretch at a time.
    swept_lane = models.SmallIntegerField(default=-1, db_default=-1)
    swept_slot = models.BigIntegerField(default=0, db_default=0)
    swept_at = models.DateTimeField(null=True, blank=True)
    taken = models.PositiveIntegerField(default=0, db_default=0)  # slots, ever
    # For the queue's cap a person and day.
    day = models.DateField(null=True, blank=True)
    answers_that_day = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["queue", "annotator"],
                nulls_distinct=False,
                name="one_bookmark_per_annotator",
            )
        ]

    def __str__(self) -> str:
        return f"bookmark of {self.annotator} in {self.queue}"
