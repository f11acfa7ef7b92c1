"""Out of a project and into another: whatever is asked, nothing that was said is lost.

Every way of asking goes the whole way. What it can say beside its example stands in `MORE`.
"""

import io
import json
from itertools import count

import pyarrow.parquet as pq
import pytest

from annotation.adjudicate import reopen, send_back, settle
from annotation.ask import ask
from annotation.ask_again import ask_again
from annotation.assign import next_assignment
from annotation.comment import comment
from annotation.correct import correct
from annotation.create_queue import create_queue
from annotation.edit_queue import edit_queue
from annotation.end_chat import end_chat
from annotation.export import export_answers
from annotation.export_feedback import as_jsonl, export_feedback
from annotation.exports.feedback import NESTED
from annotation.flag import decide
from annotation.freeze import NothingToFreeze, freeze
from annotation.intake import import_file
from annotation.models import Annotation, Assignment, Comment, Flag, Output, Prompt, Task
from annotation.models.authorship import withdrawn
from annotation.recipe import KINDS
from annotation.set_known import set_known
from annotation.skip import skip
from annotation.stand_by import stand_by
from annotation.submit import submit
from annotation.task_types import TASK_TYPES
from tests import make
from tests.model_server import echoes, says

TEXTS = ["It is 👩🏽‍🔬 four, שלום, as anyone can see.", "خمسة 🌈 five."]
BY_ASKING = [name for name, one in TASK_TYPES.items() if not one.has_turns]

# What may be said beside a type's example, each with all that it can hold.
MORE = {
    "pairwise": [{"tiers": [["a", "b"]]}, {"tiers": [["b", "a"]], "all_bad": True}],
    "ranking": [{"tiers": [["a", "b"]]}, {"tiers": [["b"], ["a"]], "all_bad": True}],
    "rating": [
        {
            "ratings": {"a": {"Overall": 7}, "b": {"Overall": 7}},
            "flags": {"b": ["States what is not so"]},
        }
    ],
    "rate_then_rank": [
        {"ratings": {"a": {"Overall": 7}, "b": {"Overall": 7}}, "tiers": [["b", "a"]]}
    ],
    "demonstration": [{"text": "عشرة 🌈\n\n```\nx = '𝄞'\n```"}],
    "edit": [{"text": "It is 👩🏽‍🔬 **four**, שלום."}],
    "critique": [{"labels": []}, {"labels": ["Wrong"], "text": "𝄞 أربعة"}],
    "moderation": [{"labels": {}}],
    "classify": [{"labels": {"Topic": ["code"], "Difficulty": ["hard"]}}],
    # Places are counted in code points: the scientist is four of them, each heart beyond 16 bits.
    "spans": [
        {"spans": []},
        {
            "spans": [
                {"output": "a", "start": 6, "end": 10, "label": "Wrong", "severity": 1},
                {"output": "a", "start": 17, "end": 21, "label": "Badly put", "severity": 3},
                {"output": "b", "start": 0, "end": 6, "label": "Wrong", "severity": 2},
            ]
        },
    ],
    "validate": [{"verdict": "return"}, {"verdict": "reject"}],
    "prompt_writing": [
        {
            "messages": [
                {"role": "user", "content": "ما هو 𝄞؟"},
                {"role": "assistant", "content": "A clef."},
                {"role": "user", "content": "Whose?"},
            ],
            "labels": {"category": "nature", "difficulty": "easy"},
            "language": "ar",
        }
    ],
}

# What a queue must ask for that.
OPTIONS = {
    "prompt_writing": {"turns": 2, "categories": ["nature"], "difficulties": ["easy"]},
    "rating": {"flags": ["States what is not so"]},
    "spans": {"severities": ["mild", "bad", "worse"]},
}

keys = (f"key-{number}" for number in count())


