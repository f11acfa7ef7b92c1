"""Seconds, sizes, shares and events as people say them."""

from datetime import datetime

from django import template
from django.contrib.humanize.templatetags.humanize import NaturalTimeFormatter
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext

from truing.translated import translated

register = template.Library()

# What an event's verb says of its noun.
SAID = {
    "add": "added",
    "ask": "asked for",
    "ask_again": "asked again",
    "cancel": "cancelled",
    "close": "closed",
    "create": "created",
    "edit": "edited",
    "fail": "failed",
    "fill": "given more questions",
    "finish": "finished",
    "freeze": "frozen",
    "import": "imported",
    "launch": "launched",
    "open": "opened",
    "pause": "paused",
    "prioritise": "put in another order",
    "promote": "promoted",
    "register": "registered",
    "reject": "rejected",
    "resume": "resumed",
    "skip": "not reviewed",
    "state": "changed",
    "succeed": "finished",
}


@register.filter
def in_words(verb: str) -> str:
    """An event's verb after its label: `run.launch` is "launched"."""
    word = verb.rpartition(".")[2]
    return translated(SAID.get(word, word.replace("_", " ")))


@register.filter
def ago(at: datetime | None) -> str:
    """For instance `3 hours ago`; other languages say “hours” in another case here."""
    if at is None:
        return ""
    if (timezone.now() - at).total_seconds() < 60:
        return gettext("just now")
    since = timesince(at, depth=1, time_strings=NaturalTimeFormatter.past_substrings)
    return gettext("%(at)s ago") % {"at": since}


@register.filter
def duration(seconds: float | None) -> str:
    """For instance `12 s`, `3 min 20 s`, `5 h 10 min`, `2 d 4 h`."""
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


@register.filter
def percent(share: float | None) -> str:
    """For instance `63.5 %`."""
    if not isinstance(share, int | float):
        return ""
    return f"{share:.1%}".replace("%", "\u00a0%")


@register.filter
def in_short(number: float | None) -> str:
    """A large count: `950`, `1.6 million`, `7 billion`."""
    if not isinstance(number, int | float):
        return ""
    for size, word in ((1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if number >= size:
            return f"{number / size:.3g} {translated(word)}"
    return f"{number:g}"
