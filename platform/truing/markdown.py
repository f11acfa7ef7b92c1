"""How hostile text becomes HTML: Markdown is rendered, code is coloured, formulas are set, and all
of it sanitised.

What a model or a stranger wrote is shown as it is: raw HTML appears as text, nothing is loaded
from elsewhere, nothing runs, and a link opens in a new tab that knows nothing of this one.
"""

from collections.abc import Iterator, Sequence

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from truing import formula
from truing.rendered import Rendered

# Above these, the work would grow faster than anybody reads.
MARKDOWN_CHARACTERS = 200_000
BRACKETS = 20_000
HIGHLIGHT_CHARACTERS = 20_000
FORMULAS_CHARACTERS = 40_000
# A long text comes in parts, of which a browser lays out only those that are seen.
LONG_CHARACTERS = 12_000
PART_CHARACTERS = 4_000
# What takes time to render is kept, because the next annotator reads the same.
KEPT_CHARACTERS = 20_000_000

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
    "td": {"align"},
    "th": {"align"},
    **{tag: {*formula.ATTRIBUTES, "class"} for tag in formula.TAGS},
}

_rendered = Rendered(KEPT_CHARACTERS)
# Made once: it works its whole style out, which takes longer than most code does.
_formatter = HtmlFormatter(nowrap=True)


def render_markdown(text: str) -> str:
    """HTML of a Markdown text that is safe to put into a page, whatever the text is."""
    if not text.strip():
        return '<p class="reading-empty">(empty)</p>' if not text else _white_space(text)
    html = _rendered.find(text)
    if html is None:
        html = _render(text)
        _rendered.keep(text, html)
    return html


def _render(text: str) -> str:
    if len(text) > MARKDOWN_CHARACTERS or text.count("[") > BRACKETS:
        return f"<pre>{escapeHtml(text)}</pre>"
    env: dict[str, int] = {}
    tokens = _markdown.parse(text, env)
    if len(text) < LONG_CHARACTERS:
        return _clean(_markdown.renderer.render(tokens, _markdown.options, env))
    return "".join(
        f'<div class="reading-part">{_clean(html)}</div>'
        for part in _parts(tokens)
        if (html := _markdown.renderer.render(part, _markdown.options, env))
    )


def _clean(html: str) -> str:
    return nh3.clean(
        html,
        tags={*TAGS, *formula.TAGS},
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )


def _parts(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """The blocks of a text, some together."""
    start = size = 0
    for index, token in enumerate(tokens):
        size += len(token.content)
        if size >= PART_CHARACTERS and token.level == 0 and token.nesting <= 0:
            yield tokens[start : index + 1]
            start, size = index + 1, 0
    yield tokens[start:]


def _white_space(text: str) -> str:
    return f'<p class="reading-empty">(white space only: {len(text)} characters)</p>'


def _cell(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    env: EnvType,
) -> str:
    # A style would be cleaned away.
    if style := tokens[index].attrs.pop("style", ""):
        tokens[index].attrs["align"] = str(style).removeprefix("text-align:")
    return renderer.renderToken(tokens, index, options, env)


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
        return highlight(code, lexer, _formatter)
    return escapeHtml(code)


# How formulas are written: how they begin, how they end, and whether they stand alone.
DELIMITERS = (("$$", "$$", True), ("\\[", "\\]", True), ("\\(", "\\)", False), ("$", "$", False))
BLOCKS = (("$$", "$$"), ("\\[", "\\]"))


def _formula_in_line(state: StateInline, silent: bool) -> bool:
    source, start = state.src, state.pos
    for opening, closing, is_block in DELIMITERS:
        if not source.startswith(opening, start):
            continue
        inner = start + len(opening)
        limit = min(state.posMax, inner + formula.FORMULA_CHARACTERS)
        end = source.find(closing, inner, limit)
        latex = source[inner:end]
        if (
            end < 0
            or not latex.strip()
            or (opening == "$" and not _is_no_price(source, inner, end))
        ):
            return False
        if not silent:
            token = state.push("formula", "math", 0)
            token.content, token.meta = latex, {"is_block": is_block}
        state.pos = end + len(closing)
        return True
    return False


def _is_no_price(source: str, start: int, end: int) -> bool:
    """Whether this may stand between two dollar signs: `$x$`, not `$5 and $6`."""
    latex = source[start:end]
    follows = source[end + 1 : end + 2]
    return not (latex[0].isspace() or latex[-1].isspace() or "\n" in latex or follows.isdigit())


def _formula_block(state: StateBlock, first: int, beyond: int, silent: bool) -> bool:
    if state.is_code_block(first):
        return False
    start = state.bMarks[first] + state.tShift[first]
    pair = next((pair for pair in BLOCKS if state.src.startswith(pair[0], start)), None)
    if pair is None:
        return False
    opening, closing = pair
    inner = start + len(opening)
    # The first end that is found counts, so that many beginnings are not read again and again.
    end = state.src.find(closing, inner, inner + formula.FORMULA_CHARACTERS)
    last = first
    while last < beyond and state.eMarks[last] < end:
        last += 1
    if end < 0 or last == beyond or state.src[end + len(closing) : state.eMarks[last]].strip():
        return False
    if any(state.sCount[line] < state.blkIndent for line in range(first + 1, last + 1)):
        return False
    if not silent:
        written = state.getLines(first, last + 1, state.blkIndent, False).strip()
        token = state.push("formula_block", "math", 0)
        token.block, token.map = True, [first, last + 1]
        token.content = written.removeprefix(opening).removesuffix(closing)
        token.meta = {"is_block": True}
        state.line = last + 1
    return True


def _formula(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    env: EnvType,
) -> str:
    latex = tokens[index].content
    env["formulas"] = int(env.get("formulas", 0)) + len(latex)
    if env["formulas"] > FORMULAS_CHARACTERS:
        return f"<code>{escapeHtml(latex)}</code>"
    return formula.render_formula(latex, is_block=bool(tokens[index].meta["is_block"]))


# A model's single line break is meant as one, so it is kept.
_markdown = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(
    ["table", "strikethrough"]
)
_markdown.inline.ruler.before("escape", "formula", _formula_in_line)
_markdown.block.ruler.before(
    "fence", "formula", _formula_block, {"alt": ["paragraph", "reference", "blockquote", "list"]}
)
_markdown.add_render_rule("fence", _fence)
_markdown.add_render_rule("td_open", _cell)
_markdown.add_render_rule("th_open", _cell)
_markdown.add_render_rule("image", _image)
_markdown.add_render_rule("formula", _formula)
_markdown.add_render_rule("formula_block", _formula)
