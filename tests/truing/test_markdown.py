"""Hostile text becomes harmless HTML that still shows what was written."""

import re
import time

import pytest

from truing import formula, markdown
from truing.markdown import (
    BRACKETS,
    FORMULAS_CHARACTERS,
    HIGHLIGHT_CHARACTERS,
    LONG_CHARACTERS,
    MARKDOWN_CHARACTERS,
    render_markdown,
)
from truing.rendered import ENTRY_CHARACTERS, Rendered

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\nscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "![x](javascript:alert(1))",
    '![x" onerror="alert(1)](https://evil.example/x.png)',
    "<javascript:alert(1)>",
    '```"><script>alert(1)</script>\ncode\n```',
    "```python\n</code></pre><script>alert(1)</script>\n```",
    "`<script>alert(1)</script>`",
    '[x](https://a.example "" onmouseover="alert(1)")',
    "<style>body{display:none}</style>",
    "<div style='position:fixed;inset:0'>x</div>",
    "<form action=https://evil.example><input name=password></form>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "| a |\n|---|\n| <script>alert(1)</script> |",
    "[a]: javascript:alert(1)\n\n[a]",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<base href=https://evil.example>",
    "\x00<script>alert(1)</script>",
    r"$\text{<script>alert(1)</script>}$",
    r"$\text{&lt;script&gt;alert(1)&lt;/script&gt;}$",
    r"$$\href{javascript:alert(1)}{x}$$",
    r"\(\style{position:fixed;inset:0}{x}\)",
    r"\[\class{modal}{x}\]",
    r"$\text{</mtext></math><img src=x onerror=alert(1)>}$",
    r"$\verb|<style><img src=x onerror=alert(1)>|$",
    r"$<annotation-xml encoding='text/html'><script>alert(1)</script>$",
    r"$\unknown{<iframe>}$",
    "$$\n</math><script>alert(1)</script>\n$$",
]


