"""Training: show a known answer after it was given."""

from dataclasses import dataclass

from annotation.in_words import in_words
from annotation.likeness import likeness
from annotation.models import Annotation


@dataclass(frozen=True)
class Feedback:
    is_right: bool
    yours: str
    known: str
    why: str

    @property
    def sentence(self) -> str:
        begin = "That is the known answer" if self.is_right else f"You said: {self.yours}. Known is"
        return f"{begin}: {self.known}. {self.why}".strip()


def feedback_on(given: Annotation) -> Feedback | None:
    """How an answer compares with the known one; nothing where this is no training."""
    slot = given.assignment
    if not slot.queue.is_training or slot.task.gold is None:
        return None
    known = slot.task.gold
    return Feedback(
        is_right=likeness(given.answer, known) == 1,
        yours=in_words(slot.queue, given.answer, given.shown),
        known=in_words(slot.queue, known, given.shown),
        why=str(known.get("reason", "")),
    )
