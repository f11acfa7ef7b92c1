"""What people say of single outputs and prompts, on its way into datasets and tags."""

import json

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.agree import agreement
from annotation.assign import next_assignment
from annotation.correct import correct
from annotation.create_queue import create_queue
from annotation.export import lines_of
from annotation.export_feedback import as_jsonl, export_feedback
from annotation.fill_queue import fill_queue
from annotation.freeze import NothingToFreeze, freeze, rows_of
from annotation.intake import import_file
from annotation.models import Annotation, Annotator, Assignment, Prompt, Standing, Task
from annotation.preview import preview
from annotation.recipe import BadRecipe
from annotation.retag import retag, retag_answered_by
from annotation.submit import BadAnswer, submit
from annotation.task_types import TASK_TYPES
from tests import make


def question(project, type, outputs=("one", "two"), **options):
    """A task in a queue of that type with these options."""
    name = f"A {type} queue"
    queue = project.queues.filter(name=name).first()
    queue = queue or create_queue(project, name=name, type=type, options=options, actor=None)
    return make.task(project, queue=queue, outputs=outputs, answers=0)


def said(task, by="w1", **answer):
    """Somebody's answer that came with a file."""
    person = Annotator.objects.filter(project=task.queue.project, name=by).first()
    slot = Assignment.objects.create(
        task=task,
        queue=task.queue,
        annotator=person or make.annotator(task.queue.project, by),
        state=Assignment.State.ANSWERED,
        purpose=Assignment.Purpose.IMPORT,
    )
    return Annotation.objects.create(assignment=slot, answer=answer, key=f"said-{slot.pk}")


def rated(task, by="w1", **levels):
    ratings = {ref: {"Overall": level} for ref, level in levels.items()}
    return said(task, by, ratings=ratings)


def frozen(project, kind, **recipe):
    """The rows of all splits, those of one task after the other."""
    version = freeze(project, name=f"{kind}-rows", kind=kind, recipe=recipe, actor=None)
    rows = [row for split in version.manifest["files"] for row in rows_of(version, split)]
    return version, sorted(rows, key=lambda row: row["task"])


@pytest.mark.parametrize("kind", ["unpaired_preference", "label", "critique"])
def test_tasks_without_a_prompt_say_nothing_of_outputs(project, kind):
    """A project may have chats and prompts that people write beside what is frozen."""
    for type in ("prompt_writing", "chat"):
        task = make.task(project, type=type, outputs=())
        task.prompt = None
        task.save()
        said(task, "w2", **TASK_TYPES[type].example_answer)
    rated(question(project, "rating"), a=7, b=1)
    said(question(project, "critique", outputs=("one",)), text="It says five; four is right.")
    said(question(project, "moderation", outputs=("one",)), labels={"Violence": 2})
    _, rows = frozen(project, kind)
    assert rows


# --- preferences and agreement from ratings


def test_the_order_of_ratings_gives_preferences(project):
    task = question(project, "rating")
    rated(task, "w1", a=2, b=6)
    rated(task, "w2", a=3, b=5)
    rated(task, "w3", a=4, b=4)
    _, [row] = frozen(project, "preference")
    assert (row["chosen"], row["rejected"]) == ("two", "one")
    assert (row["votes_chosen"], row["votes_tied"]) == (2, 1)


def test_the_first_aspect_decides(project):
    task = question(project, "rating", aspects=["Right: 5", "Kind: 5"])
    said(task, ratings={"a": {"Right": 4, "Kind": 1}, "b": {"Right": 2, "Kind": 5}})
    _, [row] = frozen(project, "preference")
    assert row["chosen"] == "one"


def test_ratings_agree_as_their_order_does(project):
    for _ in range(3):
        task = question(project, "rating")
        rated(task, "w1", a=2, b=6)
        rated(task, "w2", a=6, b=7)
    assert agreement(project).percent_agreement == 100


def test_one_rated_output_is_no_preference(project):
    rated(question(project, "rating", outputs=["one"]), a=6)
    with pytest.raises(NothingToFreeze):
        frozen(project, "preference")


# --- good and bad outputs


def test_ratings_call_outputs_good_or_bad(project):
    task = question(project, "rating", outputs=["one", "two", "three"])
    rated(task, "w1", a=7, b=1, c=4)
    rated(task, "w2", a=5, b=3, c=4)
    version, rows = frozen(project, "unpaired_preference")
    assert [(row["completion"], row["label"]) for row in rows] == [("one", True), ("two", False)]
    assert rows[0]["score"] == pytest.approx(5 / 6, abs=1e-6)
    assert version.manifest["counts"]["between"] == 1
    assert version.manifest["annotators"] == 2
    _, rows = frozen(project, "unpaired_preference", good_from=0.5, bad_to=0.3)
    assert [row["label"] for row in rows] == [True, False, True]


