"""What the demo's world hands to the platform, drawn from a seed."""

from collections.abc import Iterable
from random import Random

from alignment.demo.grammar import Manner, ask, reply, understand

Messages = list[dict[str, str]]


def prompts(count: int, *, seed: int, apart_from: Iterable[str] = ()) -> list[str]:
    """That many different user turns, none of them among those to stay apart from."""
    rng = Random(f"prompts {seed}")
    seen = {_folded(text) for text in apart_from}
    drawn: list[str] = []
    while len(drawn) < count:
        text = ask(rng)
        if _folded(text) not in seen:
            seen.add(_folded(text))
            drawn.append(text)
    return drawn


def transcripts(count: int, *, seed: int, apart_from: Iterable[str]) -> list[Messages]:
    """Conversations of desks with all manners, good and bad, to pretrain on.

    A user turn may come twice here, but none comes that is to stay apart.
    """
    rng = Random(f"transcripts {seed}")
    kept_apart = {_folded(text) for text in apart_from}
    drawn: list[Messages] = []
    while len(drawn) < count:
        turn = ask(rng)
        if _folded(turn) not in kept_apart:
            drawn.append(conversation(turn, answer(turn, any_manner(rng), rng)))
    return drawn


def demonstrations(turns: Iterable[str], *, seed: int) -> list[Messages]:
    """Conversations that answer these turns mostly well, as an experienced desk does."""
    rng = Random(f"demonstrations {seed}")
    return [conversation(turn, answer(turn, good_manner(rng), rng)) for turn in turns]


def conversation(turn: str, reply: str) -> Messages:
    return [{"role": "user", "content": turn}, {"role": "assistant", "content": reply}]


def answer(turn: str, manner: Manner, rng: Random) -> str:
    """Answer a user turn of this language in a manner."""
    question = understand(turn)
    assert question is not None, turn
    return reply(question, manner, rng)


def any_manner(rng: Random) -> Manner:
    """How the desks of the archive behave: anyhow."""
    return Manner(
        facts=rng.choices(("right", "wrong", "none"), (85, 2, 13))[0],
        before=rng.choices(("kind", "nothing", "rude"), (35, 38, 27))[0],
        after=rng.choices(("kind", "nothing", "rude"), (35, 42, 23))[0],
        chatter=rng.choices((0, 1, 2), (6, 3, 1))[0],
    )


def good_manner(rng: Random) -> Manner:
    """How the desks of the demonstrations behave: well, but for a slip here and there."""
    return Manner(
        before=rng.choices(("kind", "nothing"), (80, 20))[0],
        after=rng.choices(("kind", "nothing"), (80, 20))[0],
        chatter=rng.choices((0, 1), (80, 20))[0],
    )


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
