"""What was said elsewhere, in the language of whoever reads it: `{{ row.answer|translated }}`."""

from collections.abc import Collection

from django import template

from truing.script_words import words_for_scripts
from truing.translated import translated as _translated

register = template.Library()


@register.filter
def translated(sentence: object) -> str:
    return _translated(str(sentence))


@register.filter
def translated_if(word: str, own: Collection[str]) -> str:
    """A label or a level, where it is one of our own; what a curator wrote stays as it is."""
    return _translated(word) if word in own else word


@register.filter
def spaced(name: str) -> str:
    """A stored name as it is read: `unpaired_preference` is “unpaired preference”."""
    return _translated(name.replace("_", " "))


@register.simple_tag
def script_words() -> dict[str, str]:
    return words_for_scripts()
