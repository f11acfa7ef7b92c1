"""Whose outputs people prefer: the order, the intervals, and what is left out."""

import json
import random
from collections import defaultdict
from math import log10

import pytest
from django.core.management import call_command
from django.urls import reverse

from annotation.aggregators.base import Question, Vote
from annotation.aggregators.bradley_terry import fit
from annotation.leaderboard import Compared, leaderboard, source_in
from annotation.models import Queue
from tests import make

STRENGTH = {"best": 9.0, "middle": 3.0, "worst": 1.0}


def a_crowd(seed, questions=300):
    """Questions about two of three sources, answered by how strong those are."""
    chance = random.Random(seed)
    for number in range(questions):
        one, other = chance.sample(list(STRENGTH), k=2)
        likely = STRENGTH[one] / (STRENGTH[one] + STRENGTH[other])
        votes = []
        for annotator in range(3):
            tiers = ((0,), (1,)) if chance.random() < likely else ((1,), (0,))
            votes.append(Vote(number, annotator, tiers))
        yield Question(number, (f"p{number}/x/{one}", f"p{number}/y/{other}"), tuple(votes))


def board(questions):
    compared = Compared()
    for question in questions:
        compared.add(question)
    return compared.leaderboard()


@pytest.mark.parametrize("seed", range(3))
def test_finds_how_much_better_one_is_than_another(seed):
    best, middle, worst = board(a_crowd(seed)).standings
    assert [best.source, middle.source, worst.source] == list(STRENGTH)
    # Three times as strong is 191 points, nine times is 382; the prior takes a little.
    assert best.low - worst.high < 382 < best.high - worst.low + 40
    assert middle.score - worst.score == pytest.approx(191, abs=60)
    assert sum(one.score for one in (best, middle, worst)) == pytest.approx(3000)
    assert [one.rank for one in (best, middle, worst)] == [1, 2, 3]


def test_scores_are_the_strengths_of_the_aggregator():
    questions = list(a_crowd(5, questions=40))
    wins = defaultdict(float)
    for question in questions:
        one, other = (source_in(name) for name in question.outputs)
        for vote in question.votes:
            wins[(one, other) if vote.tiers == ((0,), (1,)) else (other, one)] += 1
    strengths = fit(wins)
    middle = sum(map(log10, strengths.values())) / len(strengths)
    for one in board(questions).standings:
        expected = 1000 + 400 * (log10(strengths[one.source]) - middle)
        assert one.score == pytest.approx(expected, abs=0.01)


def test_is_the_same_in_any_order_of_the_answers():
    questions = list(a_crowd(1))
    random.Random(2).shuffle(questions)
    assert board(questions) == board(a_crowd(1))


def test_of_very_many_sources_those_compared_most_are_ranked(monkeypatch):
    monkeypatch.setattr("annotation.leaderboard.MOST_SOURCES", 2)
    rare = Question(999, ("p/x/best", "q/y/rare"), (Vote(1, 1, ((0,), (1,))),))
    found = board([*list(a_crowd(1))[:20], rare])
    assert len(found.standings) == 2
    assert "rare" not in {one.source for one in found.standings}


def test_few_answers_are_no_rank():
    first, second = board(list(a_crowd(4))[:2]).standings[:2]
    assert first.low < second.high
    assert first.rank == second.rank == 1


def test_counts_ties_half_and_no_comparison_of_a_source_with_itself(project):
    task = make.task(project)
    make.vote(task, "a", "b", by="w1")
    make.vote(task, "ab", by="w2")
    make.vote(task, "a", "b", by="w3", all_bad=True)
    found = leaderboard(project)
    assert [(one.source, one.won, one.comparisons) for one in found.standings] == [
        ("model 0", 0.75, 2),
        ("model 1", 0.25, 2),
    ]
    assert (found.comparisons, found.questions) == (2, 1)


def test_tells_nothing_of_a_review_that_is_running(project):
    queue = make.queue(project, "Review", reserved_for="review")
    make.vote(make.task(project, queue=queue), "a", "b")
    assert leaderboard(project).standings == []
    Queue.objects.update(state="closed")
    assert len(leaderboard(project).standings) == 2


def test_the_command_the_page_and_the_api_say_the_same(project, client, rita, capsys):
    call_command("leaderboard", "--project", "demo")
    assert "Nobody has compared" in capsys.readouterr().out
    for _ in range(3):
        make.vote(make.task(project), "a", "b")
    call_command("leaderboard", "--project", "demo", "--queue", "A pairwise queue", "--json")
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    client.force_login(rita)
    answered = client.get(reverse("api_leaderboard", args=["demo"])).json()
    assert said["sources"] == answered["sources"]
    assert [one["source"] for one in answered["sources"]] == ["model 0", "model 1"]
    address = reverse("leaderboard", args=["demo"])
    assert "Counting" in client.get(address).content.decode()
    page = client.get(f"{address}?now").content.decode()
    assert "model 0" in page
    assert "3 comparisons in 3 questions" in page
    other = make.queue(project, "Empty")
    assert "Nothing is compared" in client.get(f"{address}?now&queue={other.pk}").content.decode()


def test_the_pages_queries_do_not_grow(project, client, rita, django_assert_max_num_queries):
    client.force_login(rita)
    address = reverse("leaderboard", args=["demo"]) + "?now"
    client.get(address)
    for _ in range(5):
        make.vote(make.task(project), "a", "b")
    with django_assert_max_num_queries(30) as few:
        client.get(address)
    for _ in range(25):
        make.vote(make.task(project), "a", "b")
    with django_assert_max_num_queries(len(few.captured_queries)):
        client.get(address)
