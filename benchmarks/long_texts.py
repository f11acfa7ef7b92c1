"""Texts as models write them: Markdown with code, tables, formulas and lists, of any length."""

import random

SENTENCE = (
    "the quick brown fox jumps over a lazy dog at noon and nobody has ever asked it why because "
    "answers that are long and answers that are short both want a reader with time"
)
WORDS = SENTENCE.split()


def markdown(chance: random.Random, characters: int) -> str:
    """So many characters of headings, paragraphs, lists, code, tables and formulas."""
    blocks: list[str] = []
    length = 0
    while length < characters:
        kind = chance.choice([_paragraph] * 5 + [_list, _code, _table, _formula, _heading])
        blocks.append(kind(chance))
        length += len(blocks[-1]) + 2
    return "\n\n".join(blocks)[:characters]


def changed(chance: random.Random, text: str) -> str:
    """The text with one word in fifty replaced."""
    words = text.split(" ")
    return " ".join(
        chance.choice(WORDS) if word.isalpha() and chance.random() < 0.02 else word
        for word in words
    )


def _said(chance: random.Random, number: int) -> str:
    return " ".join(chance.choices(WORDS, k=number))


def _paragraph(chance: random.Random) -> str:
    bold, place = _said(chance, 2), chance.randrange(100)
    return f"{_said(chance, 40)}, **{bold}** {place}: `{_said(chance, 1)}` {_said(chance, 30)}."


def _heading(chance: random.Random) -> str:
    return f"## {_said(chance, 5).capitalize()}"


def _list(chance: random.Random) -> str:
    return "\n".join(f"- {_said(chance, 12)}" for _ in range(8))


def _code(chance: random.Random) -> str:
    lines = (
        f"    {chance.choice(WORDS)} = {chance.choice(WORDS)}({chance.randrange(1000)}, 'a text')"
        for _ in range(12)
    )
    return "```python\ndef one():\n" + "\n".join(lines) + "\n```"


def _table(chance: random.Random) -> str:
    rows = (
        f"| {_said(chance, 3)} | {chance.random():.3f} | {_said(chance, 2)} |" for _ in range(8)
    )
    return "| What | How much | Why |\n| --- | ---: | --- |\n" + "\n".join(rows)


def _formula(chance: random.Random) -> str:
    power = chance.randrange(2, 9)
    return rf"$$\sum_{{i=1}}^{{n}} \frac{{x_i^{power}}}{{\sqrt{{1 + y_i}}}} \leq \alpha_{power}$$"
