"""How alike two answers to one question are, from 0 to 1; nothing where they cannot be compared.

Plain values in, plain values out: it looks at the shape of an answer, so a new way of asking needs
nothing here as long as it answers in tiers, ratings, labels, spans or with a verdict.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

Answer = Mapping[str, Any]


def likeness(one: Answer, other: Answer, *, widest: float = 6) -> float | None:
    """The mean over all that both answers say; `widest` is the range of a rating."""
    found = [
        alike
        for alike in (
            _of_all_bad(one, other),
            _of_tiers(one, other),
            _of_ratings(one.get("ratings"), other.get("ratings"), widest),
            _of_labels(one.get("labels"), other.get("labels")),
            _of_verdicts(one.get("verdict"), other.get("verdict")),
            _of_spans(one.get("spans"), other.get("spans")),
        )
        if alike is not None
    ]
    return sum(found) / len(found) if found else None


def preferences(answer: Answer) -> dict[tuple[str, str], int]:
    """What an answer in tiers says of each two outputs: 1, 0 for a tie, or -1."""
    tiers = answer.get("tiers")
    if not isinstance(tiers, Sequence):
        return {}
    place = {ref: rank for rank, tier in enumerate(tiers) for ref in tier}
    return {
        (one, other): (place[one] < place[other]) - (place[one] > place[other])
        for one, other in combinations(sorted(place), 2)
    }


def _of_tiers(one: Answer, other: Answer) -> float | None:
    """The share of pairs on which both say the same; a tie is half way to a preference."""
    mine, theirs = preferences(one), preferences(other)
    shared = mine.keys() & theirs.keys()
    if not shared:
        return None
    alike = sum(1 - abs(mine[pair] - theirs[pair]) / 2 for pair in shared)
    return alike / len(shared)


def _of_all_bad(one: Answer, other: Answer) -> float | None:
    """“All bad” says something else than any order; that both say it is all that they say."""
    if not one.get("all_bad") and not other.get("all_bad"):
        return None
    return 1.0 if one.get("all_bad") and other.get("all_bad") else 0.0


def _of_verdicts(one: Any, other: Any) -> float | None:
    return None if one is None or other is None else float(one == other)


def _of_spans(one: Any, other: Any) -> float | None:
    """The share of characters that both marked alike, of those that one of them marked."""
    if not isinstance(one, list) or not isinstance(other, list):
        return None
    mine, theirs = _stretches(one), _stretches(other)
    both = either = 0
    for name in mine.keys() | theirs.keys():
        shared = _overlap(mine.get(name, []), theirs.get(name, []))
        both += shared
        either += _length(mine.get(name, [])) + _length(theirs.get(name, [])) - shared
    return both / either if either else 1.0


Stretches = list[tuple[int, int]]


def _stretches(spans: Sequence[Any]) -> dict[tuple[Any, Any], Stretches]:
    """By output and label, in their order, each character in one stretch at most."""
    found: dict[tuple[Any, Any], Stretches] = {}
    whole = [span for span in spans if _is_stretch(span)]
    for span in sorted(whole, key=lambda span: (span["start"], span["end"])):
        its = found.setdefault((span.get("output"), span.get("label")), [])
        if its and span["start"] <= its[-1][1]:
            its[-1] = (its[-1][0], max(its[-1][1], span["end"]))
        else:
            its.append((span["start"], span["end"]))
    return found


def _length(stretches: Stretches) -> int:
    return sum(end - start for start, end in stretches)


def _is_stretch(span: Any) -> bool:
    """Beside an order, programs and files may say anything."""
    if not isinstance(span, Mapping):
        return False
    ends, names = (span.get("start"), span.get("end")), (span.get("output"), span.get("label"))
    return all(isinstance(end, int) for end in ends) and all(
        name is None or isinstance(name, str) for name in names
    )


def _overlap(mine: Stretches, theirs: Stretches) -> int:
    shared = at = 0
    for start, end in mine:
        while at < len(theirs) and theirs[at][1] <= start:
            at += 1
        place = at
        while place < len(theirs) and theirs[place][0] < end:
            shared += min(end, theirs[place][1]) - max(start, theirs[place][0])
            place += 1
    return shared


def _of_ratings(one: Any, other: Any, widest: float) -> float | None:
    mine, theirs = _numbers(one), _numbers(other)
    shared = mine.keys() & theirs.keys()
    if not shared:
        return None
    apart = [min(1.0, abs(mine[name] - theirs[name]) / widest) for name in shared]
    # The ends of a scale are further apart than two guesses are: half of it is no likeness.
    return sum(max(0.0, 1 - 2 * distance) for distance in apart) / len(shared)


def _of_labels(one: Any, other: Any) -> float | None:
    """The share of labels that both have, of those that one of them has (Jaccard)."""
    if one is None or other is None:
        return None
    mine, theirs = _names(one), _names(other)
    both = mine | theirs
    return len(mine & theirs) / len(both) if both else 1.0


def _numbers(value: Any, before: str = "") -> dict[str, float]:
    if isinstance(value, bool):
        return {before: 1e9 if value else 0.0}
    if isinstance(value, int | float):
        return {before: float(value)}
    found: dict[str, float] = {}
    if isinstance(value, Mapping):
        for name, inner in value.items():
            found |= _numbers(inner, f"{before}/{name}")
    return found


def _names(value: Any, before: str = "") -> set[str]:
    if isinstance(value, Mapping):
        found: set[str] = set()
        for name, inner in value.items():
            if inner not in (None, False, "", [], {}):
                found |= _names(inner, f"{before}/{name}")
        return found
    if isinstance(value, list | tuple):
        return {name for inner in value for name in _names(inner, before)}
    return {f"{before}={value}"}
