"""The demo's language: how customers ask, and how a desk answers, well or badly."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from alignment.demo import sheet

Facts = dict[str, str]

# What a customer can say of each kind of thing.
NAMED: dict[str, tuple[str, ...]] = {
    "day": sheet.DAYS,
    "city": sheet.CITIES,
    "item": sheet.ITEMS,
    "payment": sheet.PAYMENTS,
    "order": tuple(str(number) for number in range(10, 60)),
}
# What a desk can say of each kind of thing that only the fact sheet knows.
HOURS, EUROS, SPANS = (
    tuple(str(value) for value in sorted(set(values)))
    for values in (
        [*sheet.OPENS.values(), *sheet.CLOSES.values()],
        [*sheet.PRICES.values(), *sheet.DELIVERY_EUROS.values()],
        [*sheet.DELIVERY_DAYS.values(), *sheet.RETURN_DAYS.values(), *sheet.REFUND_DAYS.values()],
    )
)


@dataclass(frozen=True)
class Topic:
    """One thing that customers ask about."""

    questions: tuple[str, ...]
    answers: tuple[str, ...]
    wanted: tuple[str, ...]  # the kinds of fact that a full answer states
    looked_up: tuple[str, str, dict[str, int]] | None = None  # (fact, by what, in which table)
    complaint: bool = False


TOPICS = {
    "opening": Topic(
        ("When do you open on {day}?", "What time does the shop open on {day}?"),
        ("On {day} we open at {hour}.", "The shop opens at {hour} on {day}."),
        ("day", "hour"),
        ("hour", "day", sheet.OPENS),
    ),
    "closing": Topic(
        ("When do you close on {day}?", "How late can I come on {day}?"),
        ("On {day} we close at {hour}.", "The shop closes at {hour} on {day}."),
        ("day", "hour"),
        ("hour", "day", sheet.CLOSES),
    ),
    "postage": Topic(
        ("How much is delivery to {city}?", "What do you charge to deliver to {city}?"),
        ("Delivery to {city} costs {euros} euros.", "We deliver to {city} for {euros} euros."),
        ("city", "euros"),
        ("euros", "city", sheet.DELIVERY_EUROS),
    ),
    "price": Topic(
        ("How much is the {item}?", "What does the {item} cost?"),
        ("The {item} costs {euros} euros.", "The price of the {item} is {euros} euros."),
        ("item", "euros"),
        ("euros", "item", sheet.PRICES),
    ),
    "returns": Topic(
        ("How long can I return the {item}?", "Until when may I bring back the {item}?"),
        ("You can return the {item} for {days} days.", "The {item} can come back for {days} days."),
        ("item", "days"),
        ("days", "item", sheet.RETURN_DAYS),
    ),
    "late": Topic(
        ("Order {order} to {city} has not arrived.", "Where is order {order}? I live in {city}."),
        ("Order {order} will arrive in {days} days.", "Expect order {order} in {days} days."),
        ("order", "days"),
        ("days", "city", sheet.DELIVERY_DAYS),
        complaint=True,
    ),
    "refund": Topic(
        (
            "I want a refund for order {order}. I paid by {payment}.",
            "I paid order {order} by {payment}. When is my refund here?",
        ),
        (
            "The refund for order {order} takes {days} days.",
            "Order {order} is refunded in {days} days.",
        ),
        ("order", "days"),
        ("days", "payment", sheet.REFUND_DAYS),
        complaint=True,
    ),
    "broken": Topic(
        ("The {item} in order {order} is broken.", "Order {order} came with a broken {item}."),
        ("A new {item} for order {order} is coming.", "For order {order} we send a new {item}."),
        ("order", "item"),
        complaint=True,
    ),
    "cancel": Topic(
        ("Cancel the {item} in order {order}.", "I no longer need the {item} from order {order}."),
        ("The {item} in order {order} is cancelled.", "In order {order} we cancelled the {item}."),
        ("order", "item"),
    ),
    "address": Topic(
        (
            "Send order {order} to {city} instead.",
            "I moved to {city}. Please redirect order {order}.",
        ),
        ("Order {order} now goes to {city}.", "We will send order {order} to {city}."),
        ("order", "city"),
    ),
}

NAMES = (
    *("Anna", "Ben", "Clara", "David", "Emma", "Felix", "Grace", "Henry", "Iris", "Jack"),
    *("Kate", "Leo", "Maria", "Noah", "Olga", "Paul", "Rosa", "Sam", "Tina", "Victor"),
)
GREETINGS = ("", "Hello. ", "Hi there. ", "Good morning. ", *(f"{name} here. " for name in NAMES))
ENDINGS = ("", "", " Thanks.")

THANKS = ("Thank you for writing.", "Thank you for asking.", "I am glad to help.")
SORRY = ("I am sorry about that.", "Please excuse the trouble.")
FAREWELLS = ("Have a nice day.", "Please write again any time.", "All the best to you.")
INSULTS = (
    "Not you again.",
    "Read the website.",
    "Stop wasting our time.",
    "That is your problem.",
    "How hard can it be?",
)
CHATTER = (
    "Our shop is very old.",
    "Two brothers founded it with a cart.",
    "It has rained here all week.",
    "People like our new catalogue.",
    "A good shop needs a good bell.",
)
EVASIONS = ("I do not know.", "Somebody else may know that.", "That is hard to say.")


@dataclass(frozen=True)
class Question:
    """What a customer asked, understood: the topic and what a right answer says."""

    topic: str
    facts: Facts


@dataclass(frozen=True)
class Manner:
    """How a desk answers. What it says before and after is independent, as with people:

    so a model that left out the kind word at the start still has something better to say
    than nothing, and need not unlearn to stop.
    """

    facts: str = "right"  # or "wrong", or "none"
    before: str = "kind"  # or "nothing", or "rude"
    after: str = "kind"  # or "nothing", or "rude"
    chatter: int = 0  # sentences that nobody asked for


BEST = Manner()


def ask(rng: Random) -> str:
    """Say one thing that a customer may say."""
    topic = TOPICS[rng.choice(list(TOPICS))]
    said = {kind: rng.choice(values) for kind, values in NAMED.items()}
    question = rng.choice(topic.questions).format(**said)
    return rng.choice(GREETINGS) + question + rng.choice(ENDINGS)


def understand(text: str) -> Question | None:
    """Read a customer's words back. None where they are not of this language."""
    for name, pattern in _PATTERNS:
        if found := pattern.search(text):
            topic = TOPICS[name]
            facts: Facts = found.groupdict()
            if topic.looked_up:
                kind, by, table = topic.looked_up
                facts[kind] = str(table[facts[by]])
            return Question(name, {kind: facts[kind] for kind in topic.wanted})
    return None


