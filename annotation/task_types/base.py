from collections.abc import Mapping, Sequence
from typing import Any

Answer = dict[str, Any]


class TaskType:
    """One way of asking: how an answer arrives, what is wrong with it, what it says.

    An answer names outputs by their refs (`{"tiers": [["a"], ["b", "c"]]}`); a page posts the
    positions at which it showed them.
    """

    label: str
    min_outputs: int
    max_outputs: int
    Options: type  # a frozen dataclass: what a curator may set on a queue
    example_answer: Answer  # a good answer about outputs "a" and "b", for tests and the API's pages

    def read(self, form: Mapping[str, str], shown: Sequence[str]) -> Answer:
        """Read an answer from the submitted form; `shown` holds the refs in the order shown.

        What the form lacks is left out: `problem_with` says so, and a draft keeps the rest.
        """
        raise NotImplementedError

    def form_of(self, answer: Answer, shown: Sequence[str]) -> dict[str, str]:
        """What the form says where this is the answer: `read` the other way round."""
        raise NotImplementedError

    def problem_with(self, answer: Answer, refs: Sequence[str], options: Any) -> str:
        """Say in one sentence what is wrong with an answer; say nothing when nothing is."""
        raise NotImplementedError

    def in_words(self, answer: Answer, shown: Sequence[str]) -> str:
        """The answer in a few words, for the person who saw the outputs numbered as shown."""
        raise NotImplementedError
