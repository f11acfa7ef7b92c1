"""What one line of feedback says, and what is wrong with it. Plain Python: no tables.

The form is described in docs/feedback.md. What a line means in its project (whether its id is
known, which queue it goes to) is decided by `intake.py`.
"""

from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import Any

from annotation.feedback_keys import (
    BadLine,
    Record,
    is_number,
    list_in,
    moment_in,
    object_in,
    objects_in,
    refuse_odd_text,
    refuse_unknown,
    text_in,
    twin_in,
    whole_number_in,
)
from annotation.task_types import TASK_TYPES

LINE = {
    "id", "prompt", "language", "source", "tags", "task_type", "outputs", "annotations", "gold",
    "gold_kind", "brief", "comments", "meta",
}  # fmt: skip
MESSAGE = {"role", "content"}
OUTPUT = {"id", "text", "source", "params"}
EARLIER = {"answer", "shown", "seconds", "at", "reason"}
ANNOTATION = EARLIER | {
    "annotator", "skipped", "for_nobody", "earlier", "guideline", "purpose", "round",
}  # fmt: skip
FOR_NOBODY = {"decision", "note", "at"}
COMMENT = {"by", "with", "text", "at", "sent_back"}
SENT_BACK = {"state", "answer", "round", "at"}
ROLES = ("system", "user", "assistant")
# Those that do not count as votes; the others are written without a purpose.
PURPOSES = ("gold", "repeat", "adjudication")
DECISIONS = ("put_back", "set_aside")
ENDS_OF_RETURNS = ("corrected", "kept", "over")

SKIP_REASON_LENGTH = 300
COMMENT_LENGTH = 10_000


@dataclass(frozen=True)
class OutputLine:
    ref: str
    text: str
    source: str
    params: Record


@dataclass(frozen=True)
class AnswerLine:
    answer: Record
    shown: list[str]
    seconds: float | None
    at: datetime | None
    reason: str


@dataclass(frozen=True)
class FlagLine:
    """That somebody skipped it for everybody, and what a curator decided; "" while nobody has."""

    decision: str
    note: str
    at: datetime | None


@dataclass(frozen=True)
class AnnotationLine:
    """What one annotator said in one round: the answers they gave, the last one being theirs.

    A reviewer's settlement that was taken back has answers and counts no more.
    """

    annotator: str
    answers: list[AnswerLine]  # none where it was skipped
    shown: list[str]  # in the order of the outputs on the page
    skipped_at: datetime | None = None
    skip_reason: str = ""
    for_nobody: FlagLine | None = None
    is_taken_back: bool = False
    guideline: int | None = None
    purpose: str = ""
    round: int = 1

    @property
    def is_skip(self) -> bool:
        return not self.answers

    @property
    def who(self) -> tuple[str, int, bool]:
        """What stands once in a line: a reviewer may settle what they were asked themselves."""
        return self.annotator, self.round, self.purpose == "adjudication"

    @property
    def is_vote(self) -> bool:
        """Whether it counts where answers are compared: no skip, and no check or repeat."""
        return bool(self.answers) and not self.purpose

    @property
    def is_settlement(self) -> bool:
        """Whether it outweighs the votes of its round."""
        return bool(self.answers) and self.purpose == "adjudication" and not self.is_taken_back


@dataclass(frozen=True)
class ReturnLine:
    """What became of an answer that was sent back: the answer's place in its round, from 1."""

    state: str
    answer: int
    round: int
    at: datetime | None


@dataclass(frozen=True)
class CommentLine:
    """What somebody wrote about the question: with one annotator, or among reviewers."""

    by: str
    with_whom: str
    text: str
    at: datetime
    sent_back: ReturnLine | None = None

    @property
    def what(self) -> tuple[str, str, datetime, str]:
        """What makes two comments the same."""
        return self.by, self.with_whom, self.at, self.text


