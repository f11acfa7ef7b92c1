"""What scripts say to a person, in that person's language.

A script says `truing.t("Draft saved")`. What it may say is read from the scripts themselves, and a
page in another language brings the translations along.
"""

import json
import re
from functools import cache
from pathlib import Path

from django.utils import translation
from django.utils.translation import gettext

import truing

SCRIPTS = Path(truing.__file__).parent / "static" / "truing"
_SAID = re.compile(r'\bt\(\s*("(?:[^"\\]|\\.)*")')


@cache
def said_by_scripts() -> tuple[str, ...]:
    """Every sentence of our scripts, as it is written there."""
    vendored = {"htmx.js", "sortable.js", "uplot.js"}
    files = sorted(file for file in SCRIPTS.glob("*.js") if file.name not in vendored)
    sources = (file.read_text() for file in files)
    return tuple(sorted({json.loads(said) for source in sources for said in _SAID.findall(source)}))


def words_for_scripts() -> dict[str, str]:
    """The translations of what scripts say; nothing where they say it in English anyway."""
    if (translation.get_language() or "en").startswith("en"):
        return {}
    pairs = ((said, gettext(said)) for said in said_by_scripts())
    return {said: word for said, word in pairs if word != said}
