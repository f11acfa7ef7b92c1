"""Hostile text becomes harmless HTML that still shows what was written."""

import re

import pytest

from truing.markdown import HIGHLIGHT_CHARACTERS, MARKDOWN_CHARACTERS, render_markdown

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
    "math",
    "div",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_shown_and_does_nothing(attack):
    html = render_markdown(attack)
    for tag, attributes in re.findall(r"<([a-z0-9]+)([^>]*)>", html, re.IGNORECASE):
        assert tag not in HARMFUL
        names = set(re.findall(r'([\w:-]+)="', attributes))
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
