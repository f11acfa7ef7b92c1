"""A sentence in the language of whoever reads it.

Verbs and plug-ins say their sentences in English and know nothing of languages; here they are found
in the catalogue as they were said, or by their pattern where they hold values: “There is no output
“b” in this task.” is said by “There is no output “{0}” in this task.”.
"""

import re
from functools import cache

from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation.trans_real import translation as catalogue_of

_PLACE = re.compile(r"\{(\d)\}")


def translated(sentence: str) -> str:
    """The sentence in the language in force; as it is where nobody has translated it."""
    language = translation.get_language() or "en"
    if not sentence or language.startswith("en"):
        return sentence
    if (found := gettext(sentence)) != sentence:
        return found
    for begins, pattern, said in _patterns(language):
        # Of the hundreds of patterns, hardly any begins as the sentence does.
        if sentence.startswith(begins) and (match := pattern.fullmatch(sentence)):
            # What stands in it may have a translation too: the name of a thing, say.
            return said.format(*(translated(value) for value in match.groups()))
    return sentence


@cache
def _patterns(language: str) -> list[tuple[str, re.Pattern[str], str]]:
    catalogue = catalogue_of(language)._catalog  # type: ignore[attr-defined]
    pairs = []
    # The longest first: the more of a sentence stands in its pattern, the surer it is.
    for said in sorted(catalogue.keys(), key=lambda key: -len(str(key))):
        if isinstance(said, str) and _PLACE.search(said):
            parts = _PLACE.split(said)[::2]
            pattern = re.compile("(.*?)".join(map(re.escape, parts)), re.DOTALL)
            pairs.append((parts[0], pattern, str(catalogue[said])))
    return pairs
