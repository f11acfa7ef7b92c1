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
    ratings_in_words,
    read_ratings,
    rows_beside,
)
from annotation.task_types.texts import problem_with_keys
from annotation.task_types.tiers import (
    form_of_tiers,
    problem_with_tiers,
    read_tiers,
    tiers_in_words,
)
from truing.options import option


@dataclass(frozen=True)
class RateThenRankOptions:
    aspects: tuple[str, ...] = option(
        ("Overall: 7",),
        "What is rated first, a line each, with 2 to 11 levels: “Overall: 7” or “Helpful: poor, "
        "fair, good”, the worst first.",
        min_value=1,
        max_value=12,
    )
    flags: tuple[str, ...] = option(
        (
            "Does not do what was asked",
            "States what is not so",
            "Harmful or offensive",
            "Gives dangerous advice",
        ),
        "Questions with yes or no about each output, a line each.",
        max_value=10,
    )
    tie: bool = option(True, "Outputs may share a place.")

    def __post_init__(self) -> None:
        check_aspects(self.aspects, self.flags)


class RateThenRank(TaskType):
    """Each output is rated for itself, then all are put in order.

    The form posts what `rating` and `ranking` post: `rating.0.Overall`, `flag.0.NAME`, `place_0`.
    """

    label = "Rate the outputs, then put them in order"
    family = "Compare"
    about = "Rates and flags each output, then puts them in order."
    yields = "ratings, and preferences with ties"
    min_outputs = 2
    max_outputs = 9
    Options = RateThenRankOptions
    example_answer = {
        "ratings": {"a": {"Overall": 2}, "b": {"Overall": 6}},
        "flags": {"a": ["States what is not so"]},
        "tiers": [["b"], ["a"]],
    }
    script = "truing/desk_scales_ranking.js"

    def read(self, form: Mapping[str, str], shown: Sequence[str]) -> Answer:
        return read_ratings(form, shown) | read_tiers(form, shown)

    def form_of(self, answer: Answer, shown: Sequence[str]) -> dict[str, str]:
        return form_of_ratings(answer, shown) | form_of_tiers(answer, shown)

    def beside(self, options: RateThenRankOptions, position: int, form: Mapping[str, str]) -> Any:
        return rows_beside(options, position, form)

    def problem_with(
        self, answer: Answer, refs: Sequence[str], options: RateThenRankOptions
    ) -> str:
        if problem := problem_with_keys(answer, {"ratings", "flags", "tiers"}):
            return problem
        if problem := problem_with_ratings(answer, refs, options):
            return problem
        order = {"tiers": answer.get("tiers")}
        if problem := problem_with_tiers(order, refs, incomplete="Give every output a place."):
            return problem
        if not options.tie and len(answer["tiers"]) < len(refs):
            return "Outputs cannot share a place in this queue."
        return ""

    def in_words(self, answer: Answer, shown: Sequence[str]) -> str:
        order = tiers_in_words(answer, shown)
        return f"{order or 'no order'} ({ratings_in_words(answer, shown)})"

    def comparison(self, answer: Answer, options: RateThenRankOptions) -> Answer:
        return {"tiers": answer["tiers"]} if answer.get("tiers") else {}

    def scores(
        self, answer: Answer, refs: Sequence[str], options: RateThenRankOptions
    ) -> dict[str, float]:
        return rating_scores(answer, options)

    def findings(
        self, answer: Answer, refs: Sequence[str], options: RateThenRankOptions
    ) -> list[Finding]:
        return rating_findings(answer, options)
