import pytest

from annotation.ask import NoQuestion, QueueIsClosed, RefTaken, ask, ask_all
from annotation.create_queue import create_queue
from annotation.edit_queue import edit_queue, set_queue_state
from annotation.models import Assignment, Task
from tests import make
from tests.together import with_a_transaction_open


@pytest.fixture
def queue(project):
    return create_queue(project, name="Q", type="pairwise", overlap=2, actor=None)


@pytest.fixture
def pair(project):
    prompt = make.prompt(project)
    return prompt, [make.output(prompt, "one"), make.output(prompt, "two")]


def test_asks_about_a_prompt_and_its_outputs(queue, pair):
    task = ask(queue, *pair)
    assert [(one.ref, one.output.text) for one in task.task_outputs.all()] == [
        ("a", "one"),
        ("b", "two"),
    ]
    assert task.assignments.filter(state="free").count() == 2


def test_ids_say_nothing_and_are_unlike_each_other(queue, pair):
    assert ask(queue, *pair).ref != ask(queue, *pair).ref


def test_takes_an_id_once_in_a_project(project, queue, pair):
    ask(queue, *pair, ref="mine")
    other = create_queue(project, name="Other", type="pairwise", actor=None)
    with pytest.raises(RefTaken):
        ask(other, *pair, ref="mine")


def test_asks_about_many_or_about_none(project, queue, pair):
    assert ask_all(queue, [pair] * 3) == 3
    stranger = make.output(make.prompt(project, "Another?"), "three")
    with pytest.raises(NoQuestion, match="another prompt"):
        ask_all(queue, [pair, (pair[0], [pair[1][0], stranger])])
    with pytest.raises(NoQuestion, match="has 2 outputs, not 1"):
        ask_all(queue, [pair, (pair[0], pair[1][:1])])
    assert Task.objects.count() == 3


def test_takes_no_prompt_of_another_project(queue):
    prompt = make.prompt(make.project("other"))
    with pytest.raises(NoQuestion, match="another project"):
        ask(queue, prompt, [make.output(prompt, "one"), make.output(prompt, "two")])


def test_a_closed_queue_takes_no_questions(queue, pair):
    set_queue_state(queue, "closed", actor=None)
    with pytest.raises(QueueIsClosed):
        ask(queue, *pair)


@pytest.mark.django_db(transaction=True)
def test_a_question_that_comes_while_the_overlap_changes_gets_the_new_one():
    project = make.project()
    queue = create_queue(project, name="Q", type="pairwise", overlap=1, actor=None)
    prompt = make.prompt(project)
    pair = [make.output(prompt, "one"), make.output(prompt, "two")]
    # It waits for the queue; without the lock it would be done with one slot.
    with_a_transaction_open(
        lambda: edit_queue(queue, overlap=3, actor=None), lambda: ask(queue, prompt, pair)
    )
    assert Assignment.objects.filter(state="free").count() == 3
