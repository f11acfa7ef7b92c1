from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from annotation.task_types.base import Answer, TaskType
from annotation.task_types.tiers import (
    form_of_tiers,
    problem_with_tiers,
    read_tiers,
    tiers_in_words,
)
from truing.options import option


@dataclass(frozen=True)
class RankingOptions:
    tie: bool = option(True, "Outputs may share a place.")
    all_bad: bool = option(True, "All of them may be called bad.", label="All bad")
    say_why_bad: bool = option(
        False, "Who calls all of them bad must say why.", label="Say why all are bad"
    )


class Ranking(TaskType):
    """Outputs in order, best first. The form posts a place for each: `place_0`, `place_1`...

    `all_bad` says that none of them is any good; then an order is welcome, and not needed.
    """

    label = "Put the outputs in order"
    family = "Compare"
    about = "Puts two or more outputs in order; ties share a place."
    yields = "preferences, all pairs or neighbours"
    min_outputs = 2
    max_outputs = 9
    script = "truing/desk_ranking.js"
    Options = RankingOptions
    example_answer = {"tiers": [["b"], ["a"]]}

    def read(self, form: Mapping[str, str], shown: Sequence[str]) -> Answer:
        answer = read_tiers(form, shown)
        if not form.get("all_bad"):
            return answer
        # Nobody needs to put in order what is all bad: what has no place shares the last one.
        tiers = answer.get("tiers", [])
        left = [ref for ref in shown if not any(ref in tier for tier in tiers)]
        return {"tiers": [*tiers, left] if left else tiers, "all_bad": True}

    def form_of(self, answer: Answer, shown: Sequence[str]) -> dict[str, str]:
        form = form_of_tiers(answer, shown)
        return form | {"all_bad": "on"} if answer.get("all_bad") else form

    def problem_with(self, answer: Answer, refs: Sequence[str], options: RankingOptions) -> str:
        incomplete = "Give every output a place."
        if problem := problem_with_tiers(answer, refs, incomplete=incomplete):
            return problem
        if answer.get("all_bad"):
            return "" if options.all_bad else "“All bad” is not an answer in this queue."
        if not options.tie and len(answer["tiers"]) < len(refs):
            return "Outputs cannot share a place in this queue."
        return ""

    def reason_wanted(self, answer: Answer, options: RankingOptions) -> str:
        bad = answer.get("all_bad") and options.say_why_bad
        return "Say why all are bad." if bad else ""

    def in_words(self, answer: Answer, shown: Sequence[str]) -> str:
        order = tiers_in_words(answer, shown)
        if not answer.get("all_bad"):
            return order
        return f"all bad: {order}" if len(answer.get("tiers", [])) > 1 else "all bad"
