"""What differs between two versions of a guideline, word by word."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

WORDS = re.compile(r"\s+|[^\s]+")
MOST_WORDS = 20_000  # beyond, lines are compared


@dataclass(frozen=True)
class Piece:
    kind: str  # "same", "gone" or "new"
    text: str


def guideline_changes(before: str, after: str) -> list[Piece]:
    """The pieces of both texts in their order."""
    old, new = _parts(before), _parts(after)
    if len(old) + len(new) > MOST_WORDS:
        old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    pieces: list[Piece] = []
    for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces.append(Piece("same", "".join(old[i:j])))
            continue
        if i < j:
            pieces.append(Piece("gone", "".join(old[i:j])))
        if k < m:
            pieces.append(Piece("new", "".join(new[k:m])))
    return pieces


def _parts(text: str) -> list[str]:
    return WORDS.findall(text)