@dataclass(frozen=True)
class Line:
    id: str
    messages: list[dict[str, str]]
    language: str
    source: str
    tags: list[str]
    meta: Record
    task_type: str  # "" where nothing is asked
    outputs: list[OutputLine]
    annotations: list[AnnotationLine] = field(default_factory=list)
    gold: Record | None = None
    is_check: bool = False
    brief: Record = field(default_factory=dict)
    comments: list[CommentLine] = field(default_factory=list)

    @property
    def refs(self) -> list[str]:
        return [output.ref for output in self.outputs]


def read_line(record: Record, *, task_type: str = "") -> Line:
    """The line, or BadLine with one sentence.

    `task_type` is what a line asks that does not say so itself. Answers are not compared with
    the options of a queue here: see `problem_with_answers`.
    """
    refuse_odd_text(record)
    refuse_unknown(record, LINE, "A line")
    outputs = _outputs(record)
    line = Line(
        id=text_in(record, "id"),
        messages=_messages(record.get("prompt")),
        language=text_in(record, "language", length=35),
        source=text_in(record, "source"),
        tags=_tags(record),
        meta=object_in(record, "meta") or {},
        task_type=text_in(record, "task_type", length=40),
        outputs=outputs,
        annotations=_annotations(record, {output.ref for output in outputs}),
        gold=object_in(record, "gold"),
        is_check=_is_check(record),
        brief={name: value for name, value in (object_in(record, "brief") or {}).items() if value},
        comments=_comments(record),
    )
    _refuse_unknown_returns(line)
    line = _with_task_type(line, task_type)
    _refuse_without_prompt(line)
    return line


def _is_check(record: Record) -> bool:
    """Whether the known answer is an attention check."""
    kind = text_in(record, "gold_kind") or "gold"
    if kind not in ("gold", "attention"):
        raise BadLine("The kind of a known answer (“gold_kind”) is gold or attention.")
    if kind == "attention" and record.get("gold") is None:
        raise BadLine("There is a kind of known answer (“gold_kind”), and no known answer.")
    return kind == "attention"


def problem_with_answers(line: Line, options: Any) -> str:
    """What is wrong with its answers in a queue with these options; nothing when nothing is."""
    if line.gold is not None and (problem := _problem(line, line.gold, options)):
        return f"Gold: {problem}"
    task_type = TASK_TYPES[line.task_type]
    for annotation in line.annotations:
        for answer in annotation.answers:
            problem = _problem(line, answer.answer, options)
            if not problem and not answer.reason.strip():
                problem = task_type.reason_wanted(answer.answer, options)
            if problem:
                return f"Annotator “{annotation.annotator}”: {problem}"
    return ""


def _problem(line: Line, answer: Record, options: Any) -> str:
    task_type = TASK_TYPES[line.task_type]
    problem = task_type.problem_with(answer, line.refs, options)
    if problem or not task_type.needs_texts:
        return problem
    texts = {output.ref: output.text for output in line.outputs}
    return task_type.problem_with_texts(answer, texts, options)


def _with_task_type(line: Line, default: str) -> Line:
    """Decide what a line asks. One with too few outputs and no answers only brings a prompt."""
    answered = bool(line.annotations or line.comments) or line.gold is not None
    name = line.task_type or default
    if not name and (answered or len(line.outputs) > 1):
        # What fits any number of outputs, unless there are two.
        name = "pairwise" if len(line.outputs) == 2 else "ranking"
    if not name:
        return line
    if name not in TASK_TYPES:
        names = ", ".join(sorted(TASK_TYPES))
        raise BadLine(f"There is no task type “{name[:60]}”. There are: {names}.")
    least, most = TASK_TYPES[name].min_outputs, TASK_TYPES[name].max_outputs
    if len(line.outputs) > most:
        raise BadLine(f"A task of type {name} has at most {most} outputs.")
    if len(line.outputs) < least:
        if answered:
            raise BadLine(f"A task of type {name} has at least {least} outputs.")
        # Kept as it came, for the day on which there are enough outputs.
        return line if line.task_type else _replaced(line, "")
    return _replaced(line, name)