def test_a_flag_makes_an_output_bad_where_the_recipe_says_so(project):
    task = question(project, "rating", flags=["Harmful"])
    ratings = {"a": {"Overall": 7}, "b": {"Overall": 7}}
    said(task, "w1", ratings=ratings, flags={"b": ["Harmful"]})
    said(task, "w2", ratings=ratings)
    _, rows = frozen(project, "unpaired_preference")
    assert [row["label"] for row in rows] == [True, True]
    _, rows = frozen(project, "unpaired_preference", flags=["Harmful"])
    assert [(row["label"], row["flagged"]) for row in rows] == [(True, False), (False, True)]


def test_harmless_outputs_are_good_and_harmful_ones_bad(project):
    said(question(project, "moderation", outputs=["kind"]), labels={})
    said(question(project, "moderation", outputs=["vile"]), labels={"Violence": 1})
    said(question(project, "moderation", outputs=[]), labels={"Violence": 3})
    _, rows = frozen(project, "unpaired_preference")
    assert [(row["completion"], row["label"]) for row in rows] == [("kind", True), ("vile", False)]


def test_what_is_all_bad_is_bad(project):
    make.vote(make.task(project), "ab", all_bad=True)
    _, rows = frozen(project, "unpaired_preference")
    assert [row["label"] for row in rows] == [False, False]


def test_says_why_nothing_is_good_or_bad(project):
    rated(question(project, "rating"), a=4, b=4)
    with pytest.raises(NothingToFreeze, match="2 are neither good nor bad"):
        frozen(project, "unpaired_preference")
    with pytest.raises(BadRecipe, match="must be below"):
        frozen(project, "unpaired_preference", good_from=0.3, bad_to=0.5)


# --- labels


def test_labels_say_how_many_say_so_and_the_mean_of_levels(project):
    task = question(project, "moderation", outputs=["vile"], labels=["Hate", "Violence"])
    said(task, "w1", labels={"Hate": 3})
    said(task, "w2", labels={"Hate": 2})
    said(task, "w3", labels={})
    _, rows = frozen(project, "label")
    by_name = {row["name"]: row for row in rows}
    assert by_name["Hate"]["level"] == pytest.approx(5 / 3, abs=1e-6)
    assert (by_name["Hate"]["votes"], by_name["Hate"]["voters"]) == (2, 3)
    # What nobody says is a label too: a classifier needs what is not so.
    assert (by_name["Violence"]["level"], by_name["Violence"]["share"]) == (0, 0)
    assert by_name["Hate"]["completion"] == "vile"


def test_classes_of_prompts_are_labels_without_a_completion(project):
    task = question(project, "classify", outputs=[])
    said(task, "w1", labels={"Topic": ["code"], "Difficulty": ["easy"]})
    said(task, "w2", labels={"Topic": ["maths"], "Difficulty": ["easy"]})
    said(task, "w3", labels={"Topic": ["code"], "Difficulty": ["hard"]})
    version, rows = frozen(project, "label")
    said_most = [(row["name"], row["value"], row["votes"]) for row in rows]
    assert said_most == [("Difficulty", "easy", 2), ("Topic", "code", 2)]
    assert {row["completion"] for row in rows} == {None}
    split = next(iter(version.manifest["files"]))
    first = json.loads(next(iter(lines_of(version, "labels", split))))
    assert first["completion"] == []


def test_the_card_says_what_the_rows_are(project, client, clara):
    rated(question(project, "rating"), a=7, b=1)
    version, _ = frozen(project, "label")
    client.force_login(clara)
    page = client.get(
        reverse("version", args=["demo", "label-rows", version.number])
    ).content.decode()
    assert "Overall" in page
    assert "What people call outputs" in page


# --- critiques and marks


def test_critiques_and_marks_are_rows_of_one_person_each(project):
    task = question(project, "critique", outputs=["Five."])
    said(task, "w1", labels=["Wrong"], text="It is four.")
    said(task, "w2", labels=[])
    spans = question(project, "spans", outputs=["It is five."])
    said(spans, spans=[{"output": "a", "start": 6, "end": 10, "label": "Wrong", "severity": 2}])
    version, rows = frozen(project, "critique")
    assert [(row["critique"], row["labels"], row["quote"]) for row in rows] == [
        ("It is four.", ["Wrong"], ""),
        ("", ["Wrong"], "five"),
    ]
    assert (rows[1]["start"], rows[1]["end"], rows[1]["severity"]) == (6, 10, 2)
    assert [len(row["annotations"]) for row in rows] == [1, 1]
    assert version.manifest["annotations"] == 2


