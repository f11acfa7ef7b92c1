from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotation.task_types.base import Answer, NewPrompt, TaskType, Written
from annotation.task_types.texts import (
    LONGEST,
    in_short,
    problem_with_keys,
    problem_with_text,
    refuse_odd_limits,
    text_in,
)
from truing.options import option

MOST_TURNS = 10
ROLES = ("user", "assistant")
LABELS = {"category": 100, "difficulty": 100}  # and how long they may be, as tags
LANGUAGE = 35


@dataclass(frozen=True)
class PromptWritingOptions:
    turns: int = option(
        1,
        "How many turns of the user a prompt has at most; what the assistant says between them "
        "is written as well.",
        min_value=1,
        max_value=MOST_TURNS,
    )
    categories: tuple[str, ...] = option(
        (), "What prompts may be about, one a line; none: nothing is asked.", max_value=100
    )
    difficulties: tuple[str, ...] = option(
        (), "How hard prompts may be, one a line; none: nothing is asked.", max_value=20
    )
    languages: tuple[str, ...] = option(
        (), "Languages such as en or de, one a line; none: nothing is asked.", max_value=100
    )
    least_characters: int = option(
        1, "How long a turn is at least.", min_value=1, max_value=LONGEST
    )
    most_characters: int = option(
        8000, "How long a turn is at most.", min_value=1, max_value=LONGEST
    )

    def __post_init__(self) -> None:
        refuse_odd_limits(self.least_characters, self.most_characters)


@dataclass(frozen=True)
class PromptBrief:
    category: str = option("", "What the prompt is about; empty: the writer chooses.")
    difficulty: str = option("", "How hard it is; empty: the writer chooses.")
    language: str = option("", "Such as en or de; empty: the writer chooses.")
    text: str = option("", "What else is wanted, in a few sentences.", label="Brief")


class PromptWriting(TaskType):
    """A new prompt. The form posts `turn_0`, `turn_1` (the assistant's) ..., and what it is."""

    label = "Write a prompt"
    family = "Write"
    about = "Writes prompts to a brief, of one turn or several."
    yields = "new prompts"
    min_outputs = 0
    max_outputs = 0
    Options = PromptWritingOptions
    Brief = PromptBrief
    example_answer = {
        "messages": [{"role": "user", "content": "Why do cats purr?"}],
        "labels": {"category": "nature", "difficulty": "easy"},
        "language": "en",
    }
    script = "truing/desk_writing.js"
    needs_prompt = False

    def read(self, form: Mapping[str, str], shown: Sequence[str]) -> Answer:
        texts = [text_in(form, f"turn_{place}") for place in range(2 * MOST_TURNS)]
        while texts and not texts[-1].strip():
            texts.pop()
        answer: Answer = {}
        if texts:
            answer["messages"] = [
                {"role": ROLES[place % 2], "content": text} for place, text in enumerate(texts)
            ]
        if labels := {name: form[name] for name in LABELS if form.get(name)}:
            answer["labels"] = labels
        if form.get("language"):
            answer["language"] = form["language"]
        return answer

    def form_of(self, answer: Answer, shown: Sequence[str]) -> dict[str, str]:
        turns = answer.get("messages", [])
        form = {f"turn_{place}": turn["content"] for place, turn in enumerate(turns)}
        form |= answer.get("labels", {})
        return form | ({"language": answer["language"]} if answer.get("language") else {})

    def page(
        self, options: PromptWritingOptions, shown: Sequence[str], form: Mapping[str, str]
    ) -> dict[str, Any]:
        """The turns, the first one alone and then two and two; what is chosen; what is given."""
        places = range(2 * options.turns - 1)
        turns = [
            {
                "name": f"turn_{place}",
                "role": ROLES[place % 2],
                "number": place + 1,
                "text": form.get(f"turn_{place}", ""),
            }
            for place in places
        ]
        choices = _choices(form, form.get("language", ""), options)
        return {
            "pairs": [turns[:1], *(turns[place : place + 2] for place in places[1::2])],
            "choices": [
                {"name": name, "label": name.capitalize(), "values": known, "chosen": chosen}
                for name, chosen, known in choices
                if known
            ],
        }

    def problem_with(
        self, answer: Answer, refs: Sequence[str], options: PromptWritingOptions
    ) -> str:
        if problem := problem_with_keys(answer, {"messages", "labels", "language"}):
            return problem
        return _problem_with_turns(answer.get("messages"), options) or _problem_with_labels(
            answer.get("labels", {}), answer.get("language", ""), options
        )

    def problem_with_brief(self, brief: PromptBrief, options: PromptWritingOptions) -> str:
        for name, given, known in _choices(vars(brief), brief.language, options):
            wanted = str(given)
            if wanted and known and wanted not in known:
                return f"The queue has no {name} “{wanted}”. It has: {', '.join(known)}."
            if len(wanted) > LABELS.get(name, LANGUAGE):
                return f"A {name} has at most {LABELS.get(name, LANGUAGE)} characters."
        return ""

    def in_words(self, answer: Answer, shown: Sequence[str]) -> str:
        turns = answer.get("messages") or [{"content": ""}]
        said = in_short(turns[-1]["content"])
        beside = [*answer.get("labels", {}).values(), answer.get("language", "")]
        return ", ".join(filter(None, [said, *beside]))

    def comparison(self, answer: Answer, options: PromptWritingOptions) -> Answer:
        return {}

    def written(self, answer: Answer, options: PromptWritingOptions) -> list[Written]:
        messages = [
            {"role": turn["role"], "content": turn["content"].strip()}
            for turn in answer["messages"]
        ]
        labels = answer.get("labels", {})
        tags = tuple(labels[name].strip() for name in LABELS if labels.get(name))
        return [NewPrompt(messages, answer.get("language", "").strip(), tags)]


