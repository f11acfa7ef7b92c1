"""How reliable annotators are, how often merged answers are right, and what commands say of it."""

import csv
import json
import random

import numpy as np
import pytest
from django.core.management import call_command
from scipy.stats import spearmanr

from annotation.accuracy import accuracy_of
from annotation.aggregators.base import Question, Vote
from annotation.aggregators.crowd.answers import Answers
from annotation.aggregators.crowd.competence import fit
from annotation.freeze import freeze
from annotation.intake import import_file
from annotation.models import Annotator, Standing
from annotation.reliability import Heard, Reliability, in_use, reliability_of
from annotation.rely import rely
from annotation.show_standing import shown, shown_to_themselves
from tests import make
from tests.real_votes import bbq_lines, questions_in
from truing.plugins import UnknownPlugin


def test_follows_the_published_competence_of_workers(shared):
    """Published with the set: MACE as its authors ran it. Dawid-Skene reaches 0.74."""
    folder = shared / "ukpconvarg1"
    with (folder / "worker_mace_competence.csv").open() as file:
        published = {row["worker"]: float(row["mace_competence"]) for row in csv.DictReader(file)}
    heard, names = Heard(), []
    for question in questions_in(folder / "feedback.jsonl.gz", names=names):
        heard.add(question)
    found = {names[who]: one for who, one in heard.reliability().items()}
    assert set(found) == set(published)
    steady = [name for name, one in found.items() if one.answers >= 20]
    assert len(steady) == 430
    ours = [found[name].reliability for name in steady]
    assert spearmanr(ours, [published[name] for name in steady]).statistic > 0.84


def crowd(seed, *, knows, units=300, labels=3, votes=6):
    """Answers by people who each know the share of them that `knows` says, and else say 0."""
    dice = random.Random(seed)
    rows = []
    for unit in range(units):
        truth = dice.randrange(labels)
        for who in dice.sample(range(len(knows)), votes):
            rows.append((unit, who, truth if dice.random() < knows[who] else 0))
    unit, who, label = (np.array(column) for column in zip(*rows, strict=True))
    return Answers(unit, who, label, units, len(knows), labels), np.full(units, labels)


@pytest.mark.parametrize("seed", range(5))
def test_finds_how_much_each_of_a_made_up_crowd_knows(seed):
    knows = [0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95] * 3
    found = fit(*crowd(seed, knows=knows))
    assert np.abs(found.knows - knows).max() < 0.2
    assert np.abs(found.knows - knows).mean() < 0.07


def comparisons(*, votes, first_is_right, ties=0.0, seed=1):
    """A crowd that is right 85 times in 100, but 8 and 9, who guess, and 10, who takes the left."""
    dice = random.Random(seed)
    for task in range(400):
        right = 0 if dice.random() < first_is_right else 1
        given = []
        for who in dice.sample(range(11), votes):
            shown = (0, 1) if dice.random() < 0.5 else (1, 0)
            knows = dice.random() < (0.85 if who < 8 else 0.5)
            best = shown[0] if who == 10 else right if knows else 1 - right
            tiers = ((0, 1),) if dice.random() < ties else ((best,), (1 - best,))
            given.append(Vote(0, who, tiers, shown=shown))
        yield Question(task, (f"{task}/old", f"{task}/new"), tuple(given))


@pytest.mark.parametrize("votes", [2, 3])
@pytest.mark.parametrize("first_is_right", [0.5, 0.8, 1.0])
def test_a_model_that_is_always_named_first_and_better_is_no_habit(votes, first_is_right):
    heard = Heard()
    for question in comparisons(votes=votes, first_is_right=first_is_right):
        heard.add(question)
    found = [one.reliability for _, one in sorted(heard.reliability().items())]
    assert min(found[:8]) > 0.25
    assert sum(found[:8]) / 8 > 0.5
    assert max(found[8:10]) < min(found[:8])


