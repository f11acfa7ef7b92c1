from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from annotation.task_types.base import Answer, TaskType
from annotation.task_types.texts import problem_with_keys
from truing.options import option

VERDICTS = {"accept": "accepted", "return": "sent back", "reject": "rejected"}


@dataclass(frozen=True)
class ValidateOptions:
    may_return: bool = option(
        True,
        "It may be sent back: whoever wrote it reads the reason, and may correct it.",
        label="Send back",
    )
    reason: bool = option(True, "Whoever sends back or rejects says why.")


class Validate(TaskType):
    """Whether a prompt, or an answer to it, may go into training. The form posts `verdict`."""

    label = "Accept what others wrote, or not"
    family = "Judge"
    about = "Accepts, rejects or sends back what somebody else wrote."
    yields = "a gate before training"
    min_outputs = 0
    max_outputs = 1
    Options = ValidateOptions
    example_answer = {"verdict": "accept"}
    script = "truing/desk_writing.js"
    is_gate = True

    def read(self, form: Mapping[str, str], shown: Sequence[str]) -> Answer:
        verdict = form.get("verdict", "")
        return {"verdict": verdict} if verdict in VERDICTS else {}

    def form_of(self, answer: Answer, shown: Sequence[str]) -> dict[str, str]:
        return {"verdict": answer["verdict"]} if answer.get("verdict") else {}

    def problem_with(self, answer: Answer, refs: Sequence[str], options: ValidateOptions) -> str:
        if problem := problem_with_keys(answer, {"verdict"}):
            return problem
        verdict = answer.get("verdict")
        if not isinstance(verdict, str) or verdict not in VERDICTS:
            if options.may_return:
                return "Decide: accept, send back or reject."
            return "Decide: accept or reject."
        if verdict == "return" and not options.may_return:
            return "In this queue nothing is sent back: accept or reject."
        return ""

    def reason_wanted(self, answer: Answer, options: ValidateOptions) -> str:
        if not options.reason or answer.get("verdict") == "accept":
            return ""
        if answer.get("verdict") == "return":
            return "Say what should be different, for the one who wrote it."
        return "Say why you reject it."

    def in_words(self, answer: Answer, shown: Sequence[str]) -> str:
        return VERDICTS.get(answer.get("verdict", ""), "undecided")

    def comparison(self, answer: Answer, options: ValidateOptions) -> Answer:
        return {}
