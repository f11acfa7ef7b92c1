"""The whole loop as the demo turns it, and that it learns from answers, not from anything else."""

import pytest
from django.conf import settings
from django.test import override_settings

from alignment.demo.cast import Player
from alignment.demo.loop import GUIDELINE
from alignment.demo.people import Person
from alignment.demo.show import find, play, table
from alignment.models import Checkpoint, Promotion, Review
from annotation.ask import ask_all
from annotation.create_queue import create_queue
from annotation.models import Prompt, Queue
from tests.sweep import sweep


@pytest.fixture(scope="module")
def played(django_db_setup, django_db_blocker, tmp_path_factory):
    """Played once for all of these tests, in the database itself; then the table is swept."""
    folder = tmp_path_factory.mktemp("demo")
    names = ("FILES", "RUNS", "GENERATIONS", "CHECKPOINTS", "UPLOADS")
    folders = {name: folder / name.lower() for name in names}
    # What the demo sets for itself ends with this, too.
    slots = dict(settings.SLOTS)
    with (
        django_db_blocker.unblock(),
        override_settings(TRUING_HOME=folder, SLOTS=slots, **folders),
    ):
        loops = []
        shown = play(say=print, played=loops.append)
        flipped = judged_by_a_coin(loops[0])
        yield shown, flipped
        sweep()


def judged_by_a_coin(loop):
    """DPO on answers of people who look at nothing: each pair is as likely either way round."""
    blind = [
        Player(Person(player.person.name, careless=1.0), player.user)
        for player in loop.cast.annotators
    ]
    sft = Checkpoint.objects.get(project=loop.project, name="sft")
    queue = create_queue(
        loop.project, name="Coins", type="ranking", guideline=GUIDELINE, actor=loop.cast.curator
    )
    sets = loop.sets_of_answers(sft, loop.customers(Prompt.Split.TRAIN))
    ask_all(queue, sets)
    loop.judge(queue, blind)
    Queue.objects.filter(pk=queue.pk).update(state=Queue.State.CLOSED)
    coins = loop.freeze("coins", "preference", queues=[queue.name])
    run = loop.launch("dpo", "coins", coins, {"base": sft}, review_after=False)
    return loop.review(loop.made_by(run), against=sft)


@pytest.mark.django_db
def test_the_demo_does_what_it_is_there_to_show(played):
    shown, _ = played
    result = shown.result
    assert result["reward"]["eval_accuracy"] >= 0.85
    for name, least in (("dpo", 0.70), ("ppo", 0.65)):
        assert result[name]["win_rate"] >= least, name
        assert result[name]["rubric_win_rate"] >= least, name
        assert result[name]["interval"][0] > 0.5, name
        assert result[name]["prompts"] >= 100
    assert result["promoted"] in ("dpo", "ppo")
    assert result["annotations"] >= 400
    assert result["annotators"] >= 6
    means = result["rubric_mean"]
    assert means["base"] < means["sft"] < min(means["dpo"], means["ppo"]) <= means["best"]


@pytest.mark.django_db
def test_pairs_flipped_at_random_teach_nothing(played):
    _, review = played
    low, high = review.verdict["interval"]
    # Its 95 % interval misses the truth once in twenty times; a test must not fail so often, so
    # this one is as wide as one that misses it once in a thousand.
    wider = (high - low) / 2 * (3.29 / 1.96 - 1)
    assert low - wider <= 0.5 <= high + wider


@pytest.mark.django_db
def test_the_better_one_is_in_force_and_the_other_is_rejected(played):
    shown, _ = played
    assert Promotion.objects.in_force(shown.project).checkpoint.name == shown.result["promoted"]
    decisions = Review.objects.filter(project=shown.project).exclude(candidate__name="coins")
    assert sorted(decisions.values_list("decision", flat=True)) == ["promoted", "rejected"]


@pytest.mark.django_db
def test_a_second_demo_finds_the_first(played):
    shown, _ = played
    found = find()
    assert found.project == shown.project
    assert table(found) == table(shown)