def test_ties_that_are_seldom_called_are_hardly_a_choice():
    heard = Heard()
    for question in comparisons(votes=2, first_is_right=0.5, ties=0.05):
        heard.add(question)
    found = [one.reliability for _, one in sorted(heard.reliability().items())]
    assert sum(found[:8]) / 8 > 0.4
    assert max(found[8:10]) < sum(found[:8]) / 8


def test_labels_count_as_far_as_people_use_them():
    assert in_use([30, 30, 30]) == pytest.approx(3)
    assert in_use([50, 0, 50]) == pytest.approx(2)
    assert 2 < in_use([48, 4, 48]) < 2.5
    assert in_use([9, 0, 0]) == 2


def test_who_has_few_answers_stands_near_the_mean():
    answers = [Vote(0, who, ((0,), (1,))) for who in range(5)]
    against = Vote(0, 9, ((1,), (0,)))
    heard = Heard()
    for task in range(30):
        turned = task % 2
        votes = [
            Vote(0, vote.annotator, ((1,), (0,)) if turned else ((0,), (1,))) for vote in answers
        ]
        heard.add(Question(task, ("x", "y"), (*votes, against) if task == 0 else tuple(votes)))
    found = heard.reliability()
    assert found[0].reliability > 0.85
    assert 0.4 < found[9].reliability < found[0].reliability
    assert (found[9].answers, found[9].compared) == (1, 1)


def test_answers_that_nobody_else_gave_say_nothing():
    heard = Heard()
    for task in range(40):
        heard.add(Question(task, ("x", "y"), (Vote(0, 1, ((0,), (1,))),)))
    [alone] = heard.reliability().values()
    assert alone.compared == 0
    assert alone.reliability == pytest.approx(0.5, abs=0.01)


def test_a_best_of_several_and_pairs_stand_together():
    heard = Heard()
    heard.add(Question(1, ("x", "y"), (Vote(0, 1, ((0,), (1,))), Vote(0, 2, ((0,), (1,))))))
    heard.add(
        Question(
            2, ("x", "y", "z"), (Vote(0, 1, ((2,), (0, 1))), Vote(0, 2, ((0, 1, 2),), all_bad=True))
        )
    )
    assert {who: one.answers for who, one in heard.reliability().items()} == {1: 2, 2: 2}


def test_gives_the_same_in_any_order(shared):
    questions = list(questions_in(shared / "llmfao" / "feedback.jsonl.gz"))
    found = []
    for order in (questions, random.Random(1).sample(questions, len(questions))):
        heard = Heard()
        for question in order:
            heard.add(question)
        found.append(heard.reliability())
    assert found[0] == found[1]


def test_is_of_a_project_or_of_one_queue(project):
    one, other = make.queue(project, "One"), make.queue(project, "Other")
    for queue, second in ((one, "ab"), (other, "ba")):
        task = make.task(project, queue=queue)
        make.vote(task, "a", "b", by="w1")
        make.vote(task, *second, by="w2")
    make.vote(make.task(make.project("elsewhere")), "a", "b", by="w3")
    whole = reliability_of(project)
    assert [vars_of(found) for found in whole.values()] == [(2, 2), (2, 2)]
    agreed, differed = (reliability_of(project, queue) for queue in (one, other))
    assert min(found.reliability for found in agreed.values()) > max(
        found.reliability for found in differed.values()
    )


def vars_of(found):
    assert isinstance(found, Reliability)
    return found.answers, found.compared


def test_nobody_has_any_before_there_are_votes(project):
    make.task(project)
    assert reliability_of(project) == {}


def test_a_manifest_says_how_reliable_the_people_behind_it_are(project):
    for _ in range(4):
        task = make.task(project)
        for name in ("w1", "w2", "w3"):
            make.vote(task, "a", "b", by=name)
    version = freeze(project, name="first", kind="preference", actor=None)
    said = version.manifest["reliability"]
    assert (said["model"], said["annotators"]) == ("mace", 3)
    assert 0 < said["least"] <= said["median"] <= said["most"] < 1