def is_kept(project, queue, into, tmp_path):
    """Whether the other project has all of it: as lines, in columns, and in what is made of it."""
    lines = list(export_feedback(project))
    fields = {"name": queue.name, "type": queue.type, "options": queue.options}
    there = create_queue(into, overlap=queue.overlap, **fields, actor=None)
    report = bring(into, lines, queue=there)
    assert report.problems == []
    back = list(export_feedback(into))
    assert back == lines
    # What came comes again and changes nothing: where it is, and where it comes from.
    for one in (into, project):
        again = bring(one, lines, queue=there if one == into else queue)
        assert (again.problems, again.unchanged) == ([], len(lines))
        assert list(export_feedback(one)) == lines
    file = export_answers(project, tmp_path / "out", container="parquet")["file"]
    assert [from_columns(row) for row in pq.read_table(file).to_pylist()] == lines
    assert [made_of(one) for one in (into, project)] == [made_of(project)] * 2
    return lines


def bring(project, lines, **options):
    return import_file(project, io.BytesIO(b"".join(as_jsonl(lines))), **options)


def from_columns(row):
    line = {name: value for name, value in row.items() if value}
    return line | {name: json.loads(line[name]) for name in NESTED if name in line}


def made_of(project):
    """The digests of all datasets, and what stands open."""
    digests = {}
    for kind in KINDS:
        try:
            digests[kind] = freeze(project, name=kind, kind=kind, actor=None).digest
        except NothingToFreeze:
            digests[kind] = None
    tasks = Task.objects.in_project(project.pk).order_by("pk")
    outputs = Output.objects.filter(prompt__project=project).filter(withdrawn("output"))
    prompts = Prompt.objects.filter(project=project).filter(withdrawn("prompt"))
    free = Assignment.objects.in_project(project).filter(state__in=["free", "withheld"])
    return {
        "digests": digests,
        "tasks": list(tasks.values_list("ref", "is_withheld", "is_check")),
        "withdrawn": [sorted(one.values_list("text", flat=True)) for one in (outputs, prompts)],
        "flags": sorted(
            Flag.objects.filter(task__queue__project=project).values_list("task__ref", "state")
        ),
        "wanted": sorted(free.values_list("task__ref", "round", "state")),
    }


@pytest.fixture
def people(project, alice, bob):
    return [alice, bob, *(make.member(project, name) for name in ("carol", "dan", "eve"))]


def asked(queue, number):
    """A question of the queue's type, about texts in two directions."""
    task_type = queue.task_type
    if not task_type.needs_prompt:
        return ask(queue, None, [], brief={"text": f"Ask number {number}. 🌈"})
    prompt = make.prompt(
        queue.project, f"ما ٢+٢؟ {number} 👩🏽‍🔬", language="ar", source="school", tags=["b", "a"],
        meta={"deep": [{"x": None}]},
    )  # fmt: skip
    texts = TEXTS[: task_type.max_outputs]
    outputs = [make.output(prompt, text, source=f"m{place}") for place, text in enumerate(texts)]
    return ask(queue, prompt, outputs)


