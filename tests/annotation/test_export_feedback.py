import gzip
import io
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.assign import next_assignment
from annotation.correct import correct
from annotation.create_queue import create_queue
from annotation.export_feedback import as_jsonl, export_feedback
from annotation.intake import import_file
from annotation.models import Annotator, Queue
from annotation.skip import skip
from annotation.submit import submit
from tests import make

FULL = {
    "id": "full",
    "prompt": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Why is the sky blue? 🌈"},
    ],
    "language": "en",
    "source": "physics",
    "tags": ["sky", "a"],
    "task_type": "pairwise",
    "outputs": [
        {"id": "97", "text": "Scattering.", "source": "m1", "params": {"temperature": 0.7}},
        {"id": "98", "text": "", "source": "m1"},
    ],
    "annotations": [
        {
            "annotator": "w1",
            "answer": {"tiers": [["97"], ["98"]], "strength": 2},
            "shown": ["98", "97"],
            "seconds": 41.5,
            "at": "2026-01-02T03:04:05.120Z",
            "reason": "It says something.",
            "earlier": [
                {"answer": {"tiers": [["97", "98"]]}, "at": "2026-01-02T03:04:04Z"},
                {"answer": {"tiers": [["98"], ["97"]]}, "shown": ["98", "97"], "seconds": 3.0},
            ],
            "guideline": 2,
        },
        {"annotator": "w2", "skipped": True, "at": "2026-01-02T03:04:05.000001Z", "reason": "hard"},
        {"annotator": "w1", "answer": {"tiers": [["97"], ["98"]]}, "purpose": "repeat", "round": 2},
        {"annotator": "w3", "answer": {"tiers": [["97", "98"]]}},
    ],
    "gold": {"tiers": [["97"], ["98"]]},
    "meta": {"topic": "a", "deep": [{"x": None, "big": 1e22}], "empty": {}},
}
PROMPT_ONLY = {
    "id": "demonstration",
    "prompt": [{"role": "user", "content": "Say hello."}],
    "outputs": [{"id": "x", "text": "Hello.", "source": "human"}],
}
WAITING = {
    "id": "waiting",
    "prompt": [{"role": "user", "content": "Say hello."}],
    "task_type": "ranking",
    "tags": ["later"],
}


def import_lines(project, *lines, **options):
    text = "\n".join(json.dumps(line) for line in lines)
    report = import_file(project, io.BytesIO(text.encode()), **options)
    assert report.problems == []
    return report


def exported(project, **options):
    return list(export_feedback(project, **options))


def canonical(lines):
    return {json.dumps(line, sort_keys=True) for line in lines}


def test_gives_a_line_back_with_all_that_it_said(project):
    import_lines(project, FULL)
    assert exported(project) == [FULL]


def test_gives_prompts_without_a_task_back_after_the_tasks(project):
    import_lines(project, PROMPT_ONLY, WAITING, FULL)
    assert exported(project) == [FULL, PROMPT_ONLY, WAITING]


def test_keeps_two_lines_with_the_same_prompt_apart(project):
    twin = {**PROMPT_ONLY, "id": "another"}
    import_lines(project, PROMPT_ONLY, twin)
    assert exported(project) == [PROMPT_ONLY, twin]


def test_gives_lines_back_byte_for_byte_the_second_time(project):
    import_lines(project, {**FULL, "id": None}, PROMPT_ONLY, {"prompt": WAITING["prompt"]})
    first = b"".join(as_jsonl(export_feedback(project)))
    other = make.project("other")
    import_file(other, io.BytesIO(first))
    assert b"".join(as_jsonl(export_feedback(other))) == first


def test_an_export_changes_nothing_where_it_came_from(project):
    import_lines(project, FULL, {"prompt": WAITING["prompt"]})
    report = import_lines(project, *exported(project))
    assert (report.unchanged, report.tasks, report.prompts, report.annotations) == (2, 0, 0, 0)


def test_gives_out_what_members_said_under_their_pseudonyms(project, alice, bob):
    queue = create_queue(project, name="Q", type="pairwise", guideline="Be fair.", actor=None)
    made = make.task(project, queue=queue, answers=2)
    first = submit(next_assignment(project, alice), {"tiers": [["a"], ["b"]]}, key="1", seconds=2.0)
    correct(first, {"tiers": [["b"], ["a"]]}, key="2", reason="I misread it.")
    skip(next_assignment(project, bob), reason="Not my field.")

    [line] = exported(project)
    names = {user.name: Annotator.objects.get(user=user).pseudonym for user in (alice, bob)}
    mine, other = line["annotations"]
    assert line["id"] == made.ref
    assert mine["annotator"] == names["alice"]
    assert mine["answer"] == {"tiers": [["b"], ["a"]]}
    assert mine["reason"] == "I misread it."
    assert mine["guideline"] == 1
    assert mine["at"].endswith("Z")
    assert [one["answer"] for one in mine["earlier"]] == [{"tiers": [["a"], ["b"]]}]
    assert other["annotator"] == names["bob"]
    assert other["skipped"] is True
    assert other["reason"] == "Not my field."
    assert "alice" not in json.dumps(line)

    elsewhere = make.project("elsewhere")
    import_lines(elsewhere, line)
    assert exported(elsewhere) == [line]
    assert import_lines(project, line).unchanged == 1


def test_gives_out_one_queue(project):
    queue = create_queue(project, name="Mine", type="pairwise", actor=None)
    import_lines(project, FULL, queue=queue)
    import_lines(project, {**FULL, "id": "other"}, PROMPT_ONLY)
    assert [line["id"] for line in exported(project, queue=queue)] == ["full"]


def test_keeps_a_running_review_to_itself(project):
    review = create_queue(
        project, name="Review 1", type="pairwise", reserved_for="review", actor=None
    )
    make.task(project, queue=review)
    assert exported(project) == []
    Queue.objects.filter(pk=review.pk).update(state="closed")
    assert len(exported(project)) == 1


def test_its_queries_do_not_grow_with_the_lines(project):
    counts = []
    for number in range(2):
        import_lines(project, *({**FULL, "id": f"{number}-{place}"} for place in range(10)))
        with CaptureQueriesContext(connection) as queries:
            assert len(exported(project)) == 10 * (number + 1)
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("name", ["llmfao", "pandalm", "ukpconvarg1", "hh-harmless"])
def test_gives_real_votes_back_as_they_were(name, shared, project):
    with gzip.open(shared / name / "feedback.jsonl.gz", "rt") as file:
        lines = [json.loads(line) for line in file]
    import_file(project, shared / name / "feedback.jsonl.gz")
    back = exported(project)
    assert [line["id"] for line in back] == [line["id"] for line in lines]
    assert canonical(back) == canonical(lines)
