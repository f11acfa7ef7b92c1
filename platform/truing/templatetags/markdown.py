"""Markdown in templates: `{{ text|markdown }}`."""

from django import template
from django.utils.safestring import SafeString, mark_safe

from truing.markdown import render_markdown

register = template.Library()


@register.filter(name="markdown")
def markdown(text: str | None) -> SafeString:
    """The text as sanitised HTML."""
    return mark_safe(render_markdown(text or ""))
