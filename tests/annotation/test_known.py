"""Known answers are set on a page, as gold or as attention checks, and travel with files."""

import json

import pytest

from annotation.ask_blank import ask_blank
from annotation.assign import next_assignment
from annotation.export_feedback import as_jsonl, export_feedback
from annotation.feedback_keys import BadLine
from annotation.feedback_line import read_line
from annotation.models import Annotator, Rule, Task
from annotation.set_known import NoneKnown, forget_known, set_known, takes_why
from annotation.store_lines import store_lines
from annotation.submit import BadAnswer, submit
from annotation.task_types import TASK_TYPES
from tests import make
from tests.browser.every_type import task_of
from truing.models import Event

A, B = {"tiers": [["a"], ["b"]]}, {"tiers": [["b"], ["a"]]}
LINE = {
    "id": "one",
    "prompt": [{"role": "user", "content": "?"}],
    "task_type": "pairwise",
    "outputs": [{"id": "a", "text": "1"}, {"id": "b", "text": "2"}],
    "gold": A,
    "gold_kind": "attention",
}


def post(client, person, address, **values):
    client.force_login(person)
    return client.post(f"/p/demo/{address}", values)


def test_who_fails_a_check_that_was_set_meets_the_rule(project, alice, clara):
    task = make.task(project)
    set_known(task, A, is_check=True, actor=clara)
    Rule.objects.create(
        project=project,
        queue=task.queue,
        when="check_failed",
        options={"failed": 1},
        then=["pause"],
    )
    submit(next_assignment(project, alice), B, key="k")
    assert Annotator.objects.get(user=alice).paused_at
    event = Event.objects.get(verb="task.known")
    assert event.details["kind"] == "attention"


def test_what_is_no_answer_cannot_be_known(project, clara):
    with pytest.raises(BadAnswer):
        set_known(make.task(project), {"tiers": [["a"]]}, actor=clara)


def test_a_chat_has_none(project, clara):
    queue = make.queue(project, type="chat")
    ask_blank(queue, 1, actor=clara)
    with pytest.raises(NoneKnown):
        set_known(queue.tasks.get(), A, actor=clara)


def test_it_can_be_forgotten(project, clara):
    task = make.task(project, gold=A, is_check=True)
    forget_known(task, actor=clara)
    task.refresh_from_db()
    assert (task.gold, task.is_check) == (None, False)
    assert Event.objects.filter(verb="task.unknown").count() == 1


def test_why_it_is_right_is_kept_where_answers_have_a_place_for_it(project, clara):
    task = set_known(make.task(project), A, why=" It is shorter. ", actor=clara)
    assert task.gold["reason"] == "It is shorter."
    assert takes_why(TASK_TYPES["pairwise"])


@pytest.mark.parametrize("name", [name for name, one in TASK_TYPES.items() if not one.has_turns])
def test_the_page_shows_every_way_of_asking(project, clara, client, name):
    task_of(project, name)
    task = Task.objects.get()
    client.force_login(clara)
    page = client.get(f"/p/demo/tasks/{task.pk}/known/")
    assert page.status_code == 200
    refs = [place.ref for place in task.task_outputs.all()]
    answer = task.queue.task_type.example_answer
    if task.queue.task_type.problem_with(answer, refs, task.queue.type_options):
        return  # the example is about other outputs
    form = task.queue.task_type.form_of(answer, refs)
    said = client.post(f"/p/demo/tasks/{task.pk}/known/", {**form, "kind": "attention"})
    assert said.status_code == 302
    task.refresh_from_db()
    assert task.gold
    assert task.is_check
    again = client.get(f"/p/demo/tasks/{task.pk}/known/").content.decode()
    assert "Forget it" in again


def test_a_curator_sets_it_on_the_page_and_the_queue_says_so(project, clara, client):
    task = make.task(project)
    address = f"tasks/{task.pk}/known/"
    assert post(client, clara, address, kind="gold").status_code == 422
    assert post(client, clara, address, choice="1", kind="gold", why="So.").status_code == 302
    task.refresh_from_db()
    assert task.gold == {**B, "reason": "So."}
    page = client.get(f"/p/demo/queues/{task.queue_id}/").content.decode()
    assert "Change the known answer" in page
    post(client, clara, f"{address}forget/")
    task.refresh_from_db()
    assert task.gold is None