def reply(question: Question, manner: Manner, rng: Random) -> str:
    """Answer a question in a manner."""
    topic = TOPICS[question.topic]
    facts = dict(question.facts)
    if manner.facts == "wrong":
        kind = rng.choice(topic.wanted)
        facts[kind] = _something_else(kind, facts[kind], rng)
    core = rng.choice(EVASIONS if manner.facts == "none" else topic.answers).format(**facts)
    kind_words = SORRY if topic.complaint else THANKS
    before = {"kind": kind_words, "rude": INSULTS, "nothing": ()}[manner.before]
    after = {"kind": FAREWELLS, "rude": INSULTS, "nothing": ()}[manner.after]
    sentences = [core, *rng.sample(CHATTER, manner.chatter)]
    if before:
        sentences.insert(0, rng.choice(before))
    if after:
        sentences.append(rng.choice(after))
    return " ".join(sentences)


def _something_else(kind: str, right: str, rng: Random) -> str:
    values: Sequence[str] = {"hour": HOURS, "euros": EUROS, "days": SPANS, **NAMED}[kind]
    return rng.choice([value for value in values if value != right])


def _pattern(question: str) -> re.Pattern[str]:
    kinds = {kind: "|".join(values) for kind, values in NAMED.items()}
    parts = re.split(r"\{(\w+)\}", question)
    return re.compile(
        "".join(
            f"(?P<{part}>{kinds[part]})" if position % 2 else re.escape(part)
            for position, part in enumerate(parts)
        )
    )


_PATTERNS = [(name, _pattern(words)) for name, topic in TOPICS.items() for words in topic.questions]
