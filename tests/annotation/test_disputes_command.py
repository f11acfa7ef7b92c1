"""What the command says of disputes is what the page says."""

from io import StringIO

from django.core.management import call_command

from tests import make


def test_lists_the_worst_with_their_queue_and_question(project):
    task = make.task(project, prompt_text="Why is\nthe sky blue?")
    make.vote(task, "a", "b", by="w1")
    make.vote(task, "b", "a", by="w2")
    said = StringIO()
    call_command("disputes", project="demo", stdout=said)
    first, _, heading, line = said.getvalue().splitlines()
    assert first == "1 open"
    assert heading.split() == ["disagreement", "answers", "task", "question"]
    assert line.split()[:3] == ["100", "2", task.ref]
    assert line.endswith(f"{task.queue.name}: Why is the sky blue?")


def test_says_nothing_else_where_nobody_disagrees(project):
    said = StringIO()
    call_command("disputes", project="demo", stdout=said)
    assert said.getvalue().strip() == "Nothing is in dispute."