@pytest.mark.parametrize("name", BY_ASKING)
def test_nothing_is_lost_of_what_was_said(name, project, people, clara, rita, owen, tmp_path):
    alice, bob, carol, dan, eve = people
    options = {"options": OPTIONS.get(name), "overlap": 5, "guideline": "Be fair."}
    queue = create_queue(project, name="Q", type=name, **options, rules=False, actor=None)
    said = [queue.task_type.example_answer, *MORE.get(name, [])]
    task = asked(queue, 1)

    def answers(person, answer, **more):
        slot = next_assignment(project, person, queue=queue)
        return submit(slot, answer, key=next(keys), reason="Because 🌈.", **more)

    # Answered, corrected twice, and skipped in every sense.
    first = answers(alice, said[0], seconds=3.25)
    second = correct(first, said[-1], key=next(keys), reason="I misread it.", seconds=1.5)
    correct(second, said[0], key=next(keys), reason="No, I had not.")
    of_bob = answers(bob, said[-1])
    skip(next_assignment(project, carol, queue=queue), reason="Not my field.")
    skip(next_assignment(project, eve, queue=queue), reason="", meaning="later")
    skip(next_assignment(project, dan, queue=queue), reason="Torn off.", meaning="nobody")
    decide(Flag.objects.get(), put_back=True, note="It is all there.", actor=clara)

    # Talked about, sent back, settled, and asked again under another guideline.
    comment(task, "Among us: a & b.", actor=rita)
    comment(task, "Why so?", annotator=of_bob.assignment.annotator, actor=rita)
    comment(task, "Look: ‏שלום‏ 🌈", annotator=of_bob.assignment.annotator, actor=bob)
    if queue.task_type.can_be_settled:
        send_back(task, [of_bob.pk], text="Look again.", actor=rita)
        stand_by(of_bob, text="I did.", actor=bob)
        send_back(task, [of_bob.pk], text="And again.", actor=rita)
        correct(of_bob, said[0], key=next(keys), reason="You are right.")
        given = settle(
            task, said[0], reason="It is.", key=next(keys), replaces=None, seconds=9.0, actor=rita
        )
        reopen(task, reason="Too fast.", replaces=given.pk, actor=rita)
        given = settle(
            task, said[-1], reason="It is not.", key=next(keys), replaces=None, actor=owen
        )
        settle(task, said[0], reason="Or so.", key=next(keys), replaces=given.pk, actor=owen)
    edit_queue(queue, guideline="Be kind.", actor=clara)
    ask_again(queue, [task.pk], actor=clara)
    answers(alice, said[-1])

    # Known, set aside, and waiting for a curator.
    known, aside, waiting = (asked(queue, number) for number in (2, 3, 4))
    set_known(known, said[0], is_check=True, actor=clara)
    for one, decided in ((aside, True), (waiting, False)):
        while (slot := next_assignment(project, carol, queue=queue)).task != one:
            skip(slot, reason="Not this one.")
        skip(slot, reason="Nothing is asked.", meaning="nobody")
        if decided:
            decide(Flag.objects.last(), put_back=False, note="True.", actor=clara)

    lines = is_kept(project, queue, make.project("into"), tmp_path)
    assert [line["id"] for line in lines] == [one.ref for one in (task, known, aside, waiting)]
    texts = json.dumps(lines, ensure_ascii=False)
    assert "Torn off." in texts
    assert "It is all there." in texts
    assert "Look: ‏שלום‏ 🌈" in texts
    assert "clara" not in texts


def test_nothing_is_lost_of_a_chat(project, serve, chat, bob, rita, clara):
    serve(left=echoes, right=says("No. ‏שלום‏ 👩🏽‍🔬"))
    at_desk = chat(prompt=True, system="Be brief.")
    queue = at_desk.slot.queue
    edit_queue(queue, overlap=3, actor=clara)
    for text, best in ((None, "You said"), ("Bad", None), ("𝄞 more", "No."), ("Equal", "tie")):
        at_desk.say(text or at_desk.slot.task.prompt.text)
        at_desk.hear()
        place = best if best in (None, "tie") else at_desk.place_of(best)
        at_desk.judge(place or "all_bad", reason="So 🌈.", seconds=2)
    end_chat(at_desk.slot, annotator=at_desk.annotator)
    turn = Annotation.objects.get(turn=1)
    correct(turn, {"tiers": [["b"], ["a"]]}, key="corrected", reason="Sorry.")
    skip(next_assignment(project, bob, queue=queue), reason="I do not talk.")
    comment(at_desk.slot.task, "Kind?", annotator=at_desk.annotator, actor=rita)
    lines = list(export_feedback(project))
    *turns, rest = lines
    assert [line["meta"]["chat"]["turn"] for line in turns] == [1, 2, 3, 4]
    assert turns[2]["meta"]["chat"]["after"] == {
        "line": turns[0]["id"],
        "output": turns[0]["annotations"][0]["earlier"][0]["answer"]["tiers"][0][0],
    }
    assert [one["reason"] for one in rest["annotations"]] == ["I do not talk."]
    assert [one["text"] for one in rest["comments"]] == ["Kind?"]
    into = make.project("into")
    there = create_queue(into, name="Chats", type="chat", overlap=3, actor=None)
    assert bring(into, lines, queue=there).problems == []
    assert list(export_feedback(into)) == lines
    assert made_of(into)["digests"] == made_of(project)["digests"]
    for one in (into, project):
        again = bring(one, lines)
        assert (again.problems, again.unchanged, again.tasks) == ([], len(lines), 0)


