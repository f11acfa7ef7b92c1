"""A person's chat: where it stands, who may go on with it, and what they see of it."""

from dataclasses import dataclass

from annotation.models import Annotator, Assignment, Draft, Endpoint, Queue, Reply, Turn
from annotation.models.prompt import Message
from annotation.task_types.chat import choices
from truing.errors import Invalid, Refused
from truing.models import Project

# All that an annotator is told of an endpoint's trouble: its own words might name the model.
TROUBLE = {
    "away": "This model cannot be reached just now.",
    "slow": "This model takes too long.",
    "refused": "This model did not want to answer.",
    "broken": "This model stopped in the middle of its answer.",
}


class NoChat(Refused):
    """This question is no chat."""


class ChatOver(Refused):
    """This chat is over, or somebody else has it now. What you wrote is kept."""


class NobodyAnswers(Refused):
    """No endpoint is in use for this chat. Ask an engineer to add one."""


class UnknownEndpoint(Invalid):
    """There is no such endpoint in this project."""


@dataclass(frozen=True)
class Pane:
    """One answer as it is shown: a place and a text, and never who wrote it."""

    position: int
    number: int
    text: str
    has_answer: bool
    problem: str  # why there is none, in one sentence


@dataclass(frozen=True)
class SaidTurn:
    """A turn that is over: what the person said, what went on, and their verdict."""

    said: str
    text: str
    words: str
    went_on: bool


@dataclass(frozen=True)
class Chat:
    turns: list[SaidTurn]
    opening: list[Message]  # what stood there before the first turn
    said: str  # what the person said in the open turn
    panes: list[Pane]  # the answers to it
    is_open: bool  # whether a turn waits for its verdict
    number: int  # of the turn that is open or comes next
    to_say: str  # what is in the box when a turn begins: "" or what was said in vain
    may_say: bool
    may_end: bool
    may_skip: bool
    choices: list[tuple[str, str]]  # what the person may say of the answers, with words
    problem: str = ""  # why it cannot begin, in one sentence

    @property
    def answered(self) -> int:
        return sum(pane.has_answer for pane in self.panes)

    @property
    def waits(self) -> bool:
        """Whether some model has neither answered nor failed."""
        return any(not pane.has_answer and not pane.problem for pane in self.panes)


def held_chat(assignment: Assignment, annotator: Annotator) -> Assignment:
    """The chat's slot, locked until the transaction ends. Refused when it is not theirs."""
    if not assignment.queue.task_type.has_turns:
        raise NoChat
    slot = (
        Assignment.objects.select_for_update(of=("self",))
        .select_related("queue__project", "task__prompt")
        .filter(pk=assignment.pk, annotator=annotator, state=Assignment.State.HELD)
        .first()
    )
    if slot is None or slot.queue.state == Queue.State.CLOSED:
        raise ChatOver
    return slot


def turns_of(slot: Assignment, annotator: Annotator) -> list[Turn]:
    found = Turn.objects.of_chat(slot.task_id, annotator, slot.round)
    return list(found.select_related("prompt", "annotation", "went_on"))


def open_turn(turns: list[Turn]) -> Turn | None:
    """The turn that waits for its verdict."""
    return turns[-1] if turns and turns[-1].annotation_id is None else None


def endpoints_for(project: Project, names: str) -> list[Endpoint]:
    """The endpoints that a queue names, or all that are in use."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    found = Endpoint.objects.filter(project=project).order_by("pk")
    if not wanted:
        return list(found.in_use())
    by_name = {endpoint.name: endpoint for endpoint in found.filter(name__in=wanted)}
    for name in wanted:
        if name not in by_name:
            raise UnknownEndpoint(f"There is no endpoint “{name}” in this project.")
    return list(by_name.values())


def chat_of(assignment: Assignment, annotator: Annotator) -> Chat:
    """What the person sees of their chat."""
    queue = assignment.queue
    options = queue.type_options
    turns = turns_of(assignment, annotator)
    waiting = open_turn(turns)
    over = turns[:-1] if waiting else turns
    opening = assignment.task.prompt.messages if assignment.task.prompt else []
    if waiting and not over and assignment.task.prompt_id == waiting.prompt_id:
        opening = opening[:-1]  # its last message stands in the turn
    elif over and assignment.task.prompt_id == over[0].prompt_id:
        opening = opening[:-1]
    draft = Draft.objects.filter(task=assignment.task_id, annotator=annotator).first()
    typed = (draft.content.get("answer") or {}).get("text", "") if draft else ""
    replies = list(waiting.replies.select_related("output")) if waiting else []
    in_vain = over[-1].prompt.text if over and not over[-1].went_on else ""
    return Chat(
        turns=[_said(turn, queue) for turn in over],
        opening=opening,
        said=waiting.prompt.text if waiting else "",
        panes=[pane_of(reply) for reply in replies],
        is_open=waiting is not None,
        number=len(over) + 1,
        to_say=typed or in_vain,
        may_say=waiting is None and len(over) < options.most_turns,
        may_end=len(over) >= options.least_turns,
        may_skip=not over,
        choices=choices(len(replies), options),
    )


def pane_of(reply: Reply) -> Pane:
    return Pane(
        position=reply.position,
        number=reply.position + 1,
        text=reply.output.text if reply.output else "",
        has_answer=reply.output is not None,
        problem="" if reply.output else TROUBLE.get(reply.trouble, ""),
    )


def _said(turn: Turn, queue: Queue) -> SaidTurn:
    given = turn.annotation
    words = queue.task_type.in_words(given.answer, given.shown) if given else ""
    text = turn.went_on.text if turn.went_on else ""
    return SaidTurn(turn.prompt.text, text, words, turn.went_on is not None)