def asks(line: Line) -> bool:
    """Whether a line makes a task, rather than a prompt alone."""
    return bool(line.task_type) and len(line.outputs) >= TASK_TYPES[line.task_type].min_outputs


def _refuse_without_prompt(line: Line) -> None:
    """A prompt may be missing where somebody is to write one; nothing is said of it then."""
    if line.messages:
        if line.brief:
            raise BadLine("A line with a prompt has no “brief”.")
        return
    if not line.task_type or TASK_TYPES[line.task_type].needs_prompt:
        raise BadLine("A line needs a “prompt”.")
    for name in ("language", "source", "tags", "outputs", "meta"):
        if getattr(line, name):
            raise BadLine(f"A line without a prompt has no “{name}”.")


def _replaced(line: Line, task_type: str) -> Line:
    return Line(**{**line.__dict__, "task_type": task_type})


def _messages(prompt: Any) -> list[dict[str, str]]:
    if prompt is None:
        return []
    if not isinstance(prompt, list) or not all(isinstance(turn, dict) for turn in prompt):
        raise BadLine("“prompt” must be a list of messages, each with a role and a content.")
    for turn in prompt:
        refuse_unknown(turn, MESSAGE, "A message")
        if turn.get("role") not in ROLES:
            raise BadLine(f"The role of a message must be one of {', '.join(ROLES)}.")
        if not isinstance(turn.get("content"), str):
            raise BadLine("The content of a message must be a text.")
    if not any(turn["role"] == "user" for turn in prompt):
        raise BadLine("The prompt has no user turn.")
    return prompt


def _outputs(record: Record) -> list[OutputLine]:
    outputs = []
    for place, item in enumerate(objects_in(record, "outputs"), start=1):
        refuse_unknown(item, OUTPUT, "An output")
        if not isinstance(item.get("text"), str):
            raise BadLine(f"Output {place} needs a “text”; it may be empty.")
        outputs.append(
            OutputLine(
                ref=text_in(item, "id") or str(place),
                text=item["text"],
                source=text_in(item, "source"),
                params=object_in(item, "params") or {},
            )
        )
    refs = [output.ref for output in outputs]
    if twin := twin_in(refs):
        raise BadLine(f"Two outputs have the id “{twin}”.")
    return outputs


def _annotations(record: Record, refs: set[str]) -> list[AnnotationLine]:
    annotations = [_annotation(item, refs) for item in objects_in(record, "annotations")]
    if twin := twin_in([item.who for item in annotations]):
        raise BadLine(f"Annotator “{twin[0]}” answers twice.")
    return annotations


def _annotation(item: Record, refs: set[str]) -> AnnotationLine:
    refuse_unknown(item, ANNOTATION, "An annotation")
    annotator = text_in(item, "annotator")
    if not annotator:
        raise BadLine("An annotation needs an “annotator”.")
    earlier = objects_in(item, "earlier")
    skipped = item.get("skipped") or False
    if not isinstance(skipped, bool):
        raise BadLine("“skipped” must be true or false.")
    guideline = whole_number_in(item, "guideline", least=1)
    purpose = text_in(item, "purpose")
    if purpose and purpose not in PURPOSES:
        raise BadLine(f"“purpose” must be one of {', '.join(PURPOSES)}, or left out.")
    has_earlier = bool(earlier) and purpose != "adjudication"
    if skipped and (
        has_earlier or item.get("answer") is not None or item.get("seconds") is not None
    ):
        raise BadLine("What was skipped has no answer.")
    for one in earlier:
        refuse_unknown(one, EARLIER, "An earlier answer")
    given = earlier if skipped else [*earlier, item]
    # Repeats stand apart from the rounds, which are counted from 1.
    first = 0 if purpose == "repeat" else 1
    round = whole_number_in(item, "round", least=first)
    return AnnotationLine(
        annotator=annotator,
        answers=[_answer(one, refs) for one in given],
        shown=_shown(item, refs),
        skipped_at=moment_in(item) if skipped else None,
        skip_reason=text_in(item, "reason", length=SKIP_REASON_LENGTH) if skipped else "",
        for_nobody=_for_nobody(item, skipped),
        is_taken_back=skipped and bool(earlier),
        guideline=guideline,
        purpose=purpose,
        round=1 if round is None else round,
    )