def test_programs_set_it_and_read_it(project, clara, client):
    task = make.task(project)
    client.force_login(clara)
    address = f"/api/projects/demo/tasks/{task.pk}/known/"
    body = {"answer": A, "kind": "attention"}
    said = client.put(address, body, content_type="application/json")
    assert (said.json()["gold"], said.json()["gold_kind"]) == (A, "attention")
    assert client.delete(address).status_code == 204


def test_it_comes_with_a_file_and_goes_out_with_one(project):
    queue = make.queue(project, type="pairwise")
    store_lines(project, [(1, read_line(LINE))], queue=queue, actor=None)
    assert Task.objects.get().is_check
    [line] = map(json.loads, as_jsonl(export_feedback(project)))
    assert (line["gold"], line["gold_kind"]) == (A, "attention")
    again = store_lines(project, [(1, read_line(LINE))], queue=queue, actor=None)
    assert (again.unchanged, again.refused) == (1, [])
    other = {**LINE, "gold_kind": "gold"}
    [(_, problem)] = store_lines(project, [(1, read_line(other))], queue=queue, actor=None).refused
    assert "another kind of known answer" in problem


def test_a_file_that_knows_nothing_leaves_what_was_set_here(project, clara):
    queue = make.queue(project, type="pairwise")
    line = {name: value for name, value in LINE.items() if not name.startswith("gold")}
    store_lines(project, [(1, read_line(line))], queue=queue, actor=None)
    set_known(Task.objects.get(), A, actor=clara)
    again = store_lines(project, [(1, read_line(line))], queue=queue, actor=None)
    assert (again.unchanged, again.refused) == (1, [])


@pytest.mark.parametrize("odd", [{"gold_kind": "silver"}, {"gold": None}])
def test_an_odd_kind_is_refused(odd):
    with pytest.raises(BadLine, match="gold_kind"):
        read_line({**LINE, **odd})


# --- do these first


def test_a_curator_says_what_is_done_first(project, alice, clara, client):
    queue = make.queue(project)
    tasks = [make.task(project, queue=queue, prompt_text=f"Number {one}") for one in range(4)]
    address = f"queues/{queue.pk}/priority/"
    values = {"task": [tasks[2].pk], "of": "chosen", "priority": 9, "by_priority": "1"}
    assert post(client, clara, address, **values).status_code == 302
    queue.refresh_from_db()
    assert queue.order == "priority"
    slot = next_assignment(project, alice)
    assert slot.task == tasks[2]
    submit(slot, A, key="k")
    post(client, clara, address, q="Number 3", of="all", priority=5)
    post(client, clara, address, q="Number 0", of="all", priority=-1)
    assert next_assignment(project, alice).task == tasks[3]
    page = client.get(f"/p/demo/queues/{queue.pk}/", {"which": "first"}).content.decode()
    assert "Number 2" in page
    assert "Number 0" not in page


def test_nothing_chosen_changes_nothing(project, clara, client):
    queue = make.queue(project)
    make.task(project, queue=queue)
    post(client, clara, f"queues/{queue.pk}/priority/", of="chosen", priority=9, by_priority="1")
    queue.refresh_from_db()
    assert queue.order == "arrival"
    said = post(client, clara, f"queues/{queue.pk}/priority/", of="all", priority="x")
    assert said.status_code == 422


@pytest.mark.parametrize("which", ["open", "known", "checks", "sensitive", "first", "odd"])
def test_the_questions_of_a_queue_can_be_narrowed(project, clara, client, which):
    make.task(project, gold=A, is_check=True, categories=["violence"])
    queue = make.queue(project, name="A pairwise queue")
    client.force_login(clara)
    page = client.get(f"/p/demo/queues/{queue.pk}/", {"which": which, "q": "uest"})
    shown = page.content.decode().count('name="task"')
    assert shown == (0 if which in ("known", "first") else 1)
