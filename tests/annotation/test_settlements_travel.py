"""What reviewers settled and people repeated goes out in feedback lines and comes in again."""

import io
import json

from annotation.adjudicate import reopen, settlement_of
from annotation.export_feedback import export_feedback
from annotation.find_disputes import find_disputes
from annotation.intake import import_file
from annotation.models import Dispute
from tests import make
from tests.annotation.disputes import A, B, answered, disputed, rows, settled


def test_settlements_come_out_and_go_in_again(project, rita, owen, alice, clara):
    task = disputed(project, "ba", "ba", queue=make.queue(project))
    first = settled(task, rita, A, reason="So.")
    settled(task, rita, B, replaces=first.pk)
    other = disputed(project, "ab", "ba")
    given = settled(other, owen, A)
    reopen(other, reason="Too fast.", replaces=given.pk, actor=owen)
    third = disputed(project, "ab", "ba")
    one = settled(third, owen, A)
    settled(third, rita, B, replaces=one.pk)
    # Rita has also answered one herself.
    make.task(project, answers=1)
    mine = answered(project, rita, A).assignment.task
    settled(mine, rita, B)
    lines = list(export_feedback(project))
    assert "purpose" in json.dumps(lines)
    into = make.project("into")
    text = "\n".join(json.dumps(line) for line in lines)
    report = import_file(into, io.BytesIO(text.encode()))
    assert report.problems == []
    assert list(export_feedback(into)) == lines
    again = import_file(into, io.BytesIO(text.encode()))
    assert (again.problems, again.annotations) == ([], 0)
    counted = {
        line["id"]: settlement_of(into.queues.first().tasks.get(ref=line["id"]))
        for line in lines[:1]
    }
    assert counted[task.ref].answer == B
    assert {one["chosen"] for one in rows(into)} == {one["chosen"] for one in rows(project)}
    find_disputes(into)
    states = dict(Dispute.objects.filter(queue__project=into).values_list("task__ref", "state"))
    assert (states[task.ref], states[other.ref], states[third.ref]) == (
        "settled",
        "open",
        "settled",
    )


def test_repeats_come_out_and_go_in_again(project):
    task = disputed(project)
    make.vote(task, "a", "b", by="w0", purpose="repeat", round=0)
    lines = list(export_feedback(project))
    into = make.project("into")
    assert import_file(into, io.BytesIO(json.dumps(lines[0]).encode())).problems == []
    assert list(export_feedback(into)) == lines


def test_what_comes_settled_is_asked_of_nobody(project, rita):
    tasks = [disputed(project, "ab") for _ in range(2)]
    settled(tasks[0], rita)
    given = settled(tasks[1], rita)
    reopen(tasks[1], reason="Too fast.", replaces=given.pk, actor=rita)
    differing = disputed(project)
    settled(differing, rita)
    again = disputed(project, "ab")
    settled(again, rita)
    make.vote(again, "b", "a", by="w1", round=2)
    text = "\n".join(json.dumps(line) for line in export_feedback(project))
    into = make.project("into")
    queue = make.queue(into, overlap=2, most_answers=3, confidence=0.9)
    report = import_file(into, io.BytesIO(text.encode()), queue=queue)
    assert report.problems == []
    waiting = {
        task.ref: task.assignments.filter(state="free").count() for task in queue.tasks.all()
    }
    assert waiting == {tasks[0].ref: 0, tasks[1].ref: 1, differing.ref: 0, again.ref: 1}
