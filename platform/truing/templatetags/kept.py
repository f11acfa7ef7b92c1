"""Parts of a page that are the same for many: rendered once, and kept.

    {% kept slug=project.slug options=question.options %} ... {% endkept %}

What stands inside sees the values that are named, and nothing else of the page. So what was
rendered for one person shows another nothing that they would not see anyway.
"""

import itertools
import json
from typing import Any

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token, token_kwargs
from django.template.context import Context
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from truing.rendered import Rendered

KEPT_CHARACTERS = 5_000_000

register = template.Library()
_kept = Rendered(KEPT_CHARACTERS)
_numbers = itertools.count()


class Kept(template.Node):
    def __init__(self, nodelist: NodeList, values: dict[str, FilterExpression]) -> None:
        self.nodelist = nodelist
        self.values = values
        self.number = next(_numbers)

    def render(self, context: Context) -> SafeString:
        values = {name: value.resolve(context) for name, value in self.values.items()}
        # Plain values only: of anything else it could not be said whether it is the same.
        key = f"{self.number} {get_language()} {json.dumps(values)}"
        html = _kept.find(key)
        if html is None:
            html = self.nodelist.render(context.new(values))
            _kept.keep(key, html)
        return mark_safe(html)


@register.tag
def kept(parser: Parser, token: Token) -> Kept:
    words = token.split_contents()[1:]
    values: dict[str, Any] = token_kwargs(words, parser)
    if words:
        raise template.TemplateSyntaxError(f"“{words[0]}” is not a named value.")
    nodelist = parser.parse(("endkept",))
    parser.delete_first_token()
    return Kept(nodelist, values)
