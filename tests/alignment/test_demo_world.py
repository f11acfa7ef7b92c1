"""The demo's world: its language, its hidden rubric and its simulated annotators."""

from collections import Counter
from random import Random
from statistics import fmean

import pytest

from alignment.demo import draw, rubric
from alignment.demo.grammar import (
    BEST,
    CHATTER,
    INSULTS,
    TOPICS,
    Manner,
    ask,
    reply,
    understand,
)
from alignment.demo.people import ANNOTATORS, REVIEWERS, Person


def user(text):
    return [{"role": "user", "content": text}]


@pytest.fixture(scope="module")
def prompts():
    return draw.prompts(1500, seed=0)


# The language


def test_every_question_is_understood_as_it_was_meant():
    question = understand("Hello. Order 47 to York has not arrived.")
    assert question.topic == "late"
    assert question.facts == {"order": "47", "days": "2"}
    assert understand("How much is the chair?").facts == {"item": "chair", "euros": "60"}
    assert understand("What is the meaning of life?") is None


def test_all_topics_come_up_and_each_prompt_once(prompts):
    assert len(set(prompts)) == len(prompts)
    topics = Counter(understand(prompt).topic for prompt in prompts)
    assert topics.keys() == TOPICS.keys()


def test_the_same_seed_draws_the_same_world(prompts):
    assert draw.prompts(1500, seed=0) == prompts
    assert draw.prompts(50, seed=1) != prompts[:50]
    taught = draw.demonstrations(prompts[:20], seed=3)
    assert taught == draw.demonstrations(prompts[:20], seed=3)


def test_no_training_text_holds_a_prompt_that_people_judge(prompts):
    kept_apart = {" ".join(prompt.casefold().split()) for prompt in prompts}
    archive = draw.transcripts(3000, seed=0, apart_from=prompts)
    taught = draw.prompts(200, seed=1, apart_from=prompts)
    turns = [talk[0]["content"] for talk in archive] + taught
    assert len(turns) == 3200
    assert not kept_apart & {" ".join(turn.casefold().split()) for turn in turns}


def test_the_archive_holds_good_and_bad_manners_alike(prompts):
    archive = draw.transcripts(1000, seed=0, apart_from=prompts)
    scores = [rubric.score(talk[:1], talk[1]["content"]) for talk in archive]
    assert sum(score == 1 for score in scores) > 50
    assert sum(score < 0.6 for score in scores) > 150
    assert sum(any(insult in talk[1]["content"] for insult in INSULTS) for talk in archive) > 250


def test_demonstrations_are_better_than_the_archive_but_not_perfect(prompts):
    taught = draw.demonstrations(prompts[:300], seed=0)
    scores = [rubric.score(talk[:1], talk[1]["content"]) for talk in taught]
    assert 0.9 < fmean(scores) < 1


# The rubric


def test_the_best_answer_scores_1_for_every_prompt(prompts):
    rng = Random(0)
    for prompt in prompts:
        best = reply(understand(prompt), BEST, rng)
        assert rubric.score(user(prompt), best) == 1, (prompt, best)


@pytest.mark.parametrize(
    "worse",
    [
        Manner(facts="wrong"),
        Manner(facts="none"),
        Manner(before="nothing"),
        Manner(after="rude"),
        Manner(chatter=2),
    ],
)
def test_every_fault_costs(prompts, worse):
    rng = Random(0)
    for prompt in prompts[:300]:
        assert rubric.score(user(prompt), reply(understand(prompt), worse, rng)) < 1


def test_a_ladder_from_nothing_to_the_best():
    prompt = user("Order 47 to York has not arrived.")
    ladder = [
        "",
        "That is your problem.",
        "Read the website. Order 47 will arrive in 9 days.",
        "Order 47 will arrive in 9 days.",
        "Not you again. Order 47 will arrive in 2 days. " + " ".join(CHATTER[:4]),
        "Order 47 will arrive in 2 days. " + " ".join(CHATTER[:4]),
        "Order 47 will arrive in 2 days.",
        "I am sorry about that. Order 47 will arrive in 2 days.",
        "I am sorry about that. Order 47 will arrive in 2 days. Have a nice day.",
    ]
    scores = [rubric.score(prompt, answer) for answer in ladder]
    assert scores == sorted(scores)
    assert scores[0] == 0
    assert scores[-1] == 1
    assert len(set(scores)) >= 7


def test_saying_everything_is_no_way_to_be_right():
    question = understand("What does the lamp cost?")
    right = rubric.facts(question, "The lamp costs 30 euros.")
    hedged = rubric.facts(question, "The lamp costs 30 euros or 40 euros.")
    elsewhere = rubric.facts(question, "The lamp costs 30 euros. Order 12 now goes to Bath.")
    assert right == 1
    assert hedged < right
    assert elsewhere < right


