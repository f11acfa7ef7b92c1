from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from annotation.task_types.base import Answer, NewOutput, TaskType, Written
from annotation.task_types.texts import (
    LONGEST,
    in_short,
    problem_with_keys,
    problem_with_text,
    text_in,
)
from truing.options import option


@dataclass(frozen=True)
class EditOptions:
    may_stand: bool = option(False, "An output that is right already may be sent as it is.")
    most_characters: int = option(
        100_000, "How long the corrected text is at most.", min_value=1, max_value=LONGEST
    )


class Edit(TaskType):
    """An output as it should have been. The form posts `text`, which begins as the output's."""

    label = "Correct an output"
    family = "Write"
    about = "Corrects an output, with the changes shown beside it."
    yields = "rows for fine-tuning, and edited over original"
    min_outputs = 1
    max_outputs = 1
    Options = EditOptions
    example_answer = {"text": "It is four, as two and two make four."}
    script = "truing/desk_writing.js"
    needs_texts = True
    prefers_written = True

    def read(self, form: Mapping[str, str], shown: Sequence[str]) -> Answer:
        # An empty text is kept in a draft: somebody deleted all of it, and is about to go on.
        return {"text": text_in(form, "text")} if "text" in form else {}

    def form_of(self, answer: Answer, shown: Sequence[str]) -> dict[str, str]:
        return {"text": answer["text"]} if "text" in answer else {}

    def problem_with(self, answer: Answer, refs: Sequence[str], options: EditOptions) -> str:
        return problem_with_keys(answer, {"text"}) or problem_with_text(
            answer.get("text", ""),
            empty="Write what the output should have said.",
            what="The text",
            least=1,
            most=options.most_characters,
        )

    def problem_with_texts(
        self, answer: Answer, texts: Mapping[str, str], options: EditOptions
    ) -> str:
        # As a browser gives it back.
        before = {text.replace("\r\n", "\n") for text in texts.values()}
        if answer["text"] in before and not options.may_stand:
            return "Nothing is changed yet. Correct the output, or skip it."
        return ""

    def in_words(self, answer: Answer, shown: Sequence[str]) -> str:
        return in_short(answer.get("text", ""))

    def comparison(self, answer: Answer, options: EditOptions) -> Answer:
        return {}

    def written(self, answer: Answer, options: EditOptions) -> list[Written]:
        return [NewOutput(answer["text"])]
