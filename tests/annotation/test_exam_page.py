"""An exam's page: it wants no answers of its own, and says what it lacks."""

import pytest
from django.urls import reverse

from annotation.assign import next_assignment
from annotation.count_queue import answers_a_task, count_queues
from annotation.create_queue import create_queue
from annotation.edit_queue import edit_queue
from annotation.models import Task
from annotation.submit import submit
from tests import make

FIRST = {"tiers": [["a"], ["b"]]}


@pytest.fixture
def exam(project):
    handling = {"exam_skill": "expertise:spokes", "exam_size": 2}
    queue = create_queue(project, name="Exam", type="pairwise", handling=handling, actor=None)
    for _ in range(2):
        make.task(project, queue=queue)
    return queue


@pytest.fixture
def curator(client, clara):
    client.force_login(clara)
    return client


def test_counts_what_was_answered_by_those_who_took_it(project, exam, alice):
    Task.objects.filter(queue=exam).update(gold=FIRST)
    slot = next_assignment(project, alice, queue=exam)
    submit(slot, FIRST, key="one")
    other = make.queue(project)
    make.task(project, queue=other)
    counted = count_queues([exam, other])
    assert (counted[exam.pk].answered, counted[exam.pk].wanted) == (1, 1)
    assert (counted[other.pk].answered, counted[other.pk].wanted) == (0, 1)
    assert answers_a_task(exam) == {0: 1, 1: 1}


def test_says_that_nobody_can_pass_until_enough_answers_are_known(curator, exam):
    address = reverse("queue", args=["demo", exam.pk])
    said = "asks 2 questions with a known answer, and 0 have one"
    page = curator.get(f"{address}?now")
    assert said in page.content.decode()
    assert "wanted" not in page.context["queue"]
    assert ("Exam's mark", "0.8") in page.context["handed_out"]
    Task.objects.filter(queue=exam).update(gold=FIRST)
    assert "Nobody can pass" not in curator.get(address).content.decode()


def test_says_that_checks_are_wanted_where_no_answer_is_known(curator, project):
    queue = make.queue(project, gold_share=0.1)
    task = make.task(project, queue=queue)
    address = reverse("queue", args=["demo", queue.pk])
    said = "No question has a known answer yet"
    assert said in curator.get(address).content.decode()
    Task.objects.filter(pk=task.pk).update(gold=FIRST)
    assert said not in curator.get(address).content.decode()


def test_says_from_how_many_to_how_many_are_asked_and_how_sure_is_enough(curator, project):
    queue = make.queue(project, overlap=2)
    edit_queue(queue, handling={"most_answers": 6}, actor=None)
    page = curator.get(reverse("queue", args=["demo", queue.pk]))
    assert "2 to 6 answers each" in page.content.decode()
    assert page.context["handed_out"] == [("Most answers", "6"), ("Confidence", "0.9")]
    assert "2–6" in curator.get(reverse("queues", args=["demo"])).content.decode()
