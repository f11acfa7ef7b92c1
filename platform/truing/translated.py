"""A sentence in the language of whoever reads it.

Verbs and plug-ins say their sentences in English and know nothing of languages; here they are found
in the catalogue as they were said, or by their pattern where they hold values: “There is no output
“b” in this task.” is said by “There is no output “{0}” in this task.”.
"""

import re
from collections.abc import Sequence
from functools import cache

from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation.trans_real import translation as catalogue_of

_PLACE = re.compile(r"\{(\d)\}")
# A sentence may hold the name of a thing, which may hold a number: no more than that is looked up.
DEPTH = 3


def translated(sentence: str) -> str:
    """The sentence in the language in force; as it is where nobody has translated it."""
    language = translation.get_language() or "en"
    if not sentence or language.startswith("en"):
        return sentence
    return _translated(sentence, language, DEPTH)


def _translated(sentence: str, language: str, depth: int) -> str:
    if (found := gettext(sentence)) != sentence or not depth:
        return found
    for parts, said in _patterns(language):
        if (values := values_in(sentence, parts)) is not None:
            return said.format(*(_translated(value, language, depth - 1) for value in values))
    return sentence


def values_in(sentence: str, parts: Sequence[str]) -> list[str] | None:
    """What stands between these parts, of which the sentence begins with the first and ends with
    the last; None where it does not.

    Each part is taken where it comes first. So it is read once, however long it is: what somebody
    sent in place of a name may stand in it, and an expression would go back and forth over that.
    """
    first, *middle, last = parts
    end = len(sentence) - len(last)
    # Of the hundreds of patterns, hardly any begins and ends as the sentence does.
    if not sentence.startswith(first) or not sentence.endswith(last) or end < len(first):
        return None
    values, start = [], len(first)
    for part in middle:
        if (found := sentence.find(part, start, end)) < 0:
            return None
        values.append(sentence[start:found])
        start = found + len(part)
    return [*values, sentence[start:end]]


@cache
def _patterns(language: str) -> list[tuple[list[str], str]]:
    catalogue = catalogue_of(language)._catalog  # type: ignore[attr-defined]
    keys = catalogue.keys()
    said = {key for key in keys if isinstance(key, str) and _PLACE.search(key)}
    # The longest first: the more of a sentence stands in its pattern, the surer it is.
    ordered = sorted(said, key=lambda key: (-len(key), key))
    return [(_PLACE.split(key)[::2], str(catalogue[key])) for key in ordered]
