from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotation.task_types.base import Answer, Finding, TaskType
from annotation.task_types.scales import (
    Choice,
    Row,
    Scale,
    named,
    problem_with_names,
    read_scales,
)
from annotation.task_types.texts import problem_with_keys
from truing.options import BadOption, option

CLASS = "class"
MOST_CHOICES = 40
TAG_LENGTH = 100


@dataclass(frozen=True)
class ClassifyOptions:
    questions: tuple[str, ...] = option(
        ("Topic: code, maths, writing, facts, advice, other", "Difficulty: easy, medium, hard"),
        "What is asked of each prompt, a line each: “Difficulty: easy, medium, hard”, or with any "
        "number of answers at once “Topic (several): code, maths”.",
        min_value=1,
        max_value=12,
    )

    def __post_init__(self) -> None:
        for scale in self.scales:
            for choice in choices_of(scale):
                if len(tag_of(scale.name, choice)) > TAG_LENGTH:
                    raise BadOption(f"Questions: “{scale.name}: {choice}” is too long for a tag.")

    @property
    def scales(self) -> list[Scale]:
        return read_scales(self.questions, what="Questions", most=MOST_CHOICES, several=True)


def choices_of(scale: Scale) -> list[str]:
    return [scale.word(level) for level in range(1, len(scale.levels) + 1)]


def tag_of(question: str, choice: str) -> str:
    """The tag that a prompt has when most people choose this."""
    return f"{question}:{choice}"


class Classify(TaskType):
    """What kind of prompt it is. The form posts `class.TOPIC` with the choice, or
    `class.TOPIC:CHOICE` for each of several."""

    label = "Sort prompts into classes"
    family = "Judge"
    about = "Sorts prompts: topic, intent, difficulty, or what you list."
    yields = "tags on prompts, labels"
    min_outputs = 0
    max_outputs = 0
    Options = ClassifyOptions
    example_answer = {"labels": {"Topic": ["maths"], "Difficulty": ["easy"]}}
    script = "truing/desk_scales.js"
    tags_prompts = True

    def read(self, form: Mapping[str, str], shown: Sequence[str]) -> Answer:
        labels: defaultdict[str, list[str]] = defaultdict(list)
        for name, value in named(form, CLASS):
            # A question's name has no colon.
            question, colon, choice = name.partition(":")
            chosen = choice if colon else value
            if chosen.isprintable():
                labels[question].append(chosen)
        return {"labels": dict(labels)} if labels else {}

    def form_of(self, answer: Answer, shown: Sequence[str]) -> dict[str, str]:
        form = {}
        for question, chosen in answer.get("labels", {}).items():
            if len(chosen) == 1:
                form[f"{CLASS}.{question}"] = chosen[0]
            form |= {f"{CLASS}.{question}:{choice}": "on" for choice in chosen if len(chosen) > 1}
        return form

    def page(self, options: ClassifyOptions, shown: Sequence[str], form: Mapping[str, str]) -> Any:
        return [_row(scale, form) for scale in options.scales]

    def problem_with(self, answer: Answer, refs: Sequence[str], options: ClassifyOptions) -> str:
        if problem := problem_with_keys(answer, {"labels"}):
            return problem
        labels = answer.get("labels")
        if not labels:
            return "Answer every question."
        if not isinstance(labels, dict):
            return "“labels” must be an object with a list for each question."
        scales = {scale.name: scale for scale in options.scales}
        for name, chosen in labels.items():
            if name not in scales:
                return f"“{name[:60]}” is none of this queue's questions."
            if problem := problem_with_names(chosen, choices_of(scales[name]), what=name):
                return problem
            if len(chosen) > 1 and not scales[name].several:
                return f"“{name}” has one answer only."
        missing = [name for name in scales if not labels.get(name) and not scales[name].several]
        return f"Answer every question: “{missing[0]}” is missing." if missing else ""

    def in_words(self, answer: Answer, shown: Sequence[str]) -> str:
        labels = answer.get("labels", {})
        return "; ".join(f"{name}: {', '.join(chosen)}" for name, chosen in labels.items())

    def comparison(self, answer: Answer, options: ClassifyOptions) -> Answer:
        return {}

    def findings(
        self, answer: Answer, refs: Sequence[str], options: ClassifyOptions
    ) -> list[Finding]:
        return [
            Finding(name, choice)
            for name, chosen in answer.get("labels", {}).items()
            for choice in chosen
        ]


def _row(scale: Scale, form: Mapping[str, str]) -> Row:
    field = f"{CLASS}.{scale.name}"
    chosen = form.get(field, "")
    return Row(
        scale.name,
        tuple(
            Choice(
                field=f"{field}:{choice}" if scale.several else field,
                value="on" if scale.several else choice,
                word=choice,
                checked=choice == chosen or bool(form.get(f"{field}:{choice}")),
            )
            for choice in choices_of(scale)
        ),
        several=scale.several,
    )
