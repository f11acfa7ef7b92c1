"""Agreement, against the numbers that were published and against another implementation."""

import gzip
import json
import random
from collections import Counter

import krippendorff
import numpy as np
import pytest

from annotation.aggregators.base import Question, read_vote
from annotation.agree import (
    Seen,
    agreement,
    agreement_by_queue,
    cohen_kappa,
    krippendorff_alpha,
    percent_agreement,
)
from tests import make


def seen_in_file(path):
    """What a feedback file says, without a database."""
    seen = Seen()
    names = {}
    with gzip.open(path, "rt") as lines:
        for number, line in enumerate(lines, start=1):
            task = json.loads(line)
            refs = [output["id"] for output in task["outputs"]]
            votes = tuple(
                read_vote(
                    given["answer"],
                    refs,
                    annotation=0,
                    annotator=names.setdefault(given["annotator"], len(names)),
                )
                for given in task["annotations"]
            )
            seen.add(Question(number, tuple(refs), votes))
    return seen


@pytest.mark.parametrize(
    ("name", "tasks", "annotations", "annotators", "nominal", "ordinal"),
    [
        ("llmfao", 1514, 6311, 124, 0.3261, 0.307),
        ("ukpconvarg1", 12582, 62767, 3784, 0.2623, 0.367),
        ("pandalm", 730, 2190, 3, None, 0.864),
    ],
)
def test_gives_the_published_numbers(
    shared, name, tasks, annotations, annotators, nominal, ordinal
):
    seen = seen_in_file(shared / name / "feedback.jsonl.gz")
    assert (seen.tasks, seen.annotations, len(seen.annotators)) == (tasks, annotations, annotators)
    if nominal is not None:
        assert krippendorff_alpha(seen.units, ordinal=False) == pytest.approx(nominal, abs=1e-3)
    assert krippendorff_alpha(seen.units, ordinal=True) == pytest.approx(ordinal, abs=1e-3)


def test_gives_the_published_kappas(shared):
    seen = seen_in_file(shared / "pandalm" / "feedback.jsonl.gz")
    kappas = [cohen_kappa(table) for _, table in sorted(seen.together.items())]
    assert kappas == pytest.approx([0.834, 0.876, 0.842], abs=1e-3)


def test_keeps_little_however_many_answers_there_are(shared):
    seen = seen_in_file(shared / "ukpconvarg1" / "feedback.jsonl.gz")
    assert len(seen.units) < 100
    assert not seen.together


@pytest.mark.parametrize("seed", range(8))
def test_alpha_is_what_another_implementation_says(seed):
    dice = random.Random(seed)
    annotators, units = dice.randint(2, 12), dice.randint(2, 60)
    leaning = [dice.random() * 2 for _ in range(units)]
    table = np.array(
        [
            [
                min(2, max(0, round(lean + dice.gauss(0, 0.7)))) if dice.random() < 0.7 else np.nan
                for lean in leaning
            ]
            for _ in range(annotators)
        ]
    )
    counted = Counter(tuple(int((column == code).sum()) for code in range(3)) for column in table.T)
    for ordinal, level in ((False, "nominal"), (True, "ordinal")):
        theirs = krippendorff.alpha(table, level_of_measurement=level, value_domain=[0, 1, 2])
        assert krippendorff_alpha(counted, ordinal=ordinal) == pytest.approx(theirs, abs=1e-9)


def test_nothing_is_defined_before_two_people_answered_the_same(project):
    make.vote(make.task(project), "a", "b", by="w1")
    make.vote(make.task(project), "a", "b", by="w2")
    measured = agreement(project)
    assert (measured.tasks, measured.annotations, measured.annotators) == (2, 2, 2)
    assert measured.alpha_nominal is None
    assert measured.alpha_ordinal is None
    assert measured.percent_agreement is None
    assert measured.cohen_kappa == {}


def test_alpha_is_not_defined_where_all_answers_are_the_same():
    everyone_first = Counter({(3, 0, 0): 5})
    assert krippendorff_alpha(everyone_first, ordinal=False) is None
    assert percent_agreement(everyone_first) == 100


def test_answers_are_coded_by_the_order_of_the_outputs(project):
    task = make.task(project)
    make.vote(task, "a", "b", by="w1")
    make.vote(task, "b", "a", by="w2")
    make.vote(task, "ab", by="w3")
    assert agreement(project).answers == {"first": 1, "tie": 1, "second": 1}


