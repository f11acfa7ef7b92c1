"""What the frame of a page needs beside Django's own tags."""

from django import template
from django.template.context import Context
from django.template.loader_tags import BLOCK_CONTEXT_KEY

register = template.Library()


@register.simple_tag(takes_context=True)
def block_again(context: Context, name: str) -> str:
    """What a block of this page says, a second time: a page's title is its heading too."""
    return context.render_context[BLOCK_CONTEXT_KEY].get_block(name).render(context)
