"""Somebody at a chat, as they say, hear and judge."""

from annotation.assign import next_assignment
from annotation.chat import chat_of
from annotation.judge_turn import judge_turn
from annotation.models import Annotator
from annotation.say import say
from annotation.stream_replies import stream_replies


class Person:
    """Somebody at a chat."""

    def __init__(self, project, user, queue=None):
        self.slot = next_assignment(project, user, queue=queue)
        self.annotator = Annotator.objects.get(project=project, user=user)
        self.keys = 0

    @property
    def now(self):
        self.slot.refresh_from_db()
        return chat_of(self.slot, self.annotator)

    def say(self, text, **more):
        return say(self.slot, text, annotator=self.annotator, **more)

    def hear(self, position=None):
        return [
            event
            for event in stream_replies(self.slot, self.annotator, position=position)
            if event is not None
        ]

    def judge(self, choice, **more):
        self.keys += 1
        more = {"key": f"{self.slot.pk}-{self.keys}", **more}
        return judge_turn(self.slot, choice, annotator=self.annotator, **more)

    def place_of(self, text):
        """Where this answer is shown, as a choice."""
        return str(next(pane.position for pane in self.now.panes if text in pane.text))
