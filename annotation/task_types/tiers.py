"""What all comparative answers share: tiers, best first, and what may stand beside them."""

from collections.abc import Mapping, Sequence

from annotation.task_types.base import Answer

BESIDE = {"strength", "all_bad", "ratings", "labels", "text", "spans", "reason"}
STRONGEST = 10


def problem_with_tiers(answer: Answer, refs: Sequence[str], *, incomplete: str) -> str:
    """What is wrong with the tiers and with what stands beside them; nothing when nothing is."""
    if not isinstance(answer, dict):
        return "An answer must be an object."
    if unknown := sorted(set(answer) - BESIDE - {"tiers"}):
        return f"An answer cannot have “{unknown[0]}”."
    tiers = answer.get("tiers")
    if not tiers:
        return incomplete
    if not _is_tiers(tiers):
        return "Tiers must be a list of lists of output ids, none of them empty."
    placed = [ref for tier in tiers for ref in tier]
    for ref in placed:
        if ref not in refs:
            return f"There is no output “{ref}” in this task."
        if placed.count(ref) > 1:
            return f"Output “{ref}” stands in two places."
    if len(placed) < len(refs):
        return incomplete
    return _problem_beside(answer)


def read_tiers(form: Mapping[str, str], shown: Sequence[str]) -> Answer:
    """The tiers in a form with a place for each output: `place_0`, `place_1`..."""
    places: dict[int, list[str]] = {}
    for position, ref in enumerate(shown):
        place = form.get(f"place_{position}", "")
        if place in [str(number) for number in range(1, len(shown) + 1)]:
            places.setdefault(int(place), []).append(ref)
    return {"tiers": [places[place] for place in sorted(places)]} if places else {}


def form_of_tiers(answer: Answer, shown: Sequence[str]) -> dict[str, str]:
    return {
        f"place_{list(shown).index(ref)}": str(place)
        for place, tier in enumerate(answer.get("tiers", []), start=1)
        for ref in tier
        if ref in shown
    }


def tiers_in_words(answer: Answer, shown: Sequence[str]) -> str:
    """For instance “2 > 1 = 3”, the outputs numbered as they were shown."""
    numbers = {ref: str(position + 1) for position, ref in enumerate(shown)}
    tiers = answer.get("tiers", [])
    return " > ".join(" = ".join(sorted(numbers.get(ref, "?") for ref in tier)) for tier in tiers)


def _is_tiers(tiers: object) -> bool:
    return isinstance(tiers, list) and all(
        isinstance(tier, list) and tier and all(isinstance(ref, str) for ref in tier)
        for tier in tiers
    )


def _problem_beside(answer: Answer) -> str:
    strength = answer.get("strength")
    if strength is not None:
        number = isinstance(strength, int | float) and not isinstance(strength, bool)
        if not number or not 0 <= strength <= STRONGEST:
            return f"Strength must be a number from 0 to {STRONGEST}."
    if not isinstance(answer.get("all_bad", False), bool):
        return "“all_bad” must be true or false."
    for name, kind, words in (
        ("ratings", dict, "an object"),
        ("labels", list | dict, "a list or an object"),
        ("spans", list, "a list"),
        ("text", str, "a text"),
        ("reason", str, "a text"),
    ):
        if name in answer and not isinstance(answer[name], kind):
            return f"“{name}” must be {words}."
    return ""
