from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from annotation.task_types.base import Answer, TaskType
from annotation.task_types.tiers import problem_with_tiers, tiers_in_words
from truing.options import option


@dataclass(frozen=True)
class RankingOptions:
    tie: bool = option(True, "Outputs may share a place.")


class Ranking(TaskType):
    """Outputs in order, best first. The form posts a place for each: `place_0`, `place_1`..."""

    label = "Put the outputs in order"
    min_outputs = 2
    max_outputs = 9
    script = "truing/desk_ranking.js"
    Options = RankingOptions
    example_answer = {"tiers": [["b"], ["a"]]}

    def read(self, form: Mapping[str, str], shown: Sequence[str]) -> Answer:
        places: dict[int, list[str]] = {}
        for position, ref in enumerate(shown):
            place = form.get(f"place_{position}", "")
            if place in [str(number) for number in range(1, len(shown) + 1)]:
                places.setdefault(int(place), []).append(ref)
        return {"tiers": [places[place] for place in sorted(places)]} if places else {}

    def form_of(self, answer: Answer, shown: Sequence[str]) -> dict[str, str]:
        return {
            f"place_{list(shown).index(ref)}": str(place)
            for place, tier in enumerate(answer.get("tiers", []), start=1)
            for ref in tier
        }

    def problem_with(self, answer: Answer, refs: Sequence[str], options: RankingOptions) -> str:
        incomplete = "Give every output a place."
        if problem := problem_with_tiers(answer, refs, incomplete=incomplete):
            return problem
        if not options.tie and len(answer["tiers"]) < len(refs):
            return "Outputs cannot share a place in this queue."
        return ""

    def in_words(self, answer: Answer, shown: Sequence[str]) -> str:
        return tiers_in_words(answer, shown)
