"""How a formula in LaTeX becomes MathML, which browsers show without a script.

What the library makes of a stranger's LaTeX is a tree that may hold anything in its texts and
attributes, so it is written out here: the elements and attributes of MathML Core that formulas
need, and nothing else.
"""

import re
from html import escape, unescape
from xml.etree.ElementTree import Element

from latex2mathml.converter import Converter

# Longer and deeper ones are shown as they were written.
FORMULA_CHARACTERS = 2_000
FORMULA_DEPTH = 60

TAGS = frozenset(
    ["math", "mfrac", "mi", "mn", "mo", "mover", "mpadded", "mphantom", "mroot", "mrow", "mspace"]
    + ["msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder"]
    + ["munderover", "mmultiscripts", "mprescripts", "none"]
)
_LENGTH = r"-?\d{0,2}(\.\d{1,4})?(em|ex|px|pt|mu)"
_VALUES = {
    "accent": "true|false",
    "accentunder": "true|false",
    "display": "block|inline",
    "displaystyle": "true|false",
    "fence": "true|false",
    "form": "prefix|infix|postfix",
    "linethickness": rf"0|{_LENGTH}",
    "lspace": _LENGTH,
    "mathvariant": "normal",
    "maxsize": _LENGTH,
    "minsize": _LENGTH,
    "movablelimits": "true|false",
    "rspace": _LENGTH,
    "scriptlevel": r"[+-]?\d",
    "separator": "true|false",
    "stretchy": "true|false",
    "symmetric": "true|false",
    "width": rf"0|{_LENGTH}",
}
ATTRIBUTES = frozenset(_VALUES)
_ALLOWED = {name: re.compile(values).fullmatch for name, values in _VALUES.items()}
# A macro may use another twice, and that one another: ten lines that grow into gigabytes.
_DEFINES = re.compile(r"\\(re|provide)?newcommand|\\[egx]?def|\\let\b|\\DeclareMathOperator")


# How many parts these have. With more the library means a group: all but the last are what is
# between brackets, and the last is what is raised.
_PARTS = {"mfrac": 2, "mover": 2, "mroot": 2, "msub": 2, "msubsup": 3, "msup": 2, "munder": 2}
_PARTS |= {"munderover": 3}


# Ways to write a table that the library knows under another name only.
_ALIGNED = re.compile(r"\\(begin|end)\{(?:aligned|alignedat|gathered|split|gather\*?)\}")


def render_formula(latex: str, *, is_block: bool = False) -> str:
    """MathML of a formula, or what was written where it is none."""
    element = _element(latex, "block" if is_block else "inline")
    written = _written(element) if element is not None else None
    return f"<code>{escape(latex)}</code>" if written is None else written


def _element(latex: str, display: str) -> Element | None:
    if not latex.strip() or len(latex) > FORMULA_CHARACTERS or _DEFINES.search(latex):
        return None
    try:
        known = _ALIGNED.sub(r"\\\1{align*}", latex)
        return Converter(display=display).convert_to_element(known)
    except Exception:
        # The library raises what comes: its own errors, IndexError, RecursionError. Whatever it
        # is, this is not a formula, and a person still wants to read what was written.
        return None


def _written(element: Element, depth: int = 0) -> str | None:
    """The element as HTML; None where it is too deep."""
    if depth > FORMULA_DEPTH:
        return None
    # Its texts hold entities of the library's beside what a stranger wrote.
    inner = escape(unescape(element.text or ""))
    grouped = max(0, len(element) - _PARTS.get(element.tag, len(element)))
    for place, child in enumerate(element):
        written = _written(child, depth + 1)
        if written is None:
            return None
        if grouped and place == 0:
            written = f"<mrow>{written}"
        if grouped and place == grouped:
            written += "</mrow>"
        inner += written + escape(unescape(child.tail or ""))
    if element.get("notation") == "box":
        return f'<mrow class="formula-box">{inner}</mrow>'
    if element.tag not in TAGS:
        return f"<mrow>{inner}</mrow>"
    attributes = "".join(
        f' {name}="{escape(value)}"'
        for name, value in element.attrib.items()
        if name in _ALLOWED and _ALLOWED[name](value)
    )
    if element.get("columnalign") in ("left", "right"):
        attributes += f' class="formula-{element.get("columnalign")}"'
    return f"<{element.tag}{attributes}>{inner}</{element.tag}>"
