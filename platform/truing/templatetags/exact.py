from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.filter
def exact(text: str) -> SafeString:
    """A text of which a page counts the characters: browsers would drop carriage returns."""
    return mark_safe(escape(text).replace("\r", "&#13;"))
