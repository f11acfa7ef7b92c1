"""How hostile text becomes HTML: Markdown is rendered, code is coloured, and all of it sanitised.

What a model or a stranger wrote is shown as it is: raw HTML appears as text, nothing is loaded
from elsewhere, nothing runs, and a link opens in a new tab that knows nothing of this one.
"""

from collections.abc import Sequence

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

# Above these, the work would grow faster than anybody reads.
MARKDOWN_CHARACTERS = 200_000
HIGHLIGHT_CHARACTERS = 20_000

TAGS = frozenset(
    ["a", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr"]
    + ["li", "ol", "p", "pre", "s", "span", "strong", "table", "tbody", "td", "th", "thead"]
    + ["tr", "ul"]
)
ATTRIBUTES = {
    "a": {"href", "title"},
    "code": {"class"},
    "ol": {"start"},
    "p": {"class"},
    "pre": {"class", "tabindex"},
    "span": {"class"},
}


def render_markdown(text: str) -> str:
    """HTML of a Markdown text that is safe to put into a page, whatever the text is."""
    if not text.strip():
        return '<p class="reading-empty">(empty)</p>' if not text else _white_space(text)
    if len(text) > MARKDOWN_CHARACTERS:
        return f"<pre>{escapeHtml(text)}</pre>"
    return nh3.clean(
        _markdown.render(text),
        tags=set(TAGS),
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )


def _white_space(text: str) -> str:
    return f'<p class="reading-empty">(white space only: {len(text)} characters)</p>'


def _fence(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    env: EnvType,
) -> str:
    words = tokens[index].info.split()
    code = _coloured(tokens[index].content, words[0] if words else "")
    # It may scroll sideways, so it can be reached by the keyboard.
    return f'<pre class="hl" tabindex="0"><code>{code}</code></pre>\n'


def _image(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    env: EnvType,
) -> str:
    # Loading it would tell another server who reads what.
    alt = renderer.renderInlineAsText(tokens[index].children, options, env)
    return f'<span class="reading-empty">[image: {escapeHtml(alt)}]</span>'


def _coloured(code: str, language: str) -> str:
    if language and len(code) <= HIGHLIGHT_CHARACTERS:
        try:
            lexer = get_lexer_by_name(language, stripnl=False)
        except ClassNotFound:
            return escapeHtml(code)
        return highlight(code, lexer, HtmlFormatter(nowrap=True))
    return escapeHtml(code)


# A model's single line break is meant as one, so it is kept.
_markdown = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(
    ["table", "strikethrough"]
)
_markdown.add_render_rule("fence", _fence)
_markdown.add_render_rule("image", _image)
