from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from annotation.task_types.base import Answer, TaskType
from annotation.task_types.tiers import problem_with_tiers, tiers_in_words
from truing.options import option

MOST_MODELS = 4


@dataclass(frozen=True)
class ChatOptions:
    endpoints: str = option(
        "",
        "Names of the endpoints that answer, with commas between them; none: all that are in use.",
    )
    at_once: int = option(
        2,
        "How many answer each turn. Of more endpoints, so many are drawn each time.",
        min_value=1,
        max_value=MOST_MODELS,
        label="Models at once",
    )
    system: str = option("", "What the models are told before the conversation begins.")
    tie: bool = option(True, "Answers may be called equally good.")
    all_bad: bool = option(True, "All answers may be called bad: none of them goes on then.")
    together: bool = option(
        False, "Show the answers only when all have come, so that speed tells nothing."
    )
    least_turns: int = option(
        1, "A chat cannot be ended before so many turns.", min_value=1, max_value=100
    )
    most_turns: int = option(20, "A chat ends after so many turns.", min_value=1, max_value=100)


class Chat(TaskType):
    """A talk with one to four models; the best answer of each turn goes on.

    A turn's answer is about that turn's outputs alone. The form posts `choice` ("0", "tie",
    "all_bad"), and `message` while the person writes.
    """

    label = "Chat with models"
    family = "Compare"
    about = "Talks with one to four models at once; the best answer of each turn goes on."
    yields = "a preference a turn, and the conversation as a tree"
    min_outputs = 0  # they are made in the chat; a file may bring a turn with its outputs
    max_outputs = MOST_MODELS
    has_turns = True
    needs_prompt = False  # but may have one: then the models answer that first
    script = "truing/desk_chat.js"
    Options = ChatOptions
    example_answer = {"tiers": [["b"], ["a"]]}

    def read(self, form: Mapping[str, str], shown: Sequence[str]) -> Answer:
        # What is being written stands in a draft; it is no part of a verdict.
        answer = verdict(form.get("choice", ""), shown)
        if message := form.get("message", "").replace("\x00", ""):
            answer["text"] = message
        return answer

    def form_of(self, answer: Answer, shown: Sequence[str]) -> dict[str, str]:
        form = {"message": answer["text"]} if answer.get("text") else {}
        tiers = answer.get("tiers")
        if not tiers:
            return form
        if answer.get("all_bad"):
            return {**form, "choice": "all_bad"}
        if len(tiers) == 1 and len(shown) > 1:
            return {**form, "choice": "tie"}
        return {**form, "choice": str(list(shown).index(tiers[0][0]))}

    def page(
        self, options: ChatOptions, shown: Sequence[str], form: Mapping[str, str]
    ) -> list[tuple[str, str]]:
        return choices(len(shown), options)

    def problem_with(self, answer: Answer, refs: Sequence[str], options: ChatOptions) -> str:
        incomplete = "Choose the best answer, or say that they are equal."
        if problem := problem_with_tiers(answer, refs, incomplete=incomplete):
            return problem
        if answer.get("all_bad"):
            if len(answer["tiers"]) > 1:
                return "Only equal outputs can all be bad."
            return "" if options.all_bad else "“All bad” is not an answer in this queue."
        if len(refs) > 1 and len(answer["tiers"]) == 1 and not options.tie:
            return "A tie is not an answer in this queue."
        return ""

    def in_words(self, answer: Answer, shown: Sequence[str]) -> str:
        if answer.get("all_bad"):
            return "all bad"
        if len(answer.get("tiers", [])) < 2:
            return "a tie" if len(shown) > 1 else "goes on"
        return tiers_in_words(answer, shown)


def choices(number: int, options: ChatOptions) -> list[tuple[str, str]]:
    """What may be said of so many answers, with words for it."""
    if number == 1:
        return [("0", "goes on"), *([("all_bad", "bad")] if options.all_bad else [])]
    found = [(str(position), f"{position + 1} is best") for position in range(number)]
    if options.tie and number:
        found.append(("tie", "equal"))
    if options.all_bad and number:
        found.append(("all_bad", "all bad"))
    return found


def verdict(choice: str, shown: Sequence[str]) -> Answer:
    """What a choice says of the outputs in the order shown: the best before the rest."""
    if choice == "tie" and shown:
        return {"tiers": [list(shown)]}
    if choice == "all_bad" and shown:
        return {"tiers": [list(shown)], "all_bad": True}
    if choice not in [str(position) for position in range(len(shown))]:
        return {}
    best = shown[int(choice)]
    rest = [ref for ref in shown if ref != best]
    return {"tiers": [[best], rest] if rest else [[best]]}