def _problem_with_turns(turns: object, options: PromptWritingOptions) -> str:
    if turns in (None, []):
        return "Write the prompt."
    if not isinstance(turns, list) or not all(
        isinstance(turn, dict) and set(turn) == {"role", "content"} for turn in turns
    ):
        return "“messages” must be a list of turns, each with a role and a content."
    for place, turn in enumerate(turns):
        if turn["role"] != ROLES[place % 2]:
            return "The user and the assistant take turns, and the user begins."
        problem = problem_with_text(
            turn["content"],
            empty="Write the prompt." if len(turns) == 1 else f"Turn {place + 1} is empty.",
            what="The prompt" if len(turns) == 1 else f"Turn {place + 1}",
            least=options.least_characters if place % 2 == 0 else 1,
            most=options.most_characters,
        )
        if problem:
            return problem
    if len(turns) % 2 == 0:
        return "The last turn is the user's: write it, or take the assistant's away."
    if len(turns) > 2 * options.turns - 1:
        most = "one turn" if options.turns == 1 else f"{options.turns} turns"
        return f"The user has {most} at most."
    return ""


def _problem_with_labels(labels: object, language: object, options: PromptWritingOptions) -> str:
    if not isinstance(labels, dict) or not set(labels) <= set(LABELS):
        return f"“labels” is an object, and may have: {', '.join(LABELS)}."
    for name, said, known in _choices(labels, language, options):
        if not isinstance(said, str):
            return f"The {name} must be a text."
        if known and said not in known:
            return f"Choose a {name}: {', '.join(known)}."
        if len(said) > LABELS.get(name, LANGUAGE) or not said.isprintable():
            return f"A {name} has at most {LABELS.get(name, LANGUAGE)} characters."
    return ""


def _choices(
    labels: Mapping[str, object], language: object, options: PromptWritingOptions
) -> list[tuple[str, object, tuple[str, ...]]]:
    """The name, the value and the values that there are, of all that a prompt says of itself."""
    return [
        ("category", labels.get("category", ""), options.categories),
        ("difficulty", labels.get("difficulty", ""), options.difficulties),
        ("language", language, options.languages),
    ]