HARMFUL = {
    "script",
    "style",
    "img",
    "svg",
    "iframe",
    "form",
    "input",
    "meta",
    "base",
    "annotation-xml",
    "div",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_shown_and_does_nothing(attack):
    html = render_markdown(attack)
    for tag, attributes in re.findall(r"<([a-z0-9]+)([^>]*)>", html, re.IGNORECASE):
        assert tag not in HARMFUL
        names = set(re.findall(r'([\w:-]+)="', attributes))
        if tag in formula.TAGS:
            assert names <= {*formula.ATTRIBUTES, "class"}
            assert not re.search(r'class="(?!formula-)', attributes)
        else:
            assert names <= {"class", "href", "title", "rel", "target", "start", "tabindex"}
        for address in re.findall(r'href="([^"]*)"', attributes):
            assert re.match(r"https?:|mailto:", address)


def test_raw_html_is_shown_as_text():
    assert "&lt;b&gt;bold&lt;/b&gt;" in render_markdown("<b>bold</b>")


def test_an_image_is_named_and_not_loaded():
    html = render_markdown("![a cat](https://evil.example/cat.png)")
    assert "[image: a cat]" in html
    assert "evil.example" not in html


def test_a_link_opens_elsewhere_and_tells_nothing():
    html = render_markdown("[docs](https://example.org/)")
    assert 'href="https://example.org/"' in html
    assert 'rel="nofollow noopener noreferrer"' in html
    assert 'target="_blank"' in html


def test_markdown_is_rendered():
    html = render_markdown("# Title\n\n- one\n- **two**\n\n| a | b |\n|---|---|\n| 1 | 2 |")
    assert "<h1>Title</h1>" in html
    assert "<strong>two</strong>" in html
    assert "<td>2</td>" in html


def test_a_column_stands_where_its_table_says():
    html = render_markdown("| a | b |\n|---|--:|\n| 1 | 2 |")
    assert '<td align="right">2</td>' in html
    assert "<td>1</td>" in html


def test_a_single_line_break_is_kept():
    assert "<br>" in render_markdown("one\ntwo")


def test_code_is_coloured_by_its_language():
    html = render_markdown("```python\nfor x in y: pass\n```")
    assert '<span class="k">for</span>' in html


def test_code_of_an_unknown_language_is_plain():
    assert "x &lt; y" in render_markdown("```no-such-language\nx < y\n```")


def test_long_code_is_not_coloured():
    html = render_markdown("```python\n" + "x = 1\n" * HIGHLIGHT_CHARACTERS + "```")
    assert '<span class="' not in html


def test_a_very_long_text_is_shown_as_it_is():
    html = render_markdown("<b>*" * MARKDOWN_CHARACTERS)
    assert html.startswith("<pre>&lt;b&gt;*")


def test_an_empty_text_says_so():
    assert "(empty)" in render_markdown("")
    assert "white space only: 3 characters" in render_markdown(" \n ")


# --- formulas


@pytest.mark.parametrize(
    "text", ["so $x^2$ is", r"so \(x^2\) is", "$$x^2$$", r"\[x^2\]", "$$\nx^2\n$$", "- $x^2$\n- b"]
)
def test_a_formula_is_set(text):
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in render_markdown(text)


@pytest.mark.parametrize("script", ["^{-1}", "_i", "_i^2"])
def test_what_is_raised_belongs_to_all_of_a_matrix(script):
    html = formula.render_formula(rf"\begin{{pmatrix}} a & b \\ c & d \end{{pmatrix}}{script}")
    [(tag, group)] = re.findall(
        r"<(msup|msub|msubsup)><mrow>(.*?)</mtable><mo>\)</mo></mrow>", html
    )
    assert "<mo>(</mo><mtable>" in group


@pytest.mark.parametrize("text", ["$$\nx\n$$", r"\[ x \]", "> $$x$$", "a\n\n$$\nx\n+ y\n$$\n\nb"])
def test_a_formula_on_its_own_stands_alone(text):
    html = render_markdown(text)
    assert '<math display="block">' in html
    assert "<li>" not in html


@pytest.mark.parametrize(
    "text",
    ["$5 and $6", "US$5/US$6", "between $5-$10", "`$x$`", "```\n$$x$$\n```", r"\$x\$", "$ x $"],
)
def test_a_price_or_code_is_no_formula(text):
    assert "<math" not in render_markdown(text)


@pytest.mark.parametrize(
    "latex",
    [
        r"\frac{",
        "{" * 1000,
        r"\left(" * 200 + "x" + r"\right)" * 200,
        r"\begin{matrix}",
        "a_b_c",
        "^" * 50,
        "x" * (formula.FORMULA_CHARACTERS + 1),
        r"\newcommand{\a}{\b\b}\newcommand{\b}{\c\c}\a",
        r"\def\a{\a\a}\a",
    ],
)
def test_what_is_no_formula_is_shown_as_it_was_written(latex):
    html = formula.render_formula(latex)
    assert html.startswith("<code>")
    assert latex[:20].replace("&", "&amp;") in html


def test_a_formula_keeps_to_its_place():
    html = formula.render_formula(r"\hspace{9999em} \rule{99em}{99em} \color{red}{x} \boxed{42}")
    assert "9999em" not in html
    assert "height" not in html
    assert "red" not in html
    assert '<mrow class="formula-box">' in html


@pytest.mark.parametrize(
    "latex",
    [
        r"\begin{aligned} a &= b \\ c &= d \end{aligned}",
        r"\begin{pmatrix}1&2\\3&4\end{pmatrix}",
        r"\begin{cases} 1 & x>0 \\ 0 & \text{else} \end{cases}",
        r"\mathcal{L}(\theta) = -\mathbb{E}\left[\log \sigma(x)\right]",
        r"\sum_{i=1}^n \hat{x}_i \to \lim_{x \to 0} \int_0^\infty",
    ],
)
def test_what_models_write_is_set(latex):
    html = formula.render_formula(latex)
    assert html.startswith("<math")
    assert "&amp;" not in html


def test_more_formulas_than_anybody_reads_are_left_as_written():
    html = render_markdown(r"$\frac{a}{b}$ " * (FORMULAS_CHARACTERS // 5))
    assert 1000 < html.count("<math") < FORMULAS_CHARACTERS // 10
    assert "<code>\\frac{a}{b}</code>" in html


# --- long texts


def test_a_long_text_comes_in_parts_and_is_whole():
    paragraphs = [f"Paragraph {number}. " + "word " * 60 for number in range(100)]
    html = render_markdown("\n\n".join(paragraphs))
    assert html.count('<div class="reading-part">') > 3
    assert html.count("<p>") == 100
    assert [int(found) for found in re.findall(r"Paragraph (\d+)", html)] == list(range(100))


def test_a_short_text_is_one_piece():
    assert "reading-part" not in render_markdown("word " * (LONG_CHARACTERS // 10))


@pytest.mark.parametrize(
    "piece",
    [
        "$",
        "$a ",
        "\\(",
        "\\[\n",
        "$$\n",
        "$$x\n\n",
        "*a ",
        "[",
        "![",
        ">",
        "`",
        "|a",
        "_",
        "x",
        " - a\n",
    ],
)
def test_no_text_takes_long(piece):
    before = time.process_time()
    markdown._render(piece * (100_000 // len(piece)))
    assert time.process_time() - before < 4


def test_too_many_brackets_are_shown_as_they_are():
    assert render_markdown("[" * (BRACKETS + 1)).startswith("<pre>")


@pytest.mark.parametrize("times", [1, 100])
def test_a_text_is_rendered_once(monkeypatch, times):
    text = "A text that is read by three people. " * times
    first = render_markdown(text)
    monkeypatch.setattr(markdown, "_render", None)
    assert render_markdown(text) == first


def test_what_is_kept_has_room_for_so_many_characters():
    room = 2 * (ENTRY_CHARACTERS + 4)
    kept = Rendered(room)
    for number in range(5):
        kept.keep(f"text {number}", "<p>" + str(number))
    kept.keep("text 3", "<b>3")
    assert [kept.find(f"text {number}") for number in range(5)] == [
        None,
        None,
        None,
        "<b>3",
        "<p>4",
    ]
    kept.keep("wide", "x" * (room + 1))
    assert kept.find("wide") is None
    assert kept.room == room