def _for_nobody(item: Record, skipped: bool) -> FlagLine | None:
    said = object_in(item, "for_nobody")
    if said is None:
        return None
    if not skipped:
        raise BadLine("Only what was skipped can be “for_nobody”.")
    refuse_unknown(said, FOR_NOBODY, "“for_nobody”")
    decision = text_in(said, "decision")
    if decision and decision not in DECISIONS:
        raise BadLine(f"“decision” must be one of {', '.join(DECISIONS)}, or left out.")
    return FlagLine(decision, text_in(said, "note", length=SKIP_REASON_LENGTH), moment_in(said))


def _comments(record: Record) -> list[CommentLine]:
    comments = [_comment(item) for item in objects_in(record, "comments")]
    if twin := twin_in([comment.what for comment in comments]):
        raise BadLine(f"A comment by “{twin[0]}” stands there twice.")
    return comments


def _comment(item: Record) -> CommentLine:
    refuse_unknown(item, COMMENT, "A comment")
    by, text, at = (
        text_in(item, "by"),
        text_in(item, "text", length=COMMENT_LENGTH),
        moment_in(item),
    )
    if not by or not text or at is None:
        raise BadLine("A comment says who wrote it (“by”), what (“text”) and when (“at”).")
    with_whom = text_in(item, "with")
    sent_back = object_in(item, "sent_back")
    if sent_back is None:
        return CommentLine(by, with_whom, text, at)
    refuse_unknown(sent_back, SENT_BACK, "“sent_back”")
    state = text_in(sent_back, "state")
    if state not in ENDS_OF_RETURNS:
        raise BadLine(f"The state of what was sent back is one of {', '.join(ENDS_OF_RETURNS)}.")
    answer = whole_number_in(sent_back, "answer", least=1)
    round = whole_number_in(sent_back, "round", least=1)
    returned = ReturnLine(state, answer or 1, round or 1, moment_in(sent_back))
    return CommentLine(by, with_whom, text, at, returned)


def _refuse_unknown_returns(line: Line) -> None:
    given = {one.who: len(one.answers) for one in line.annotations}
    for comment in line.comments:
        back = comment.sent_back
        if back and back.answer > given.get((comment.with_whom, back.round, False), 0):
            raise BadLine(f"An answer of “{comment.with_whom}” was sent back that is not there.")


def _answer(item: Record, refs: set[str]) -> AnswerLine:
    answer = object_in(item, "answer")
    if answer is None:
        raise BadLine("An annotation needs an “answer”, or must say that it was skipped.")
    seconds = item.get("seconds")
    if seconds is not None and not (is_number(seconds) and isfinite(seconds) and seconds >= 0):
        raise BadLine("“seconds” must be a number, and not below 0.")
    return AnswerLine(
        answer=answer,
        shown=_shown(item, refs),
        seconds=None if seconds is None else float(seconds),
        at=moment_in(item),
        reason=text_in(item, "reason", length=None),
    )


def _shown(item: Record, refs: set[str]) -> list[str]:
    shown = list_in(item, "shown", str, "texts")
    for ref in shown:
        if ref not in refs:
            raise BadLine(f"“shown” names an output “{ref[:100]}” that is not there.")
    if twin := twin_in(shown):
        raise BadLine(f"“shown” names the output “{twin}” twice.")
    return shown


def _tags(record: Record) -> list[str]:
    tags = list_in(record, "tags", str, "texts")
    if any(not 1 <= len(tag) <= 100 for tag in tags):
        raise BadLine("A tag has 1 to 100 characters.")
    return tags
