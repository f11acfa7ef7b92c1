from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotation.task_types.base import Answer, Finding, TaskType
from annotation.task_types.scales import (
    box_row,
    named,
    names_in,
    problem_with_names,
)
from annotation.task_types.texts import problem_with_keys, text_in
from truing.options import option

LABEL = "label"
LONGEST = 20_000


@dataclass(frozen=True)
class CritiqueOptions:
    categories: tuple[str, ...] = option(
        ("Wrong", "Incomplete", "Beside the question", "Unclear", "Unsafe"),
        "What can be wrong with an output, a line each; none: it is said in words only.",
        max_value=20,
    )
    words: bool = option(True, "What is wrong must be said in words, too.")

    def __post_init__(self) -> None:
        names_in(self.categories, what="Categories")


class Critique(TaskType):
    """What is wrong with an output, in words and categories.

    The form posts `label.NAME` for each category, `text`, or `none` where nothing is wrong.
    """

    label = "Say what is wrong with an output"
    family = "Judge"
    about = "Picks what applies from your categories, and explains it in words."
    yields = "critiques"
    min_outputs = 1
    max_outputs = 1
    Options = CritiqueOptions
    example_answer = {"labels": ["Wrong"], "text": "It says five; four is right."}
    script = "truing/desk_scales.js"

    def read(self, form: Mapping[str, str], shown: Sequence[str]) -> Answer:
        answer: Answer = {}
        if labels := [name for name, _ in named(form, LABEL)]:
            answer["labels"] = labels
        if text := text_in(form, "text").strip():
            answer["text"] = text
        return answer or ({"labels": []} if form.get("none") else {})

    def form_of(self, answer: Answer, shown: Sequence[str]) -> dict[str, str]:
        form = {f"{LABEL}.{name}": "on" for name in answer.get("labels", [])}
        if answer.get("text"):
            form["text"] = answer["text"]
        return form or ({"none": "on"} if "labels" in answer else {})

    def page(self, options: CritiqueOptions, shown: Sequence[str], form: Mapping[str, str]) -> Any:
        if not options.categories:
            return []
        return [box_row("What is wrong?", LABEL, options.categories, form)]

    def problem_with(self, answer: Answer, refs: Sequence[str], options: CritiqueOptions) -> str:
        if problem := problem_with_keys(answer, {"labels", "text"}):
            return problem
        if not answer:
            return "Say what is wrong, or that nothing is."
        labels = answer.get("labels", [])
        if problem := problem_with_names(labels, options.categories, what="categories"):
            return problem
        text = answer.get("text", "")
        if not isinstance(text, str) or len(text) > LONGEST:
            return f"“text” must be a text of at most {LONGEST:,} characters."
        if text.strip() and options.categories and not labels:
            return "Choose what kind of mistake it is."
        if labels and options.words and not text.strip():
            return "Say in words what is wrong."
        if "labels" not in answer and not text.strip():
            return "Say what is wrong, or that nothing is."
        return ""

    def in_words(self, answer: Answer, shown: Sequence[str]) -> str:
        said = [", ".join(answer.get("labels", [])), answer.get("text", "")]
        return ": ".join(filter(None, said)) or "nothing is wrong"

    def comparison(self, answer: Answer, options: CritiqueOptions) -> Answer:
        return {}

    def findings(
        self, answer: Answer, refs: Sequence[str], options: CritiqueOptions
    ) -> list[Finding]:
        about = refs[0] if refs else ""
        found = [Finding("category", label, ref=about) for label in answer.get("labels", [])]
        if answer.get("text"):
            found.append(Finding("critique", text=answer["text"], ref=about))
        return found
