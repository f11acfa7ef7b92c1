from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from annotation.task_types.base import Answer, NewOutput, TaskType, Written
from annotation.task_types.texts import (
    LONGEST,
    in_short,
    problem_with_keys,
    problem_with_text,
    refuse_odd_limits,
    text_in,
)
from truing.options import option


@dataclass(frozen=True)
class DemonstrationOptions:
    least_characters: int = option(
        1, "How long the answer is at least.", min_value=1, max_value=LONGEST
    )
    most_characters: int = option(
        20_000, "How long the answer is at most.", min_value=1, max_value=LONGEST
    )

    def __post_init__(self) -> None:
        refuse_odd_limits(self.least_characters, self.most_characters)


class Demonstration(TaskType):
    """The ideal answer to a prompt, written by a person. The form posts `text`."""

    label = "Write the ideal answer"
    family = "Write"
    about = "Writes the answer that a model should have given."
    yields = "rows for supervised fine-tuning"
    min_outputs = 0
    max_outputs = 0
    Options = DemonstrationOptions
    example_answer = {"text": "It is **four**, as two and two make four."}
    script = "truing/desk_writing.js"

    def read(self, form: Mapping[str, str], shown: Sequence[str]) -> Answer:
        text = text_in(form, "text")
        return {"text": text} if text else {}

    def form_of(self, answer: Answer, shown: Sequence[str]) -> dict[str, str]:
        return {"text": answer["text"]} if answer.get("text") else {}

    def problem_with(
        self, answer: Answer, refs: Sequence[str], options: DemonstrationOptions
    ) -> str:
        return problem_with_keys(answer, {"text"}) or problem_with_text(
            answer.get("text", ""),
            empty="Write the answer.",
            what="The answer",
            least=options.least_characters,
            most=options.most_characters,
        )

    def in_words(self, answer: Answer, shown: Sequence[str]) -> str:
        return in_short(answer.get("text", ""))

    def comparison(self, answer: Answer, options: DemonstrationOptions) -> Answer:
        return {}

    def written(self, answer: Answer, options: DemonstrationOptions) -> list[Written]:
        return [NewOutput(answer["text"].strip())]
