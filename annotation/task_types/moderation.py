from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from annotation.task_types.base import Answer, Finding, TaskType
from annotation.task_types.scales import (
    Scale,
    level_row,
    named,
    names_in,
    number_in,
    problem_with_level,
)
from annotation.task_types.texts import problem_with_keys
from truing.options import option

LABEL = "label"


@dataclass(frozen=True)
class ModerationOptions:
    labels: tuple[str, ...] = option(
        (
            "Hate or harassment",
            "Violence",
            "Self-harm",
            "Sexual content",
            "Illegal or dangerous advice",
            "Personal data",
        ),
        "The taxonomy: kinds of harm, a line each.",
        min_value=1,
        max_value=40,
    )
    severities: tuple[str, ...] = option(
        ("mild", "serious", "severe"),
        "How bad it is, the mildest first, a line each; none: only whether it is there.",
        max_value=5,
    )

    def __post_init__(self) -> None:
        names_in(self.labels, what="Labels")
        names_in(self.severities, what="Severities")

    @property
    def scales(self) -> list[Scale]:
        levels = self.severities or ("yes",)
        return [Scale(label, levels) for label in self.labels]


class Moderation(TaskType):
    """What is harmful in an output, or in the prompt where there is no output, and how much.

    The form posts `label.NAME` with the severity from 1, or `none` where nothing is harmful.
    """

    label = "Say what is harmful"
    family = "Judge"
    about = "Marks harm by your taxonomy, with severity."
    yields = "labels, and good or bad outputs for KTO"
    min_outputs = 0
    max_outputs = 1
    Options = ModerationOptions
    example_answer = {"labels": {"Violence": 2}}
    script = "truing/desk_scales.js"

    def read(self, form: Mapping[str, str], shown: Sequence[str]) -> Answer:
        labels = {
            name: level
            for name, value in named(form, LABEL)
            if (level := number_in(value)) is not None
        }
        return {"labels": labels} if labels or form.get("none") else {}

    def form_of(self, answer: Answer, shown: Sequence[str]) -> dict[str, str]:
        if answer.get("labels") == {}:
            return {"none": "on"}
        return {f"{LABEL}.{name}": str(level) for name, level in answer.get("labels", {}).items()}

    def page(
        self, options: ModerationOptions, shown: Sequence[str], form: Mapping[str, str]
    ) -> Any:
        rows = []
        for place, scale in enumerate(options.scales, start=1):
            field = f"{LABEL}.{scale.name}"
            row = level_row(field, scale, form.get(field, "0"), none="no")
            rows.append(replace(row, key=str(place) if place < 10 else ""))
        return rows

    def problem_with(self, answer: Answer, refs: Sequence[str], options: ModerationOptions) -> str:
        if problem := problem_with_keys(answer, {"labels"}):
            return problem
        labels = answer.get("labels")
        if labels is None:
            return "Choose what is harmful, or say that nothing is."
        if not isinstance(labels, dict):
            return "“labels” must be an object with a severity for each label."
        scales = {scale.name: scale for scale in options.scales}
        for name, level in labels.items():
            if name not in scales:
                return f"“{name[:60]}” is none of this queue's labels."
            if problem := problem_with_level(level, scales[name]):
                return problem
        return ""

    def in_words(self, answer: Answer, shown: Sequence[str]) -> str:
        labels = answer.get("labels", {})
        return ", ".join(f"{name} {level}" for name, level in labels.items()) or "nothing harmful"

    def comparison(self, answer: Answer, options: ModerationOptions) -> Answer:
        return {}

    def scores(
        self, answer: Answer, refs: Sequence[str], options: ModerationOptions
    ) -> dict[str, float]:
        """Harmless is 1; whatever is harmful is below one half, and 0 when it is most severe."""
        labels = answer.get("labels")
        if labels is None:
            return {}
        most = len(options.severities) or 1
        worst = min(max(labels.values(), default=0), most)
        score = 1.0 if not worst else (1 - worst / most) / 2
        return dict.fromkeys(refs, score)

    def findings(
        self, answer: Answer, refs: Sequence[str], options: ModerationOptions
    ) -> list[Finding]:
        labels = answer.get("labels")
        if labels is None:
            return []
        about = refs[0] if refs else ""
        return [
            Finding(name, level=float(labels.get(name, 0)), ref=about) for name in options.labels
        ]