@pytest.mark.parametrize("kind", ["unpaired_preference", "label", "critique"])
def test_every_kind_has_its_page(project, client, clara, kind):
    rated(question(project, "rating"), a=7, b=1)
    said(question(project, "critique", outputs=["Five."]), labels=["Wrong"], text="No.")
    client.force_login(clara)
    page = client.get(f"/p/demo/new-dataset/?kind={kind}").content.decode()
    assert f'name="kind" value="{kind}"' in page
    version, rows = frozen(project, kind)
    page = client.get(
        f"/p/demo/datasets/{kind}-rows/1/?split={next(iter(version.manifest['files']))}"
    )
    assert "Show the answer behind it" in page.content.decode()
    split = next(iter(version.manifest["files"]))
    votes = client.get(f"/p/demo/datasets/{kind}-rows/1/rows/{split}/0/votes/")
    assert votes.status_code in (200, 404)


# --- tags


def test_prompts_are_tagged_with_what_most_people_say(project, alice):
    task = question(project, "classify", outputs=[])
    said(task, "w1", labels={"Topic": ["code"], "Difficulty": ["hard"]})
    Assignment.objects.create(task=task, queue=task.queue)
    slot = next_assignment(project, alice)
    given = submit(slot, {"labels": {"Topic": ["code"], "Difficulty": ["easy"]}}, key="one")
    task.prompt.refresh_from_db()
    assert task.prompt.judged_tags == ["Topic:code"]
    correct(given, {"labels": {"Topic": ["maths"], "Difficulty": ["hard"]}}, key="two")
    task.prompt.refresh_from_db()
    assert task.prompt.judged_tags == ["Difficulty:hard"]
    retag([task.prompt.pk])
    task.prompt.refresh_from_db()
    assert task.prompt.judged_tags == ["Difficulty:hard"]


def test_what_people_say_selects_prompts_as_their_own_tags_do(project):
    classified, other = question(project, "classify", outputs=[]), make.task(project)
    said(classified, labels={"Topic": ["code"], "Difficulty": ["hard"]})
    retag([classified.prompt.pk])
    about = make.task(project, prompt_text=classified.prompt.text)
    assert about.prompt == classified.prompt
    make.vote(about, "a", "b")
    make.vote(other, "a", "b")
    _, [row] = frozen(project, "preference", tags=["Topic:code"])
    assert row["task"] == about.pk
    assert row["tags"] == ["Difficulty:hard", "Topic:code"]
    assert list(Prompt.objects.narrowed(tag="Topic:code")) == [classified.prompt]


def test_a_file_that_classifies_tags_too_and_goes_out_as_it_came(project, tmp_path):
    line = {
        "id": "one",
        "prompt": [{"role": "user", "content": "What is two and two?"}],
        "task_type": "classify",
        "annotations": [
            {"annotator": "w1", "answer": {"labels": {"Topic": ["maths"], "Difficulty": ["easy"]}}}
        ],
    }
    file = tmp_path / "in.jsonl"
    file.write_text(json.dumps(line))
    assert import_file(project, file).annotations == 1
    assert Prompt.objects.get().judged_tags == ["Difficulty:easy", "Topic:maths"]
    assert [json.loads(one) for one in as_jsonl(export_feedback(project))] == [line]


# --- files, queues and programs


@pytest.mark.parametrize("name", TASK_TYPES)
def test_every_answer_goes_out_as_it_came(project, tmp_path, name):
    task_type = TASK_TYPES[name]
    if not task_type.needs_prompt:
        pytest.skip("its tasks have no prompt")
    texts = {"a": "It is four, as anyone can see.", "b": "Five."}
    refs = list(texts)[: task_type.max_outputs]
    line = {
        "id": "one",
        "prompt": [{"role": "user", "content": "What is two and two?"}],
        "task_type": name,
        "outputs": [{"id": ref, "text": texts[ref]} for ref in refs],
        "annotations": [{"annotator": "w1", "answer": task_type.example_answer}],
    }
    file = tmp_path / "in.jsonl"
    file.write_text(json.dumps(line))
    report = import_file(project, file)
    assert [str(problem) for problem in report.problems] == []
    [out] = [json.loads(one) for one in as_jsonl(export_feedback(project))]
    assert out["annotations"] == line["annotations"]