def test_what_is_not_of_the_language_scores_nothing():
    assert rubric.score(user("What is the meaning of life?"), "It is 42.") == 0


# The people


def pairs(prompts, seed=0):
    rng = Random(seed)
    for prompt in prompts:
        texts = [draw.answer(prompt, draw.any_manner(rng), rng) for _ in range(2)]
        if rubric.separates(user(prompt), *texts):
            yield user(prompt), texts


def agreement(person, prompts):
    """How often somebody puts first what the rubric does; ties count half."""
    rng = Random(1)
    right = []
    for prompt, texts in pairs(prompts):
        judgment = person.judge(prompt, texts, rng)
        better = max((0, 1), key=lambda place: rubric.score(prompt, texts[place]))
        right.append(0.5 if len(judgment.tiers) == 1 else float(judgment.tiers[0] == [better]))
    return fmean(right)


def test_there_are_at_least_six_annotators_and_nobody_judges_a_model_that_they_taught():
    assert len(ANNOTATORS) >= 6
    names = [person.name for person in (*ANNOTATORS, *REVIEWERS)]
    assert len(set(names)) == len(names)
    assert any(person.careless > 0.2 for person in ANNOTATORS)
    assert any(person.leans_left > 0 for person in ANNOTATORS)


def test_each_position_is_in_one_tier(prompts):
    rng = Random(0)
    for person in (*ANNOTATORS, *REVIEWERS):
        for prompt in prompts[:20]:
            texts = [draw.answer(prompt, draw.any_manner(rng), rng) for _ in range(4)]
            judgment = person.judge(user(prompt), texts, rng)
            assert sorted(place for tier in judgment.tiers for place in tier) == [0, 1, 2, 3]
            assert all(judgment.tiers)
            assert judgment.seconds > 0


def test_people_are_right_more_often_the_more_care_they_take(prompts):
    shares = {person.name: agreement(person, prompts[:600]) for person in ANNOTATORS}
    [careless] = [person.name for person in ANNOTATORS if person.careless]
    assert min(shares, key=shares.get) == careless
    assert all(share > 0.85 for name, share in shares.items() if name != careless)
    assert 0.6 < shares[careless] < 0.9


def test_reviewers_can_be_trusted(prompts):
    assert all(agreement(person, prompts[:300]) > 0.85 for person in REVIEWERS)


def test_who_looks_at_everything_calls_the_same_text_twice_a_tie():
    person = Person("Exact", noise=0)
    prompt, text = user("How much is the clock?"), "The clock costs 15 euros."
    assert person.judge(prompt, [text, text], Random(0)).tiers == [[0, 1]]
    assert person.judge(prompt, ["", text], Random(0)).tiers == [[1], [0]]


def test_one_favours_what_is_shown_further_left():
    [leaning] = [person for person in ANNOTATORS if person.leans_left]
    prompt, text = user("How much is the clock?"), "The clock costs 15 euros."
    rng = Random(0)
    first = Counter(tuple(leaning.judge(prompt, [text] * 2, rng).tiers[0]) for _ in range(300))
    assert first[(0,)] > 2 * first[(1,)]


def test_who_does_not_look_is_quick_and_takes_any_order():
    person = Person("Hasty", careless=1)
    prompt = user("How much is the clock?")
    rng = Random(0)
    judgments = [person.judge(prompt, ["", "The clock costs 15 euros."], rng) for _ in range(200)]
    assert max(judgment.seconds for judgment in judgments) <= 3
    assert 60 < sum(judgment.tiers[0] == [0] for judgment in judgments) < 140


def test_a_reason_says_what_is_wrong_with_the_last():
    person = Person("Talker", noise=0, gives_reasons=1)
    prompt = user("How much is the clock?")
    good = "Thank you for asking. The clock costs 15 euros. Have a nice day."
    for bad, reason in (
        ("The clock costs 30 euros.", "facts"),
        ("The clock costs 15 euros. Read the website.", "rude"),
        ("The clock costs 15 euros. " + " ".join(CHATTER), "rambles"),
        ("The clock costs 15 euros.", "kinder"),
        ("", "nothing"),
    ):
        assert reason in person.judge(prompt, [good, bad], Random(0)).reason


def test_the_same_chance_gives_the_same_judgment():
    texts = ["Read the website.", "I do not know.", "The clock costs 15 euros."]
    prompt = user("How much is the clock?")
    for person in ANNOTATORS:
        once, again = (person.judge(prompt, texts, Random(7)) for _ in range(2))
        assert once == again


def test_customers_never_run_out_of_words():
    rng = Random(0)
    assert len({ask(rng) for _ in range(20_000)}) > 5_000
