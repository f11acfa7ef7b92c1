from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from annotation.task_types.base import Answer, TaskType
from annotation.task_types.tiers import problem_with_tiers, tiers_in_words
from truing.options import option

GRADES = {1: "slightly better", 2: "clearly better", 3: "much better"}


@dataclass(frozen=True)
class PairwiseOptions:
    strength: bool = option(True, "Ask how much better it is: slightly, clearly or much.")
    tie: bool = option(True, "The two may be called equally good.")
    both_bad: bool = option(True, "The two may be called equally bad.")
    say_why_bad: bool = option(
        False, "Who calls both bad must say why.", label="Say why both are bad"
    )


class Pairwise(TaskType):
    """Which of two is better. The form posts `choice`: "0", "0:2" (with a strength), "tie"..."""

    label = "Choose the better of two"
    family = "Compare"
    about = "Reads two outputs and says which is better, and by how much."
    yields = "preferences with margins"
    min_outputs = 2
    max_outputs = 2
    script = "truing/desk_pairwise.js"
    Options = PairwiseOptions
    example_answer = {"tiers": [["b"], ["a"]], "strength": 2}

    def read(self, form: Mapping[str, str], shown: Sequence[str]) -> Answer:
        choice, _, strength = form.get("choice", "").partition(":")
        if choice == "tie":
            return {"tiers": [list(shown)]}
        if choice == "both_bad":
            return {"tiers": [list(shown)], "all_bad": True}
        if choice not in ("0", "1") or len(shown) != 2:
            return {}
        answer: Answer = {"tiers": [[shown[int(choice)]], [shown[1 - int(choice)]]]}
        if strength in ("1", "2", "3"):
            answer["strength"] = int(strength)
        return answer

    def form_of(self, answer: Answer, shown: Sequence[str]) -> dict[str, str]:
        tiers = answer.get("tiers", [])
        if not tiers:
            return {}
        if len(tiers) == 1:
            return {"choice": "both_bad" if answer.get("all_bad") else "tie"}
        choice = str(list(shown).index(tiers[0][0]))
        strength = answer.get("strength")
        return {"choice": f"{choice}:{strength}" if strength in GRADES else choice}

    def problem_with(self, answer: Answer, refs: Sequence[str], options: PairwiseOptions) -> str:
        incomplete = "Choose the better one, or say that they are equal."
        if problem := problem_with_tiers(answer, refs, incomplete=incomplete):
            return problem
        if len(answer["tiers"]) == 2:
            if "strength" in answer and not options.strength:
                return "How much better is not asked in this queue."
            return "Only equal outputs can both be bad." if answer.get("all_bad") else ""
        if answer.get("all_bad"):
            return "" if options.both_bad else "“Both bad” is not an answer in this queue."
        return "" if options.tie else "A tie is not an answer in this queue."

    def reason_wanted(self, answer: Answer, options: PairwiseOptions) -> str:
        bad = answer.get("all_bad") and options.say_why_bad
        return "Say why both are bad." if bad else ""

    def in_words(self, answer: Answer, shown: Sequence[str]) -> str:
        if answer.get("all_bad"):
            return "both bad"
        if len(answer.get("tiers", [])) < 2:
            return "a tie"
        grade = GRADES.get(answer.get("strength", 0), "better")
        return f"{tiers_in_words(answer, shown)[0]} is {grade}"
