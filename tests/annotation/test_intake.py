import gzip
import io
import json
import os

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from annotation import intake, store_lines
from annotation.ask import lock_refs
from annotation.assign import next_assignment
from annotation.copy_rows import copy_rows
from annotation.create_queue import create_queue
from annotation.edit_queue import set_queue_state
from annotation.importers import IMPORTERS
from annotation.intake import NoFile, QueueOfReview, import_file
from annotation.models import (
    Annotation,
    Annotator,
    Assignment,
    Output,
    Prompt,
    Queue,
    Task,
    TaskOutput,
)
from annotation.models.prompt import split_of
from annotation.submit import submit
from tests import make
from tests.together import Other, wait_until_waiting
from truing.models import Event, Project

TABLES = [Annotation, Annotator, Assignment, Output, Prompt, Queue, Task, TaskOutput]


def line(id="1", *, answers=None, **values):
    answers = {"w1": ["a", "b"]} if answers is None else answers
    return {
        "id": id,
        "prompt": [{"role": "user", "content": "Why?"}],
        "outputs": [
            {"id": "a", "text": "So.", "source": "m1"},
            {"id": "b", "text": "", "source": "m2"},
        ],
        "annotations": [
            {"annotator": who, "answer": {"tiers": [[ref] for ref in refs]}}
            for who, refs in answers.items()
        ],
        **values,
    }


def take(project, *lines, **options):
    texts = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in lines]
    return import_file(project, io.BytesIO(b"\n".join(texts)), **options)


def rows():
    return {table.__name__: list(table.objects.order_by("pk").values()) for table in TABLES}


def test_makes_a_task_with_its_outputs_and_answers(project):
    report = take(project, line(gold={"tiers": [["a"], ["b"]]}, tags=["x"], meta={"y": 1}))
    assert (report.lines, report.tasks, report.annotations, report.annotators) == (1, 1, 1, 1)
    task = Task.objects.get()
    assert (task.ref, task.gold) == ("1", {"tiers": [["a"], ["b"]]})
    assert (task.prompt.text, task.prompt.tags, task.prompt.meta) == ("Why?", ["x"], {"y": 1})
    assert task.prompt.split == split_of("Why?", eval_percent=10, review_percent=10)
    assert (task.queue.type, task.queue.name) == ("pairwise", "Imported: Choose the better of two")
    places = [(one.ref, one.output.text, one.output.source) for one in task.task_outputs.all()]
    assert places == [("a", "So.", "m1"), ("b", "", "m2")]
    answer = Annotation.objects.votes().get()
    assert answer.answer == {"tiers": [["a"], ["b"]]}
    assert answer.at is None
    assert answer.assignment.purpose == "import"
    assert answer.assignment.annotator.pseudonym == "w1"


def test_the_same_file_again_changes_nothing(project):
    lines = [line("1"), line("2", answers={}), {"prompt": line()["prompt"]}, line(None)]
    take(project, *lines)
    before = rows()
    report = take(project, *lines)
    assert rows() == before
    assert (report.unchanged, report.refused) == (4, 0)


def test_new_annotators_are_added(project):
    take(project, line(answers={"w1": ["a", "b"]}))
    report = take(project, line(answers={"w1": ["a", "b"], "w2": ["b", "a"]}))
    assert (report.tasks, report.annotations, report.annotators) == (0, 1, 1)
    assert Annotation.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"outputs": [{"id": "a", "text": "!"}, {"id": "b", "text": ""}]}, "with other outputs"),
        ({"prompt": [{"role": "user", "content": "How?"}]}, "with another prompt"),
        ({"tags": ["new"]}, "with another prompt, language, tags or meta"),
        ({"task_type": "ranking"}, "as a task of another type"),
        ({"gold": {"tiers": [["a"], ["b"]]}}, "with another gold answer"),
        ({"outputs": [], "annotations": []}, "with other outputs"),
        ({"answers": {"w1": ["b", "a"]}}, "has already answered “1”, and otherwise"),
    ],
)
def test_a_known_id_that_says_otherwise_is_refused(project, changes, words):
    take(project, line())
    before = rows()
    [problem] = take(project, line(**changes)).problems
    assert words in problem.problem
    assert rows() == before


