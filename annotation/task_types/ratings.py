"""What `rating` and `rate_then_rank` share: levels and flags for each output."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from annotation.task_types.base import Answer, Finding
from annotation.task_types.scales import (
    Row,
    Scale,
    box_row,
    by_position,
    level_row,
    names_in,
    number_in,
    problem_with_level,
    problem_with_names,
    read_scales,
)

RATINGS = "rating"
FLAGS = "flag"


def check_aspects(aspects: Sequence[str], flags: Sequence[str]) -> None:
    """Refuse options that cannot be asked."""
    read_scales(aspects, what="Aspects")
    names_in(flags, what="Flags")


def scales_of(options: Any) -> list[Scale]:
    return read_scales(options.aspects, what="Aspects")


def read_ratings(form: Mapping[str, str], shown: Sequence[str]) -> Answer:
    """`ratings` and `flags` as far as the form says them."""
    ratings: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for position, name, value in by_position(form, RATINGS):
        level = number_in(value)
        if position < len(shown) and level is not None:
            ratings[shown[position]][name] = level
    flags: defaultdict[str, list[str]] = defaultdict(list)
    for position, name, value in by_position(form, FLAGS):
        if position < len(shown) and value:
            flags[shown[position]].append(name)
    answer: Answer = {}
    if ratings:
        answer["ratings"] = dict(ratings)
    if flags:
        answer["flags"] = dict(flags)
    return answer


def form_of_ratings(answer: Answer, shown: Sequence[str]) -> dict[str, str]:
    places = {ref: position for position, ref in enumerate(shown)}
    form = {
        f"{RATINGS}.{places[ref]}.{name}": str(level)
        for ref, levels in answer.get("ratings", {}).items()
        if ref in places
        for name, level in levels.items()
    }
    for ref, names in answer.get("flags", {}).items():
        if ref in places:
            form |= {f"{FLAGS}.{places[ref]}.{name}": "on" for name in names}
    return form


def rows_beside(options: Any, position: int, form: Mapping[str, str]) -> list[Row]:
    """The rows under an output: its scales, then its flags."""
    rows = [
        level_row(field, scale, form.get(field, ""))
        for scale in scales_of(options)
        for field in [f"{RATINGS}.{position}.{scale.name}"]
    ]
    if options.flags:
        rows.append(box_row("What applies", f"{FLAGS}.{position}", options.flags, form))
    return rows


def problem_with_ratings(answer: Answer, refs: Sequence[str], options: Any) -> str:
    """What is wrong with the ratings and the flags of an answer; nothing when nothing is."""
    ratings = answer.get("ratings")
    if ratings is None:
        return "Rate every output."
    if problem := _problem_by_output(ratings, refs, "ratings", dict):
        return problem
    scales = {scale.name: scale for scale in scales_of(options)}
    for levels in ratings.values():
        for name, level in levels.items():
            if name not in scales:
                return f"“{name[:60]}” is none of this queue's aspects."
            if problem := problem_with_level(level, scales[name]):
                return problem
    for ref in refs:
        if missing := [name for name in scales if name not in ratings.get(ref, {})]:
            if len(refs) == 1:
                return f"Rate the output: “{missing[0]}” is missing."
            number = refs.index(ref) + 1
            return f"Rate every output: “{missing[0]}” is missing for output {number}."
    flags = answer.get("flags", {})
    if problem := _problem_by_output(flags, refs, "flags", list):
        return problem
    problems = (problem_with_names(names, options.flags, what="flags") for names in flags.values())
    return next(filter(None, problems), "")


def ratings_compared(answer: Answer, options: Any) -> Answer:
    """The order that the first aspect gives, equal ratings sharing a tier.

    The first that all outputs have: a queue's aspects may have changed since.
    """
    ratings = answer.get("ratings", {})
    if len(ratings) < 2:
        return {}
    for scale in scales_of(options):
        if all(scale.name in levels for levels in ratings.values()):
            tiers: defaultdict[int, list[str]] = defaultdict(list)
            for ref, levels in ratings.items():
                tiers[levels[scale.name]].append(ref)
            return {"tiers": [sorted(tiers[level]) for level in sorted(tiers, reverse=True)]}
    return {}


def rating_scores(answer: Answer, options: Any) -> dict[str, float]:
    """The first aspect from 0 to 1."""
    first, *_ = scales_of(options)
    steps = len(first.levels) - 1
    return {
        ref: min(1.0, (levels[first.name] - 1) / steps)
        for ref, levels in answer.get("ratings", {}).items()
        if first.name in levels
    }


def rating_findings(answer: Answer, options: Any) -> list[Finding]:
    found = [
        Finding(name, level=float(level), ref=ref)
        for ref, levels in answer.get("ratings", {}).items()
        for name, level in levels.items()
    ]
    flags = answer.get("flags", {})
    found += [
        Finding(name, level=float(name in flags.get(ref, [])), ref=ref)
        for ref in answer.get("ratings", {})
        for name in options.flags
    ]
    return found


def ratings_in_words(answer: Answer, shown: Sequence[str]) -> str:
    """For instance “1: 5, 2: 3 (Hallucinates)”; with names where an output has several levels."""
    said = []
    for position, ref in enumerate(shown, start=1):
        levels = answer.get("ratings", {}).get(ref, {})
        named = len(levels) > 1
        words = " ".join(
            f"{name} {level}" if named else str(level) for name, level in levels.items()
        )
        flags = answer.get("flags", {}).get(ref, [])
        said.append(f"{position}: {words or '–'}" + (f" ({', '.join(flags)})" if flags else ""))
    return ", ".join(said) if len(said) > 1 else "".join(said).removeprefix("1: ")


def _problem_by_output(value: Any, refs: Sequence[str], what: str, kind: type) -> str:
    if not isinstance(value, dict) or not all(isinstance(one, kind) for one in value.values()):
        words = "objects" if kind is dict else "lists"
        return f"“{what}” must be an object with {words}, one for each output."
    for ref in value:
        if ref not in refs:
            return f"There is no output “{ref[:60]}” in this task."
    return ""