def test_a_mark_behind_the_text_is_refused_in_a_file(project, tmp_path):
    span = {"output": "1", "start": 0, "end": 99, "label": "Wrong", "severity": 1}
    line = {
        "prompt": [{"role": "user", "content": "What is two and two?"}],
        "task_type": "spans",
        "outputs": [{"text": "Four."}],
        "annotations": [{"annotator": "w1", "answer": {"spans": [span]}}],
    }
    file = tmp_path / "in.jsonl"
    file.write_text(json.dumps(line))
    [problem] = import_file(project, file).problems
    assert "A mark ends at 99, and the text has 5 characters." in str(problem)


@pytest.mark.parametrize("type", ["classify", "moderation"])
def test_a_queue_is_filled_with_prompts_alone(project, clara, client, type):
    for number in range(3):
        make.prompt(project, f"Question {number}?")
    client.force_login(clara)
    page = client.post(f"/p/demo/new-queue/?type={type}", _form(type), follow=True)
    assert "The queue is open" in page.content.decode()
    queue = project.queues.get()
    page = client.get(f"/p/demo/queues/{queue.pk}/").content.decode()
    assert queue.task_type.label in page
    client.post(f"/p/demo/queues/{queue.pk}/fill/", {"outputs_each": 0, "limit": 10})
    assert Task.objects.filter(queue=queue, task_outputs=None).count() == 3
    with pytest.raises(Exception, match="No prompt fits"):
        fill_queue(queue, Prompt.objects.all(), outputs_each=0, actor=clara)


def _form(type):
    options = {
        "classify": {"option.questions": "Topic: code, maths\nTone (several): kind, rude"},
        "moderation": {"option.labels": "Hate\nViolence", "option.severities": ""},
    }[type]
    return {"type": type, "name": "Sort", "overlap": 1, "guideline": "", **options}


def test_the_console_says_which_line_is_no_scale(project, clara, client):
    client.force_login(clara)
    form = {"type": "rating", "name": "Rate", "overlap": 1, "option.aspects": "Helpful"}
    page = client.post("/p/demo/new-queue/?type=rating", form)
    assert page.status_code == 422
    assert "“Helpful” needs its levels" in page.content.decode()


def test_a_program_answers_by_positions(project, alice, client):
    task = question(project, "rating")
    Assignment.objects.create(task=task, queue=task.queue)
    client.force_login(alice)

    def post(address, body):
        return client.post(f"/api/projects/demo/{address}", body, "application/json")

    asked = post("next/", {}).json()["question"]
    slot = Assignment.objects.get(state="held")
    bad = {"answer": {"ratings": {"2": {"Overall": 1}}}, "key": "k"}
    refused = post(f"assignments/{asked['id']}/answer/", bad)
    assert refused.status_code == 422
    assert "no output at position" in refused.content.decode()
    good = {"answer": {"ratings": {"0": {"Overall": 1}, "1": {"Overall": 5}}}, "key": "k"}
    assert post(f"assignments/{asked['id']}/answer/", good).status_code == 201
    given = Annotation.objects.get()
    assert given.answer["ratings"][slot.shown[1]] == {"Overall": 5}


def test_all_bad_is_refused_without_a_reason_where_one_is_wanted(project, alice):
    queue = create_queue(
        project, name="Pairs", type="pairwise", options={"say_why_bad": True}, actor=None
    )
    make.task(project, queue=queue)
    slot = next_assignment(project, alice)
    bad = {"tiers": [["a", "b"]], "all_bad": True}
    with pytest.raises(BadAnswer, match="Say why both are bad"):
        submit(slot, bad, key="one", reason="  ")
    assert submit(slot, bad, key="one", reason="Both lie.").reason == "Both lie."


def test_the_queries_of_a_freeze_do_not_grow_with_its_tasks(project, django_assert_max_num_queries):
    for _ in range(30):
        rated(question(project, "rating"), a=7, b=1)
    with django_assert_max_num_queries(12):
        preview(project, "unpaired_preference")


def test_who_is_left_out_of_merges_tags_nothing(project):
    task = question(project, "classify", outputs=[])
    said(task, "w1", labels={"Topic": ["code"], "Difficulty": ["hard"]})
    careless = said(task, "w2", labels={"Topic": ["facts"], "Difficulty": ["easy"]})
    retag([task.prompt.pk])
    task.prompt.refresh_from_db()
    assert task.prompt.judged_tags == []
    person = careless.assignment.annotator
    Standing.objects.create(annotator=person, queue=task.queue, left_out_at=timezone.now())
    retag_answered_by(person.pk, task.queue)
    task.prompt.refresh_from_db()
    assert task.prompt.judged_tags == ["Difficulty:hard", "Topic:code"]