def test_an_answer_that_was_corrected_since_is_no_news(project):
    corrected = line()
    corrected["annotations"] = [
        {
            "annotator": "w1",
            "answer": {"tiers": [["b"], ["a"]]},
            "earlier": [{"answer": {"tiers": [["a"], ["b"]]}}],
        }
    ]
    take(project, corrected)
    assert take(project, line()).unchanged == 1


def test_refused_lines_are_named_and_the_others_come_in(project):
    report = take(
        project,
        line("1"),
        b"{not json",
        b"[1]",
        b"",
        line("2", extra=1),
        line("3", answers={"w": ["a", "z"]}),
        b'{"id": "4", "id": "5", "prompt": []}',
        b'{"prompt": [NaN]}',
        b"\xff\xfe",
        b'{"prompt": "\\ud800"}',
        line("6"),
    )
    assert [problem.line for problem in report.problems] == [2, 3, 5, 6, 7, 8, 9, 10]
    sentences = [problem.problem for problem in report.problems]
    assert sentences[0] == "The line is not JSON."
    assert sentences[1] == "The line is not a JSON object."
    assert "“extra”" in sentences[2]
    assert "There is no output “z” in this task." in sentences[3]
    assert "“id” stands twice" in sentences[4]
    assert "“NaN” is not a number" in sentences[5]
    assert sentences[6] == "The line is not UTF-8 text."
    assert sorted(Task.objects.values_list("ref", flat=True)) == ["1", "6"]
    assert (report.lines, report.came_in, report.refused) == (10, 2, 8)


def test_an_id_stands_in_a_file_once(project, monkeypatch):
    monkeypatch.setattr(intake, "BATCH_LINES", 2)
    report = take(project, line("1"), line("1"), line("2"), line("3"), line("1"))
    assert [str(problem) for problem in report.problems] == [
        "Line 2: Line 1 has the same id, “1”.",
        "Line 5: Line 1 has the same id, “1”.",
    ]


def test_an_id_that_was_refused_may_come_again(project):
    report = take(project, line("1", extra=1), line("1"))
    assert (report.tasks, report.refused) == (1, 1)


def test_a_line_without_an_id_is_known_by_what_it_says(project):
    report = take(project, line(None), line(None), line(None, answers={}))
    assert (report.tasks, report.unchanged) == (2, 1)
    assert all(ref.startswith("line-") for ref in Task.objects.values_list("ref", flat=True))


def test_tasks_share_prompts_and_outputs_that_are_equal(project):
    take(project, line("1"), line("2"), line("3", tags=["x"]))
    take(project, line("4"))
    assert (Prompt.objects.count(), Output.objects.count(), Task.objects.count()) == (2, 4, 4)


def test_a_line_that_asks_nothing_keeps_a_prompt_of_its_own(project):
    alone = {"prompt": line()["prompt"], "outputs": [{"id": "x", "text": "Hi.", "source": "human"}]}
    report = take(project, {**alone, "id": "p"}, {**alone, "id": "q"}, line())
    assert (report.prompts, report.tasks) == (2, 1)
    assert sorted(Prompt.objects.values_list("ref", flat=True)) == ["", "p", "q"]
    assert Output.objects.filter(source="human").count() == 2


def test_the_slots_that_no_answer_fills_are_free(project):
    queue = create_queue(project, name="Q", type="pairwise", overlap=3, actor=None)
    answers = {name: ["a", "b"] for name in "vwxyz"}
    take(project, line("1"), line("2", answers={}), line("3", answers=answers), queue=queue)
    free = Assignment.objects.filter(state="free")
    assert [free.filter(task__ref=ref).count() for ref in "123"] == [2, 3, 0]
    take(project, line("1", answers={"w1": ["a", "b"], "w2": ["a", "b"]}), queue=queue)
    assert free.filter(task__ref="1").count() == 1


