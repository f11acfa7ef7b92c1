"""What one line of feedback says, and what is wrong with it. Plain Python: no tables.

The form is described in docs/feedback.md. What a line means in its project (whether its id is
known, which queue it goes to) is decided by `intake.py`.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from annotation.task_types import TASK_TYPES
from truing.errors import Invalid

Record = dict[str, Any]

LINE = {
    "id", "prompt", "language", "source", "tags", "task_type", "outputs", "annotations", "gold",
    "gold_kind", "brief", "meta",
}  # fmt: skip
MESSAGE = {"role", "content"}
OUTPUT = {"id", "text", "source", "params"}
EARLIER = {"answer", "shown", "seconds", "at", "reason"}
ANNOTATION = EARLIER | {"annotator", "skipped", "earlier", "guideline", "purpose", "round"}
ROLES = ("system", "user", "assistant")
# Those that do not count as votes; the others are written without a purpose.
PURPOSES = ("gold", "repeat", "adjudication")
MOST_ROUNDS = 10_000
DEEPEST = 100
LARGEST = 1e300
LONG_NUMBER = re.compile(r"[0-9]{300}")

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
NAME_LENGTH = 200
SKIP_REASON_LENGTH = 300


class BadLine(Invalid):
    """This line is not feedback."""


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
class AnnotationLine:
    """What one annotator said in one round: the answers they gave, the last one being theirs.

    A reviewer's settlement that was taken back has answers and counts no more.
    """

    annotator: str
    answers: list[AnswerLine]  # none where it was skipped
    shown: list[str]  # in the order of the outputs on the page
    skipped_at: datetime | None = None
    skip_reason: str = ""
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

    @property
    def refs(self) -> list[str]:
        return [output.ref for output in self.outputs]


def read_line(record: Record, *, task_type: str = "") -> Line:
    """The line, or BadLine with one sentence.

    `task_type` is what a line asks that does not say so itself. Answers are not compared with
    the options of a queue here: see `problem_with_answers`.
    """
    _refuse_odd_text(record)
    _refuse_unknown(record, LINE, "A line")
    outputs = _outputs(record)
    line = Line(
        id=_text(record, "id"),
        messages=_messages(record.get("prompt")),
        language=_text(record, "language", length=35),
        source=_text(record, "source"),
        tags=_tags(record),
        meta=_object(record, "meta") or {},
        task_type=_text(record, "task_type", length=40),
        outputs=outputs,
        annotations=_annotations(record, {output.ref for output in outputs}),
        gold=_object(record, "gold"),
        is_check=_is_check(record),
        brief={name: value for name, value in (_object(record, "brief") or {}).items() if value},
    )
    line = _with_task_type(line, task_type)
    _refuse_without_prompt(line)
    return line


def _is_check(record: Record) -> bool:
    """Whether the known answer is an attention check."""
    kind = _text(record, "gold_kind") or "gold"
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
    answered = bool(line.annotations) or line.gold is not None
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
        _refuse_unknown(turn, MESSAGE, "A message")
        if turn.get("role") not in ROLES:
            raise BadLine(f"The role of a message must be one of {', '.join(ROLES)}.")
        if not isinstance(turn.get("content"), str):
            raise BadLine("The content of a message must be a text.")
    if not any(turn["role"] == "user" for turn in prompt):
        raise BadLine("The prompt has no user turn.")
    return prompt


def _outputs(record: Record) -> list[OutputLine]:
    outputs = []
    for place, item in enumerate(_list_of_objects(record, "outputs"), start=1):
        _refuse_unknown(item, OUTPUT, "An output")
        if not isinstance(item.get("text"), str):
            raise BadLine(f"Output {place} needs a “text”; it may be empty.")
        outputs.append(
            OutputLine(
                ref=_text(item, "id") or str(place),
                text=item["text"],
                source=_text(item, "source"),
                params=_object(item, "params") or {},
            )
        )
    refs = [output.ref for output in outputs]
    if twin := _twin(refs):
        raise BadLine(f"Two outputs have the id “{twin}”.")
    return outputs


def _annotations(record: Record, refs: set[str]) -> list[AnnotationLine]:
    annotations = [_annotation(item, refs) for item in _list_of_objects(record, "annotations")]
    if twin := _twin([item.who for item in annotations]):
        raise BadLine(f"Annotator “{twin[0]}” answers twice.")
    return annotations


def _annotation(item: Record, refs: set[str]) -> AnnotationLine:
    _refuse_unknown(item, ANNOTATION, "An annotation")
    annotator = _text(item, "annotator")
    if not annotator:
        raise BadLine("An annotation needs an “annotator”.")
    earlier = _list_of_objects(item, "earlier")
    skipped = item.get("skipped") or False
    if not isinstance(skipped, bool):
        raise BadLine("“skipped” must be true or false.")
    guideline = _whole_number(item, "guideline", least=1)
    purpose = _text(item, "purpose")
    if purpose and purpose not in PURPOSES:
        raise BadLine(f"“purpose” must be one of {', '.join(PURPOSES)}, or left out.")
    has_earlier = bool(earlier) and purpose != "adjudication"
    if skipped and (
        has_earlier or item.get("answer") is not None or item.get("seconds") is not None
    ):
        raise BadLine("What was skipped has no answer.")
    for one in earlier:
        _refuse_unknown(one, EARLIER, "An earlier answer")
    given = earlier if skipped else [*earlier, item]
    # Repeats stand apart from the rounds, which are counted from 1.
    first = 0 if purpose == "repeat" else 1
    round = _whole_number(item, "round", least=first)
    return AnnotationLine(
        annotator=annotator,
        answers=[_answer(one, refs) for one in given],
        shown=_shown(item, refs),
        skipped_at=_moment(item) if skipped else None,
        skip_reason=_text(item, "reason", length=SKIP_REASON_LENGTH) if skipped else "",
        is_taken_back=skipped and bool(earlier),
        guideline=guideline,
        purpose=purpose,
        round=1 if round is None else round,
    )


def _answer(item: Record, refs: set[str]) -> AnswerLine:
    answer = _object(item, "answer")
    if answer is None:
        raise BadLine("An annotation needs an “answer”, or must say that it was skipped.")
    seconds = item.get("seconds")
    if seconds is not None and not (_is_number(seconds) and isfinite(seconds) and seconds >= 0):
        raise BadLine("“seconds” must be a number, and not below 0.")
    return AnswerLine(
        answer=answer,
        shown=_shown(item, refs),
        seconds=None if seconds is None else float(seconds),
        at=_moment(item),
        reason=_text(item, "reason", length=None),
    )


def _shown(item: Record, refs: set[str]) -> list[str]:
    shown = _list_of(item, "shown", str, "texts")
    for ref in shown:
        if ref not in refs:
            raise BadLine(f"“shown” names an output “{ref[:100]}” that is not there.")
    if twin := _twin(shown):
        raise BadLine(f"“shown” names the output “{twin}” twice.")
    return shown


def _moment(item: Record) -> datetime | None:
    text = _text(item, "at", length=40)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise BadLine(f"“{text}” needs a time zone, such as Z.")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadLine(f"“{text}” is not a time such as 2026-01-02T03:04:05Z.") from None


def _tags(record: Record) -> list[str]:
    tags = _list_of(record, "tags", str, "texts")
    if any(not 1 <= len(tag) <= 100 for tag in tags):
        raise BadLine("A tag has 1 to 100 characters.")
    return tags


def _text(item: Record, name: str, *, length: int | None = NAME_LENGTH) -> str:
    value = item.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadLine(f"“{name}” must be a text.")
    if length is not None and len(value) > length:
        raise BadLine(f"“{name}” has at most {length} characters.")
    return value


def _object(item: Record, name: str) -> Record | None:
    value = item.get(name)
    if value is not None and not isinstance(value, dict):
        raise BadLine(f"“{name}” must be an object.")
    return value


def _list_of(item: Record, name: str, kind: type, words: str) -> list[Any]:
    value = item.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, kind) for one in value):
        raise BadLine(f"“{name}” must be a list of {words}.")
    return value


def _list_of_objects(item: Record, name: str) -> list[Record]:
    return _list_of(item, name, dict, "objects")


def _whole_number(item: Record, name: str, *, least: int) -> int | None:
    value = item.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= MOST_ROUNDS:
        raise BadLine(f"“{name}” must be a whole number from {least} to {MOST_ROUNDS}.")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _twin(values: list[Any]) -> Any:
    """The first value that stands there twice, or None."""
    seen = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return None


def _refuse_unknown(item: Record, known: set[str], what: str) -> None:
    for name in item:
        if name not in known:
            raise BadLine(f"{what} cannot have “{name[:100]}”; “meta” takes what else is known.")


def _refuse_odd_text(record: Record) -> None:
    """Refuse what cannot be stored or written again: NUL, half characters, endless numbers."""
    try:
        text = _encode(record)
        text.encode()
    except (UnicodeEncodeError, RecursionError, ValueError):
        _refuse_what_is_odd(record)
        raise BadLine("The line holds something that cannot be written as JSON.") from None
    suspicious = "\\u0000" in text or LONG_NUMBER.search(text)
    if suspicious or text.count("[") + text.count("{") > DEEPEST:
        _refuse_what_is_odd(record)


def _refuse_what_is_odd(record: Record) -> None:
    stack: list[tuple[Any, int]] = [(record, 0)]
    while stack:
        value, depth = stack.pop()
        if isinstance(value, str):
            if "\x00" in value:
                raise BadLine("A text holds a NUL character, which cannot be stored.")
            if not value.isascii() and not _is_whole(value):
                raise BadLine("A text holds half of a character (a lone surrogate).")
        elif isinstance(value, dict | list):
            if depth == DEEPEST:
                raise BadLine(f"The line is nested deeper than {DEEPEST} levels.")
            stack.extend((inner, depth + 1) for inner in value)
            if isinstance(value, dict):
                stack.extend((inner, depth + 1) for inner in value.values())
        elif isinstance(value, int | float) and not -LARGEST < value < LARGEST:
            raise BadLine("A number is too large.")


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
