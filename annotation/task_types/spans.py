import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotation.task_types.base import Answer, Finding, TaskType
from annotation.task_types.scales import (
    NAME_LENGTH,
    Scale,
    names_in,
    problem_with_level,
)
from annotation.task_types.texts import problem_with_keys
from truing.options import option

MOST_SPANS = 500
LARGEST = 10**9
KEYS = {"output", "start", "end", "label", "severity"}


@dataclass(frozen=True)
class SpansOptions:
    labels: tuple[str, ...] = option(
        ("Wrong", "Not supported", "Badly put", "Harmful"),
        "What a stretch of an output can be, a line each.",
        min_value=1,
        max_value=9,
    )
    severities: tuple[str, ...] = option(
        ("minor", "major"),
        "How bad it is, the mildest first, a line each; none: nobody is asked.",
        max_value=5,
    )

    def __post_init__(self) -> None:
        names_in(self.labels, what="Labels")
        names_in(self.severities, what="Severities")


class Spans(TaskType):
    """Stretches of the outputs, each with a label and a severity; they may overlap.

    `start` and `end` count characters (code points) of the output's text, the end not included.
    The form posts `spans` as JSON, a list of [position, start, end, label, severity or 0], or
    `none` where there is nothing to mark.
    """

    label = "Mark stretches of the outputs"
    family = "Judge"
    about = "Marks stretches of an output, with a label and severity."
    yields = "spans and critiques"
    min_outputs = 1
    max_outputs = 9
    Options = SpansOptions
    example_answer = {
        "spans": [
            {"output": "a", "start": 6, "end": 10, "label": "Wrong", "severity": 2},
            {"output": "a", "start": 0, "end": 10, "label": "Badly put", "severity": 1},
        ]
    }
    script = "truing/desk_spans.js"
    needs_texts = True

    def read(self, form: Mapping[str, str], shown: Sequence[str]) -> Answer:
        spans = [span for one in _listed(form) if (span := _span(one, shown))]
        return {"spans": spans} if spans or form.get("none") else {}

    def form_of(self, answer: Answer, shown: Sequence[str]) -> dict[str, str]:
        if answer.get("spans") == []:
            return {"none": "on"}
        places = {ref: position for position, ref in enumerate(shown)}
        listed = [
            [places[span["output"]], span["start"], span["end"], span["label"], severity]
            for span in answer.get("spans", [])
            if span["output"] in places
            for severity in [span.get("severity", 0)]
        ]
        return {"spans": json.dumps(listed, ensure_ascii=False)} if listed else {}

    def problem_with(self, answer: Answer, refs: Sequence[str], options: SpansOptions) -> str:
        if problem := problem_with_keys(answer, {"spans"}):
            return problem
        spans = answer.get("spans")
        if spans is None:
            return "Mark something, or say that there is nothing to mark."
        if not isinstance(spans, list) or not all(isinstance(span, dict) for span in spans):
            return "“spans” must be a list of objects."
        if len(spans) > MOST_SPANS:
            return f"There may be at most {MOST_SPANS} marks."
        for place, span in enumerate(spans):
            if problem := _problem(span, refs, options):
                return problem
            if span in spans[:place]:
                return f"The mark from {span['start']} to {span['end']} is there twice."
        return ""

    def problem_with_texts(
        self, answer: Answer, texts: Mapping[str, str], options: SpansOptions
    ) -> str:
        for span in answer["spans"]:
            length = len(texts[span["output"]])
            if span["end"] > length:
                return f"A mark ends at {span['end']}, and the text has {length} characters."
        return ""

    def in_words(self, answer: Answer, shown: Sequence[str]) -> str:
        labels = Counter(span["label"] for span in answer.get("spans", []))
        return ", ".join(f"{label} ×{number}" for label, number in labels.items()) or "nothing"

    def comparison(self, answer: Answer, options: SpansOptions) -> Answer:
        return {}

    def findings(self, answer: Answer, refs: Sequence[str], options: SpansOptions) -> list[Finding]:
        return [
            Finding(
                "span",
                span["label"],
                level=float(span["severity"]) if "severity" in span else None,
                ref=span["output"],
                start=span["start"],
                end=span["end"],
            )
            for span in answer.get("spans", [])
        ]


def _listed(form: Mapping[str, str]) -> list[Any]:
    try:
        listed = json.loads(form.get("spans", "") or "[]")
    except (ValueError, RecursionError):
        return []
    return listed[: MOST_SPANS + 1] if isinstance(listed, list) else []


def _span(listed: Any, shown: Sequence[str]) -> dict[str, Any] | None:
    """A span as an answer has it; none where it is not of the form's shape."""
    match listed:
        case [int(position), int(start), int(end), str(label), int(severity)]:
            numbers = (position, start, end, severity)
        case _:
            return None
    if not all(0 <= number < LARGEST for number in numbers) or position >= len(shown):
        return None
    if not label.isprintable() or len(label) > NAME_LENGTH:
        return None
    span = {"output": shown[position], "start": start, "end": end, "label": label}
    return span | {"severity": severity} if severity else span


def _problem(span: dict[str, Any], refs: Sequence[str], options: SpansOptions) -> str:
    if unknown := sorted(set(span) - KEYS):
        return f"A mark cannot have “{unknown[0]}”."
    if span.get("output") not in refs:
        return f"There is no output “{str(span.get('output'))[:60]}” in this task."
    places = [span.get("start"), span.get("end")]
    start, *end = [at for at in places if isinstance(at, int) and not isinstance(at, bool)] or [0]
    if not end:
        return "“start” and “end” of a mark must be whole numbers."
    if not 0 <= start < end[0]:
        return "A mark must begin before it ends."
    if span.get("label") not in options.labels:
        return f"“{str(span.get('label'))[:60]}” is none of this queue's labels."
    if not options.severities:
        return "Marks have no severity in this queue." if "severity" in span else ""
    return problem_with_level(span.get("severity"), Scale("severity", options.severities))