def test_people_can_answer_what_came_in(project, alice):
    queue = create_queue(project, name="Q", type="pairwise", overlap=2, actor=None)
    take(project, line(), queue=queue)
    submit(next_assignment(project, alice), {"tiers": [["b"], ["a"]]}, key="k")
    assert Annotation.objects.votes().count() == 2


def test_a_queue_takes_its_own_type_and_its_own_answers(project):
    queue = create_queue(
        project, name="No ties", type="pairwise", options={"tie": False}, actor=None
    )
    tie = line("2")
    tie["annotations"][0]["answer"] = {"tiers": [["a", "b"]]}
    report = take(project, line("1", task_type="ranking"), tie, line("3"), queue=queue)
    assert [str(problem) for problem in report.problems] == [
        "Line 1: The queue “No ties” asks for pairwise, and the line for ranking.",
        "Line 2: Annotator “w1”: A tie is not an answer in this queue.",
    ]
    assert report.tasks == 1


def test_a_review_takes_nothing_from_files(project):
    review = create_queue(project, name="R", type="pairwise", reserved_for="review", actor=None)
    with pytest.raises(QueueOfReview):
        take(project, line(), queue=review)
    task = make.task(project, queue=review)
    outputs = [
        {"id": one.ref, "text": one.output.text, "source": one.output.source}
        for one in task.task_outputs.all()
    ]
    known = line(task.ref, prompt=task.prompt.messages, outputs=outputs)
    assert "belongs to a review" in take(project, known).problems[0].problem
    assert Annotation.objects.count() == 0


def test_guidelines_keep_their_numbers_where_the_queue_has_no_instructions(project):
    with_guideline = line()
    with_guideline["annotations"][0]["guideline"] = 3
    take(project, with_guideline)
    assert Assignment.objects.get().guideline.number == 3
    queue = create_queue(project, name="Q", type="pairwise", guideline="Be fair.", actor=None)
    report = take(project, {**with_guideline, "id": "2"}, queue=queue)
    assert report.problems[0].problem == "The queue “Q” has no guideline 3."


def test_reads_gzip_by_what_it_is_and_not_by_its_name(project, tmp_path):
    file = tmp_path / "plain.jsonl"
    file.write_bytes(gzip.compress(json.dumps(line()).encode()))
    assert import_file(project, file).tasks == 1


def test_what_can_be_read_only_once_is_refused_and_makes_no_project(db):
    reading, writing = os.pipe()
    os.close(writing)
    with os.fdopen(reading), pytest.raises(NoFile, match="can be read only once"):
        call_command("import", f"/dev/fd/{reading}", project="new")
    assert not Project.objects.exists()