def test_both_bad_counts_as_a_tie(project):
    task = make.task(project)
    make.vote(task, "ab", by="w1", all_bad=True)
    make.vote(task, "ab", by="w2")
    measured = agreement(project)
    assert measured.answers["tie"] == 2
    assert measured.percent_agreement == 100


def test_a_ranking_counts_as_its_pairs(project):
    task = make.task(project, type="ranking", outputs=("one", "two", "three"))
    make.vote(task, "a", "b", "c", by="w1")
    make.vote(task, "a", "c", "b", by="w2")
    measured = agreement(project)
    assert measured.compared == 3
    assert measured.percent_agreement == pytest.approx(200 / 3)
    assert measured.tasks == 1


def test_two_annotators_are_compared_by_name(project):
    for first, second in (("a", "a"), ("b", "b"), ("a", "a"), ("a", "b")):
        task = make.task(project)
        other = {"a": "b", "b": "a"}
        make.vote(task, first, other[first], by="zoe")
        make.vote(task, second, other[second], by="ann")
    # Observed 3/4; by chance zoe says a 3/4 and ann 1/2 of the time: 1/2.
    assert agreement(project).cohen_kappa == {"ann|zoe": pytest.approx(0.5)}


def test_six_annotators_are_not_compared_two_by_two(project):
    task = make.task(project)
    for number in range(5):
        make.vote(task, "a", "b", by=f"w{number}")
    make.vote(task, "b", "a", by="w5")
    assert agreement(project).cohen_kappa == {}


def test_a_correction_takes_the_place_of_what_it_corrects(project):
    task = make.task(project)
    first = make.vote(task, "a", "b", by="w1")
    make.vote(task, "b", "a", by="w2")
    type(first).objects.create(
        assignment=first.assignment,
        answer={"tiers": [["b"], ["a"]]},
        key="corrected",
        supersedes=first,
    )
    measured = agreement(project)
    assert measured.annotations == 2
    assert measured.answers == {"first": 0, "tie": 0, "second": 2}


def test_checks_and_settlements_are_not_counted(project):
    task = make.task(project)
    make.vote(task, "a", "b", by="w1")
    for purpose in ("gold", "repeat", "adjudication"):
        make.vote(task, "b", "a", by=purpose, purpose=purpose)
    assert agreement(project).annotations == 1


def test_somebody_asked_again_is_heard_once(project):
    task = make.task(project)
    make.vote(task, "a", "b", by="w1")
    make.vote(task, "b", "a", by="w1", round=2)
    measured = agreement(project)
    assert measured.annotations == 1
    assert measured.answers["second"] == 1


def test_each_queue_has_its_own_agreement(project):
    one, other = make.queue(project, "One"), make.queue(project, "Other")
    agreed, differed = make.task(project, queue=one), make.task(project, queue=other)
    for task, answers in ((agreed, ("ab", "ab")), (differed, ("ab", "ba"))):
        for number, (better, worse) in enumerate(answers):
            make.vote(task, better, worse, by=f"w{number}")
    whole, queues = agreement_by_queue(project)
    assert whole == agreement(project)
    assert [(queue.name, measured.percent_agreement) for queue, measured in queues] == [
        ("One", 100),
        ("Other", 0),
    ]
    assert queues[1][1] == agreement(project, other)


def test_other_projects_do_not_count(project):
    make.vote(make.task(make.project("other")), "a", "b")
    assert agreement(project).tasks == 0


def test_the_number_of_queries_does_not_grow(project, django_assert_num_queries):
    def ask(tasks):
        for _ in range(tasks):
            task = make.task(project)
            make.vote(task, "a", "b", by="w1")
            make.vote(task, "a", "b", by="w2")

    ask(2)
    with django_assert_num_queries(7):
        agreement(project)
    ask(20)
    with django_assert_num_queries(7):
        agreement(project)


def test_many_queues_are_read_in_one_go(project, django_assert_num_queries):
    def ask(queues):
        for number in range(queues):
            queue = make.queue(project, f"Queue {number} of {queues}")
            task = make.task(project, queue=queue)
            make.vote(task, "a", "b", by="w1")
            make.vote(task, "a", "b", by="w2")

    ask(2)
    with django_assert_num_queries(7):
        agreement_by_queue(project)
    ask(20)
    with django_assert_num_queries(7):
        _, queues = agreement_by_queue(project)
    assert len(queues) == 22
    assert all(one.cohen_kappa.keys() == {"w1|w2"} for _, one in queues)
