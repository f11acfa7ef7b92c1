"""What people disagree on is found, the worst first."""

import io
import json

import pytest
from django.utils import timezone

from annotation.find_disputes import find_disputes
from annotation.intake import import_file
from annotation.look_again_from import look_again_from
from annotation.models import Annotator, Dispute, Lookout, Standing
from annotation.task_types import TASK_TYPES
from tests import make
from tests.annotation.disputes import A, B, disputed, state_of


def test_finds_what_people_disagree_on_the_worst_first(project):
    a_little = disputed(project, "ab", "ab", "ab", "ba")
    disputed(project, "ab", "ab")
    disputed(project, "ab")
    half = disputed(project, "ab", "ba")
    two_to_one = disputed(project, "ab", "ba", "ab")
    assert find_disputes(project)
    found = Dispute.objects.in_project(project).worst_first()
    assert [one.task for one in found] == [half, two_to_one, a_little]
    assert [one.answers for one in found] == [2, 3, 4]


def test_looks_only_at_what_came_since(project, django_assert_max_num_queries):
    disputed(project)
    find_disputes(project)
    late = disputed(project)
    find_disputes(project)
    assert state_of(late) == "open"
    with django_assert_max_num_queries(12):
        assert find_disputes(project)


def test_looks_in_pieces_and_goes_on_where_it_stopped(project, monkeypatch):
    monkeypatch.setattr("annotation.find_disputes.WINDOW", 2)
    monkeypatch.setattr("annotation.find_disputes.MARGIN", 0)
    for _ in range(3):
        disputed(project)
    assert not find_disputes(project, patience_seconds=0)
    assert Dispute.objects.count() == 1
    assert find_disputes(project)
    assert Dispute.objects.count() == 3


def test_finds_what_came_with_a_file_that_was_long_on_its_way(project, monkeypatch):
    monkeypatch.setattr("annotation.find_disputes.MARGIN", 0)
    disputed(project)
    find_disputes(project)
    line = {
        "id": "1",
        "prompt": [{"role": "user", "content": "Why?"}],
        "outputs": [{"id": "a", "text": "1"}, {"id": "b", "text": "2"}],
        "annotations": [
            {"annotator": "x", "answer": A},
            {"annotator": "y", "answer": B},
        ],
    }
    Lookout.objects.update(seen=10**9)  # others answered while the file came in
    import_file(project, io.BytesIO(json.dumps(line).encode()))
    find_disputes(project)
    assert Dispute.objects.count() == 2


def test_who_agrees_by_now_is_in_no_dispute(project):
    task = disputed(project)
    find_disputes(project)
    careless = Annotator.objects.get(name="w1")
    Standing.objects.create(queue=task.queue, annotator=careless, left_out_at=timezone.now())
    look_again_from(project, 1)
    find_disputes(project)
    assert state_of(task) == "agreed"


def test_another_project_has_its_own(project):
    other = make.project("other")
    disputed(other)
    find_disputes(project)
    assert not Dispute.objects.exists()


def test_a_review_is_decided_by_those_who_are_asked_in_it(project):
    queue = make.queue(project, reserved_for="review")
    disputed(project, queue=queue)
    find_disputes(project)
    assert not Dispute.objects.exists()


@pytest.mark.parametrize("name", [name for name, one in TASK_TYPES.items() if one.can_be_settled])
def test_every_type_that_can_be_settled_knows_when_answers_differ(project, rita, name):
    from annotation.doubt import LEAST, doubt

    one = TASK_TYPES[name].example_answer
    others = {
        "tiers": {"tiers": list(reversed(one.get("tiers", [])))},
        "ratings": {
            "ratings": {
                ref: {aspect: 7 if level < 4 else 1 for aspect, level in levels.items()}
                for ref, levels in one.get("ratings", {}).items()
            }
        },
        "labels": {"labels": {} if isinstance(one.get("labels"), dict) else []},
        "verdict": {"verdict": "reject"},
        "spans": {"spans": []},
    }
    different = {key: value for part in one for key, value in others.get(part, {}).items()}
    assert doubt([one, one, one]) == 0
    assert doubt([one, {**one, **different}]) >= LEAST


def test_all_bad_is_another_answer_than_an_order(project):
    task = disputed(project, "ab")
    make.vote(task, by="bad", all_bad=True)
    find_disputes(project)
    assert state_of(task) == "open"
