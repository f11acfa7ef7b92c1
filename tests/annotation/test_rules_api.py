"""Rules for programs; and that others are asked in the place of who goes on being left out."""

import pytest

from annotation.assign import next_assignment
from annotation.enforce import undo_firing
from annotation.models import Assignment, Firing, Rule
from annotation.set_rules import add_rule
from annotation.submit import submit
from tests import make

A, B = {"tiers": [["a"], ["b"]]}, {"tiers": [["b"], ["a"]]}


@pytest.fixture
def queue(project):
    return make.queue(project, overlap=2)


def free(task):
    return task.assignments.filter(state=Assignment.State.FREE).count()


def fail_a_check_and_go_on(project, queue, who, then):
    """What was answered wrongly, under a rule that does this then, and rightly after it."""
    known = make.task(project, queue=queue, answers=2, gold=A, is_check=True)
    later = make.task(project, queue=queue, answers=2)
    options = {"failed": 1}
    add_rule(project, queue=queue, when="check_failed", options=options, then=[then], actor=None)
    for said in (B, A):
        slot = next_assignment(project, who, queue=queue)
        submit(slot, said, key=f"key {slot.pk}")
    return known, later


def test_others_are_asked_also_for_what_comes_after_they_were_left_out(project, queue, alice):
    known, later = fail_a_check_and_go_on(project, queue, alice, "ask_again")
    assert (free(known), free(later)) == (2, 2)
    undo_firing(Firing.objects.get(), actor=None)
    assert (free(known), free(later)) == (1, 1)


def test_nobody_is_asked_in_place_where_they_are_only_left_out(project, queue, alice):
    _, later = fail_a_check_and_go_on(project, queue, alice, "leave_out")
    assert free(later) == 1


def test_a_program_sees_makes_and_removes_the_rules_that_hold_in_a_queue(
    project, queue, client, clara
):
    client.force_login(clara)
    address = f"/api/projects/demo/queues/{queue.pk}/rules/"
    body = {"when": "check_failed", "then": ["tell"]}
    own = client.post(address, body, content_type="application/json").json()
    everywhere = {**body, "in_all_queues": True}
    wide = client.post(address, everywhere, content_type="application/json").json()
    assert (own["queue"], wide["queue"]) == (queue.pk, None)
    elsewhere = make.queue(project, "Elsewhere")
    add_rule(project, queue=elsewhere, when="check_failed", then=["tell"], actor=None)
    assert [one["id"] for one in client.get(address).json()["results"]] == [own["id"], wide["id"]]
    assert client.delete(f"/api/projects/demo/rules/{wide['id']}/").status_code == 204
    assert [one["id"] for one in client.get(address).json()["results"]] == [own["id"]]
    assert Rule.objects.count() == 2


def test_a_program_changes_what_it_names_and_the_rest_stays(project, queue, client, clara):
    options = {"failed": 3}
    made = add_rule(
        project, queue=queue, when="check_failed", options=options, then=["tell"], actor=None
    )
    client.force_login(clara)
    address = f"/api/projects/demo/rules/{made.pk}/"
    told = client.patch(address, {"then": ["pause"]}, content_type="application/json").json()
    assert (told["id"], told["then"], told["options"]) == (made.pk, ["pause"], options)
    wrong = client.patch(address, {"when": "careless"}, content_type="application/json")
    assert wrong.status_code == 422


def test_who_asks_somebody_again_is_told_where_they_are_still_left_out(
    project, queue, alice, client, rita
):
    make.task(project, queue=queue, gold=A, is_check=True)
    then = ["pause", "leave_out"]
    options = {"failed": 1}
    add_rule(project, queue=queue, when="check_failed", options=options, then=then, actor=None)
    slot = next_assignment(project, alice, queue=queue)
    submit(slot, B, key="wrong")
    client.force_login(rita)
    address = f"/p/demo/annotators/{slot.annotator_id}/resume/"
    told = client.post(address, follow=True).content.decode()
    assert f"In “{queue.name}” their answers are still left out of merges" in told
    met = "/p/demo/annotators/?state=fired"
    assert len(client.get(met).context["rows"]) == 1
    undo_firing(Firing.objects.get(), actor=rita)
    assert client.get(met).context["rows"] == []
    assert "still left out" not in client.post(address, follow=True).content.decode()