class TestAccuracy:
    def test_counts_what_is_decided_and_what_is_right(self, project):
        for gold, votes in (
            ({"tiers": [["a"], ["b"]]}, ("ab", "ab", "ba")),
            ({"tiers": [["b"], ["a"]]}, ("ab", "ab")),
            ({"tiers": [["a", "b"]]}, ("ab", "ba")),
            (None, ("ab",)),
            ({"tiers": [["a"], ["b"]]}, ()),
        ):
            task = make.task(project, gold=gold)
            for number, vote in enumerate(votes):
                make.vote(task, *vote, by=f"w{number}")
        found = accuracy_of(project, "majority")
        assert (found.questions, found.decided, found.gold, found.right) == (4, 3, 3, 1)
        assert found.record()["accuracy"] == 0.3333

    def test_is_none_where_nothing_is_known(self, project):
        make.vote(make.task(project), "a", "b")
        assert accuracy_of(project, "majority").record()["accuracy"] is None

    def test_refuses_an_aggregator_that_is_not_there(self, project):
        with pytest.raises(UnknownPlugin, match="There are: bradley_terry, dawid_skene"):
            accuracy_of(project, "oracle")


def said_by(capsys, *arguments):
    call_command("agreement", *arguments, "--json")
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_dawid_skene_is_right_on_as_many_questions_of_a_real_crowd_as_majority(
    db, shared, tmp_path, capsys
):
    path = tmp_path / "bbq.jsonl"
    lines = bbq_lines(shared / "bbq" / "mturk_validation")
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    report = import_file(make.project("bbq"), path)
    assert report.refused == 0
    right = {}
    for name in ("majority", "dawid_skene"):
        said = said_by(capsys, "--project", "bbq", "--aggregator", name)
        assert (said["annotations"], said["merged"]["gold"]) == (4925, 985)
        right[name] = said["merged"]["right"]
    assert right["dawid_skene"] >= right["majority"] >= 931
    assert len(said["reliability"]) == 19
    assert {name: one["answers"] for name, one in said["reliability"].items()}["36"] > 0


def test_the_command_says_it_in_words(project, capsys):
    make.vote(make.task(project, gold={"tiers": [["a"], ["b"]]}), "a", "b", by="w1")
    call_command("agreement", "--project", "demo", "--aggregator", "dawid_skene")
    said = capsys.readouterr().out
    assert "dawid_skene decides 1 of 1 answered questions, and is right on 1 of 1 whose" in said


# --- kept beside people's other figures


def test_it_is_kept_for_pages_and_worked_out_again_when_much_is_new(project):
    queue = make.queue(project)
    for number in range(12):
        task = make.task(project, queue=queue, answers=0)
        for who in ("w1", "w2", "w3"):
            make.vote(task, "a", "b", by=who)
        make.vote(task, *(("a", "b") if number % 2 else ("b", "a")), by="odd")
    for annotator in Annotator.objects.all():
        Standing.objects.create(queue=queue, annotator=annotator, answers=12)
    assert rely() == 1
    kept = {one.annotator.name: one for one in Standing.objects.select_related("annotator")}
    assert kept["w1"].reliability > 0.6 > kept["odd"].reliability
    assert kept["w1"].relied_on == 12
    assert rely() == 0, "nothing is new"
    Standing.objects.filter(annotator__name="w1").update(answers=13)
    assert rely() == 1
    assert shown(kept["w1"]).reliability == kept["w1"].reliability
    assert shown_to_themselves(kept["w1"]).reliability == round(kept["w1"].reliability, 1)


def test_people_who_share_nothing_with_others_have_none(project):
    task = make.task(project, answers=0)
    make.vote(task, "a", "b", by="alone")
    one = Standing.objects.create(queue=task.queue, annotator=Annotator.objects.get(), answers=1)
    rely()
    one.refresh_from_db()
    assert shown(one).reliability is None