def test_what_was_sent_back_is_the_same_answer_here_or_the_line_is_refused(
    project, alice, bob, rita
):
    one, other = ({"tiers": [["a"], ["b"]]}, {"tiers": [["b"], ["a"]]})
    task = make.task(project, answers=2)
    first = submit(next_assignment(project, alice), one, key="first")
    submit(next_assignment(project, bob), other, key="beside")
    given = correct(first, other, key="second")
    send_back(task, [given.pk], text="Look again.", actor=rita)
    stand_by(given, text="I did.", actor=alice)
    [line] = export_feedback(project)
    [of_alice] = [said for said in line["annotations"] if "earlier" in said]
    earlier = of_alice.pop("earlier")
    talk, line["comments"] = line["comments"], []

    # Where only the last answer is known, or more before it, nothing is tied to another one.
    for number, before in enumerate(([], earlier * 2)):
        into = make.project(f"into-{number}")
        of_alice["earlier"] = before
        assert bring(into, [line]).problems == []
        whole = {**line, "comments": talk}
        whole["annotations"] = [
            {**said, "earlier": earlier} if said is of_alice else said
            for said in line["annotations"]
        ]
        [problem] = bring(into, [whole]).problems
        assert "was sent back that is not here, or in another place." in problem.problem
        assert not Comment.objects.in_project(into).exists()

    # Where it is the same, it is tied to it.
    into = make.project("same")
    bring(into, [{**whole, "comments": []}])
    assert bring(into, [whole]).problems == []
    assert list(export_feedback(into)) == list(export_feedback(project))


@pytest.mark.parametrize("name", [name for name, one in TASK_TYPES.items() if one.writes])
def test_what_was_written_and_validated_stays_whose_it_was(name, project, alice, bob, clara):
    options = {"options": OPTIONS.get(name)}
    queue = create_queue(project, name="W", type=name, **options, actor=None)
    gate = create_queue(project, name="Gate", type="validate", actor=None)
    asked(queue, 1)
    example, other = queue.task_type.example_answer, MORE[name][0]
    slot = next_assignment(project, alice, queue=queue)
    given = submit(slot, example, key=next(keys))
    wrote = given.authorships.get()
    prompt = wrote.prompt or wrote.output.prompt
    ask(gate, prompt, [wrote.output] if wrote.output else [])
    slot = next_assignment(project, bob, queue=gate)
    submit(slot, {"verdict": "return"}, key=next(keys), reason="Say more. 🌈")
    correct(given, other, key=next(keys))
    edit_queue(gate, overlap=2, actor=clara)
    # What was corrected is not validated any more, however many answers the queue wants by now.
    assert Assignment.objects.free().filter(queue=gate).count() == 2
    lines = list(export_feedback(project))
    into = make.project("into")
    for one in (queue, gate):
        fields = {"name": f"Imported: {one.task_type.label}", "type": one.type}
        create_queue(into, **fields, options=one.options, actor=None)
    assert bring(into, lines).problems == []
    assert list(export_feedback(into)) == lines
    made = [made_of(one) for one in (project, into)]
    for key in ("digests", "withdrawn"):
        assert made[0][key] == made[1][key]
    assert any(made[0]["withdrawn"])
