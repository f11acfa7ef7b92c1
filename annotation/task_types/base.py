from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that an answer says of an output, or of the prompt where `ref` is empty.

    A rating or a severity has a name and a level (0: not at all), a class a name and a value, a
    critique a text, and a span a place in the output's text.
    """

    name: str
    value: str = ""
    level: float | None = None
    ref: str = ""
    text: str = ""
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class NewOutput:
    """An output of the task's prompt that a person wrote."""

    text: str


@dataclass(frozen=True, slots=True)
class NewPrompt:
    """A prompt that a person wrote."""

    messages: list[dict[str, str]]
    language: str = ""
    tags: tuple[str, ...] = ()


Written = NewOutput | NewPrompt


@dataclass(frozen=True)
class NoBrief:
    """Its tasks say no more than the queue's guideline."""


class TaskType:
    """One way of asking: how an answer arrives, what is wrong with it, what it says.

    An answer names outputs by their refs (`{"tiers": [["a"], ["b", "c"]]}`); a page posts the
    positions at which it showed them. Beside its file, a task type may have a template
    (`templates/annotation/task_types/NAME.html`, whose partial `keys` lists its keys) and a script.
    """

    label: str
    family = "Other"  # beside which others it stands where a curator chooses
    about = ""  # what the person does, in a sentence
    yields = ""  # what comes of it for training
    min_outputs: int  # 0: it may be about the prompt alone
    max_outputs: int
    has_turns = False  # answered turn by turn, on a page of its own
    Options: type  # a frozen dataclass: what a curator may set on a queue
    example_answer: Answer  # a good answer about outputs "a" and "b", for tests and the API's pages
    script = ""  # the static file that knows its keys, such as "truing/desk_scales.js"
    needs_texts = False  # `problem_with_texts` is asked too
    tags_prompts = False  # prompts are tagged with what most people find

    def read(self, form: Mapping[str, str], shown: Sequence[str]) -> Answer:
        """Read an answer from the submitted form; `shown` holds the refs in the order shown.

        What the form lacks is left out: `problem_with` says so, and a draft keeps the rest.
        """
        raise NotImplementedError

    def form_of(self, answer: Answer, shown: Sequence[str]) -> dict[str, str]:
        """What the form says where this is the answer: `read` the other way round."""
        raise NotImplementedError

    def page(self, options: Any, shown: Sequence[str], form: Mapping[str, str]) -> Any:
        """What its template shows beside prompt and outputs, as plain values; often nothing."""
        return None

    def beside(self, options: Any, position: int, form: Mapping[str, str]) -> Any:
        """The same for the output at this position; its template finds it as `output.page`."""
        return None

    def problem_with(self, answer: Answer, refs: Sequence[str], options: Any) -> str:
        """Say in one sentence what is wrong with an answer; say nothing when nothing is."""
        raise NotImplementedError

    def problem_with_texts(self, answer: Answer, texts: Mapping[str, str], options: Any) -> str:
        """The same of an answer that is good so far, where it takes the outputs' texts to tell."""
        return ""

    def reason_wanted(self, answer: Answer, options: Any) -> str:
        """Ask in one sentence for the reason, where the answer must not come without one."""
        return ""

    def in_words(self, answer: Answer, shown: Sequence[str]) -> str:
        """The answer in a few words, for the person who saw the outputs numbered as shown."""
        raise NotImplementedError

    # --- what an answer is worth to those who merge answers and freeze datasets

    def comparison(self, answer: Answer, options: Any) -> Answer:
        """What the answer says of which output is better, with `tiers`; {} when it says nothing.

        Aggregators and agreement see no more of an answer than this.
        """
        return answer

    def scores(self, answer: Answer, refs: Sequence[str], options: Any) -> dict[str, float]:
        """How good each output is by this answer alone, from 0 (bad) to 1; those that it judges."""
        return dict.fromkeys(refs, 0.0) if answer.get("all_bad") else {}

    def findings(self, answer: Answer, refs: Sequence[str], options: Any) -> list[Finding]:
        """The ratings, labels, critiques and spans in an answer."""
        return []

    # --- where people write

    needs_prompt = True  # False: its tasks may come without a prompt, and with a brief
    Brief: type = NoBrief  # a frozen dataclass, as Options: what a task without a prompt wants
    prefers_written = False  # what is written is better than the output that was shown
    is_gate = False  # its answers say in `verdict` what may go into training: "accept", or not

    def problem_with_brief(self, brief: Any, options: Any) -> str:
        """Say in one sentence what is wrong with a task's brief; nothing when nothing is."""
        return ""

    @property
    def can_be_settled(self) -> bool:
        """Whether people asked the same can disagree: not where each writes a text of their own."""
        return not self.writes and not self.has_turns

    @property
    def writes(self) -> bool:
        return type(self).written is not TaskType.written

    def written(self, answer: Answer, options: Any) -> list[Written]:
        """What the answer adds to the project; it is kept together with the answer."""
        return []
