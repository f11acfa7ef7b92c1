from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotation.task_types.base import Answer, Finding, TaskType
from annotation.task_types.ratings import (
    check_aspects,
    form_of_ratings,
    problem_with_ratings,
    rating_findings,
    rating_scores,
    ratings_compared,
    ratings_in_words,
    read_ratings,
    rows_beside,
)
from annotation.task_types.texts import problem_with_keys
from truing.options import option


@dataclass(frozen=True)
class RatingOptions:
    aspects: tuple[str, ...] = option(
        ("Overall: 7",),
        "What is rated, a line each, with 2 to 11 levels: “Helpful: 7” or “Helpful: poor, fair, "
        "good”, the worst first. The order of the ratings on the first one tells which output is "
        "better.",
        min_value=1,
        max_value=12,
    )
    flags: tuple[str, ...] = option(
        (), "Questions with yes or no, a line each: “States what is not so”.", max_value=10
    )

    def __post_init__(self) -> None:
        check_aspects(self.aspects, self.flags)


class Rating(TaskType):
    """Levels and flags for each output. The form posts `rating.0.Overall`, `flag.0.NAME`..."""

    label = "Rate the outputs"
    family = "Judge"
    about = "Gives each output a level on every aspect, and answers questions with yes or no."
    yields = "ratings, preferences from their order, labels for KTO"
    min_outputs = 1
    max_outputs = 9
    Options = RatingOptions
    example_answer = {"ratings": {"a": {"Overall": 2}, "b": {"Overall": 6}}}
    script = "truing/desk_scales.js"

    def read(self, form: Mapping[str, str], shown: Sequence[str]) -> Answer:
        return read_ratings(form, shown)

    def form_of(self, answer: Answer, shown: Sequence[str]) -> dict[str, str]:
        return form_of_ratings(answer, shown)

    def beside(self, options: RatingOptions, position: int, form: Mapping[str, str]) -> Any:
        return rows_beside(options, position, form)

    def problem_with(self, answer: Answer, refs: Sequence[str], options: RatingOptions) -> str:
        problem = problem_with_keys(answer, {"ratings", "flags"})
        return problem or problem_with_ratings(answer, refs, options)

    def in_words(self, answer: Answer, shown: Sequence[str]) -> str:
        return ratings_in_words(answer, shown)

    def comparison(self, answer: Answer, options: RatingOptions) -> Answer:
        return ratings_compared(answer, options)

    def scores(
        self, answer: Answer, refs: Sequence[str], options: RatingOptions
    ) -> dict[str, float]:
        return rating_scores(answer, options)

    def findings(
        self, answer: Answer, refs: Sequence[str], options: RatingOptions
    ) -> list[Finding]:
        return rating_findings(answer, options)