def test_a_broken_gzip_brings_in_what_can_be_read(project):
    whole = "\n".join(json.dumps(line(str(number))) for number in range(2000)).encode()
    packed = gzip.compress(whole)
    report = import_file(project, io.BytesIO(packed[: len(packed) // 2]))
    assert 0 < report.tasks < 2000
    assert "broken or incomplete" in report.problems[-1].problem


def test_a_byte_order_mark_and_windows_line_ends_are_passed_over(project):
    text = b"\xef\xbb\xbf" + json.dumps(line("1")).encode() + b"\r\n\r\n"
    assert import_file(project, io.BytesIO(text)).tasks == 1


def test_a_line_that_is_too_long_is_refused_and_passed_over(project, monkeypatch):
    monkeypatch.setattr("annotation.importers.base.LONGEST_LINE", 1000)
    report = take(project, line("1"), line("2", meta={"x": "y" * 5000}), line("3"))
    assert [problem.line for problem in report.problems] == [2]
    assert report.tasks == 2


def test_a_file_that_is_not_there_gets_a_sentence(project, tmp_path):
    with pytest.raises(NoFile, match="cannot be read"):
        import_file(project, tmp_path / "none.jsonl")


def test_writes_down_who_brought_what(project, clara):
    take(project, line(), line("2"), actor=clara)
    event = Event.objects.get(verb="feedback.import")
    assert (event.actor, event.details["tasks"]) == (clara, 2)
    take(project, line(), actor=clara)
    assert Event.objects.filter(verb="feedback.import").count() == 1


def test_a_line_that_the_database_does_not_take_costs_no_other(project, monkeypatch):
    write = store_lines.write_lines

    def failing(project, wanted, stored):
        if any(arrival.line.id == "2" for _, arrival in wanted.tasks):
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO annotation_task (ref) VALUES ('without a queue')")
        write(project, wanted, stored)

    monkeypatch.setattr(store_lines, "write_lines", failing)
    report = take(project, line("1"), line("2"), line("3"))
    assert report.tasks == 2
    assert [problem.line for problem in report.problems] == [2]
    assert "The database does not take it" in report.problems[0].problem


def test_the_driver_s_own_errors_are_refusals_too(project):
    queue = create_queue(project, name="Q", type="pairwise", actor=None)
    task = make.task(project, queue=queue)
    values = {"queue_id": queue.pk, "ref": task.ref, "prompt_id": task.prompt_id}
    with pytest.raises(IntegrityError), transaction.atomic():
        copy_rows(
            Task, "id queue_id ref prompt_id created_at", [(task.pk + 1, *values.values(), "now")]
        )


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_one_file_at_once_bring_it_in_once():
    project = make.project()
    content = "\n".join(json.dumps(line(str(number))) for number in range(50)).encode()
    with transaction.atomic():
        # Both stand before the lock together, and see nothing of each other.
        lock_refs(project.pk)
        others = [Other(lambda: import_file(project, io.BytesIO(content))) for _ in range(2)]
        wait_until_waiting(2)
    reports = [other.result() for other in others]
    assert sorted(report.tasks for report in reports) == [0, 50]
    assert [report.refused for report in reports] == [0, 0]
    assert Task.objects.count() == 50


@pytest.mark.parametrize("name", IMPORTERS)
def test_every_format_reads_its_own_example(name, project):
    file = io.BytesIO(IMPORTERS[name].example_file)
    report = import_file(project, file, format=name)
    assert report.lines > 0
    assert report.refused == 0


class TestCommand:
    def run(self, capsys, *words):
        call_command("import", *map(str, words), "--json")
        return json.loads(capsys.readouterr().out.strip().splitlines()[-1])

    def test_makes_the_project_and_says_what_came_in(self, db, tmp_path, capsys):
        file = tmp_path / "f.jsonl"
        file.write_text(json.dumps(line()) + "\n{\n")
        result = self.run(capsys, file, "--project", "fresh")
        assert (result["project"], result["tasks"], result["annotations"]) == ("fresh", 1, 1)
        assert result["problems"] == [{"line": 2, "problem": "The line is not JSON."}]
        assert Project.objects.get(slug="fresh")

    def test_makes_no_project_for_a_file_without_a_good_line(self, db, tmp_path, capsys):
        file = tmp_path / "f.jsonl"
        for content in (b"", b"\x89PNG\r\n\x1a\n", b"{}\n{}\n"):
            file.write_bytes(content)
            with pytest.raises(intake.Invalid, match="No line came in"):
                self.run(capsys, file, "--project", "fresh")
        assert not Project.objects.exists()

    def test_refuses_a_file_of_which_nothing_comes_in(self, project, tmp_path, capsys):
        file = tmp_path / "f.jsonl"
        file.write_text("{}\n")
        with pytest.raises(intake.Invalid, match="Line 1: A line needs a “prompt”"):
            self.run(capsys, file, "--project", project.slug)

    def test_puts_tasks_into_the_queue_that_it_is_told(self, project, tmp_path, capsys):
        queue = create_queue(project, name="Mine", type="pairwise", actor=None)
        set_queue_state(queue, "paused", actor=None)
        file = tmp_path / "f.jsonl"
        file.write_text(json.dumps(line()))
        self.run(capsys, file, "--project", project.slug, "--queue", "Mine")
        assert Task.objects.get().queue == queue
