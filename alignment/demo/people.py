"""The simulated annotators: how each of them judges answers, with more or less care."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from alignment.demo import rubric
from alignment.demo.grammar import INSULTS, understand


@dataclass(frozen=True)
class Judgment:
    """What somebody answered: positions as shown, best first, ties inside a tier."""

    tiers: list[list[int]]
    seconds: float
    reason: str = ""


@dataclass(frozen=True)
class Person:
    """A simulated annotator. The rubric is the taste that all share; they differ in care."""

    name: str
    noise: float = 0.05  # how far an impression is from the truth: a standard deviation
    tie_within: float = 0.04  # impressions nearer than this are called equal
    careless: float = 0.0  # the share of answers given without looking
    leans_left: float = 0.0  # what being shown further left is worth, from first to last
    seconds_a_word: float = 0.25
    gives_reasons: float = 0.0  # the share of answers with a reason

    def judge(
        self, prompt: Sequence[Mapping[str, str]], texts: Sequence[str], rng: Random
    ) -> Judgment:
        """Put these texts in order, as they are shown from left to right (or top to bottom)."""
        words = sum(len(text.split()) for text in texts)
        if rng.random() < self.careless:
            order = list(range(len(texts)))
            rng.shuffle(order)
            return Judgment([[place] for place in order], seconds=round(rng.uniform(1, 3), 1))
        seconds = round((3 + words * self.seconds_a_word) * rng.uniform(0.7, 1.6), 1)
        impressions = [self._impression(prompt, text, rng) for text in texts]
        for place in range(len(texts)):
            impressions[place] += self.leans_left * (1 - place / max(1, len(texts) - 1))
        tiers = _tiers(impressions, self.tie_within)
        reason = ""
        if rng.random() < self.gives_reasons and len(tiers) > 1:
            reason = _reason(prompt, texts[tiers[-1][0]])
        return Judgment(tiers, seconds, reason)

    def _impression(self, prompt: Sequence[Mapping[str, str]], text: str, rng: Random) -> float:
        return rubric.score(prompt, text) + rng.gauss(0, self.noise)


ANNOTATORS = (
    Person("Nadia", noise=0.02, gives_reasons=0.3),
    Person("Oskar", noise=0.04, seconds_a_word=0.35),
    Person("Priya", noise=0.05, tie_within=0.08, gives_reasons=0.1),
    Person("Quentin", noise=0.08),
    Person("Rosa", noise=0.06, leans_left=0.12),  # favours what she sees first
    Person("Stefan", noise=0.1, careless=0.35, seconds_a_word=0.1),  # wants to be done
    Person("Tamar", noise=0.04, seconds_a_word=0.3),
)
# Nobody who taught the models judges them.
REVIEWERS = (
    Person("Ulla", noise=0.03, gives_reasons=0.3),
    Person("Viktor", noise=0.05),
    Person("Wanda", noise=0.04, tie_within=0.06, gives_reasons=0.1),
    Person("Yusuf", noise=0.08, careless=0.05),
)


def _tiers(impressions: Sequence[float], tie_within: float) -> list[list[int]]:
    """Best first. Who is near the one before shares its place."""
    order = sorted(range(len(impressions)), key=lambda place: -impressions[place])
    tiers = [[order[0]]]
    for before, place in zip(order, order[1:], strict=False):
        if impressions[before] - impressions[place] < tie_within:
            tiers[-1].append(place)
        else:
            tiers.append([place])
    return [sorted(tier) for tier in tiers]


def _reason(prompt: Sequence[Mapping[str, str]], worst: str) -> str:
    """What is wrong with the answer that was put last."""
    question = understand(prompt[-1]["content"])
    if not worst.strip():
        return "The last one says nothing."
    if question is None or rubric.facts(question, worst) < 1:
        return "The last one gets the facts wrong."
    if any(insult in worst for insult in INSULTS):
        return "The last one is rude."
    if rubric.brevity(worst) < 1:
        return "The last one rambles."
    return "The last one could be kinder."
