"""The pages and the API of agreement and datasets."""

import io
import json

import pyarrow.parquet
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.freeze import freeze
from annotation.models import DatasetVersion
from tests import make
from truing.make_token import make_token

HTMX = {"HTTP_HX_REQUEST": "true"}
FORM = {
    "previewed": "yes",
    "kind": "preference",
    "name": "first",
    "note": "",
    "tags": "",
    "sources": "",
    "aggregator": "majority",
    "minimum_votes": "1",
    "minimum_agreement": "0",
    "ties": "drop",
    "all_bad": "drop",
    "pairs": "all",
}


@pytest.fixture
def judged(project):
    task = make.task(project, outputs=("a **good** one", "<script>bad()</script>"))
    for name, tiers in (("ann", "ab"), ("bo", "ab"), ("cy", "ba")):
        make.vote(task, *tiers, by=name, strength=2)
    type(task.prompt).objects.update(split="train")
    return task


@pytest.fixture
def version(project, judged):
    return freeze(project, name="first", kind="preference", actor=None, note="For the *start*.")


@pytest.fixture
def visitor(client, clara):
    client.force_login(clara)
    return client


@pytest.fixture
def program(client, clara):
    _, secret = make_token(clara, name="test")
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
    return client


def text_of(response):
    return " ".join(response.content.decode().split())


class TestAgreement:
    def test_comes_at_once_and_then_asks_for_its_numbers(self, visitor, judged):
        page = visitor.get("/p/demo/agreement/")
        assert "Counting the answers" in text_of(page)
        assert 'hx-get="/p/demo/agreement/"' in text_of(page)

    def test_shows_numbers_and_what_they_mean(self, visitor, project, judged):
        make.vote(make.task(project), "b", "a", by="ann")
        numbers = text_of(visitor.get("/p/demo/agreement/", **HTMX))
        assert "<html" not in numbers
        assert "33.3 %" in numbers
        assert "ann" in numbers
        assert "0.0000" in numbers  # two against one is what chance gives
        assert "None. People agree no more than by chance" in numbers

    def test_explains_what_is_not_defined(self, visitor, project):
        make.vote(make.task(project), "a", "b")
        numbers = text_of(visitor.get("/p/demo/agreement/", **HTMX))
        assert "No question has two answers yet" in numbers
        assert "nan" not in numbers.lower()

    def test_explains_why_unanimity_is_not_defined(self, visitor, project):
        task = make.task(project)
        make.vote(task, "a", "b", by="ann")
        make.vote(task, "a", "b", by="bo")
        numbers = text_of(visitor.get("/p/demo/agreement/", **HTMX))
        assert "All answers that can be compared are the same one" in numbers
        assert "both always say the same" in numbers

    def test_names_all_queues_in_a_table_and_draws_the_chosen_one(self, visitor, project):
        for name, answers in (("Alike", "aa"), ("Apart", "ab")):
            task = make.task(project, queue=make.queue(project, name))
            for number, better in enumerate(answers):
                make.vote(task, better, "b" if better == "a" else "a", by=f"w{number}")
        page = visitor.get("/p/demo/agreement/", **HTMX)
        numbers = text_of(page)
        assert numbers.count("What was answered") == 1
        rows = [(one["name"], one["reading"]) for one in page.context["queues"]]
        assert rows == [("Alike", "Not defined"), ("Apart", "None")]
        address = f"/p/demo/agreement/?queue={page.context['queues'][1]['pk']}"
        assert f'href="{address}"' in numbers
        assert f'hx-get="{address}"' in text_of(visitor.get(address))
        chosen = text_of(visitor.get(address, **HTMX))
        assert "Apart" in chosen
        assert "Alike" not in chosen
        assert "0.0 %" in chosen
        assert visitor.get("/p/demo/agreement/?queue=0").status_code == 404
        assert visitor.get("/p/demo/agreement/?queue=x").status_code == 404

    def test_asks_no_more_where_there_are_more_queues(self, visitor, project):
        counts = []
        for queues in (2, 10):
            for number in range(queues):
                queue = make.queue(project, f"{number} of {queues}")
                make.vote(make.task(project, queue=queue), "a", "b", by="w1")
            with CaptureQueriesContext(connection) as queries:
                visitor.get("/p/demo/agreement/", **HTMX)
            counts.append(len(queries))
        assert counts[0] == counts[1]

    def test_says_so_where_there_are_no_answers(self, visitor):
        assert "No answers yet" in text_of(visitor.get("/p/demo/agreement/?now"))

    def test_is_for_reviewers(self, client, rita, alice):
        client.force_login(alice)
        assert client.get("/p/demo/agreement/").status_code == 403
        client.force_login(rita)
        assert client.get("/p/demo/agreement/").status_code == 200


class TestFreezePage:
    def test_shows_a_form_for_each_kind(self, visitor, judged):
        page = text_of(visitor.get("/p/demo/new-dataset/"))
        for name in ("queues", "aggregator", "minimum_agreement", "ties", "all_bad", "pairs"):
            assert f'name="{name}"' in page
        page = text_of(visitor.get("/p/demo/new-dataset/?kind=instruction"))
        assert 'name="aggregator"' not in page
        assert "human</textarea>" in page
        assert visitor.get("/p/demo/new-dataset/?kind=poem").status_code == 404

    def test_counts_before_anything_is_frozen(self, visitor, project, judged):
        make.vote(make.task(project), "ab")
        found = visitor.get("/p/demo/new-dataset/", FORM, **HTMX)
        assert 'data-total="1"' in text_of(found)
        assert "<html" not in text_of(found)
        found = visitor.get("/p/demo/new-dataset/", {**FORM, "ties": "both"}, **HTMX)
        assert 'data-total="3"' in text_of(found)
        assert not DatasetVersion.objects.exists()

    def test_a_wrong_value_gets_its_sentence_where_the_counts_would_be(self, visitor, judged):
        found = visitor.get("/p/demo/new-dataset/", {**FORM, "minimum_agreement": "2"}, **HTMX)
        assert found.status_code == 422
        assert "Minimum agreement must be at most 1" in text_of(found)
        assert 'id="preview"' in text_of(found)

    def test_freezes(self, visitor, clara, judged):
        answer = visitor.post("/p/demo/new-dataset/", {**FORM, "note": "Hello."}, follow=True)
        version = DatasetVersion.objects.get()
        assert answer.redirect_chain[-1][0] == "/p/demo/datasets/first/1/"
        assert "demo/first@1 is frozen." in text_of(answer)
        assert (version.note, version.created_by) == ("Hello.", clara)

    def test_says_when_nothing_has_changed(self, visitor, version):
        answer = visitor.post("/p/demo/datasets/first/freeze/", FORM, follow=True)
        assert "Nothing has changed: demo/first@1" in text_of(answer)
        assert DatasetVersion.objects.count() == 1

    def test_a_refusal_keeps_what_was_written(self, visitor, judged):
        written = {**FORM, "name": "no good", "note": "Remember me.", "tags": "k8s"}
        answer = visitor.post("/p/demo/new-dataset/", written)
        assert answer.status_code == 422
        for words in ("A dataset's name has letters", 'value="no good"', "Remember me.", "k8s"):
            assert words in text_of(answer).replace("&#x27;", "'")
        assert not DatasetVersion.objects.exists()

    def test_starts_from_the_last_recipe(self, visitor, version, project):
        freeze(
            project,
            name="first",
            kind="preference",
            recipe={"minimum_votes": 3, "queues": ["A pairwise queue"]},
            actor=None,
        )
        page = text_of(visitor.get("/p/demo/datasets/first/freeze/"))
        assert 'name="minimum_votes" value="3"' in page
        assert "checked" in page

    def test_chosen_queues_reach_the_recipe(self, visitor, judged):
        visitor.post("/p/demo/new-dataset/", {**FORM, "queues": ["A pairwise queue"]})
        assert DatasetVersion.objects.get().recipe["queues"] == ["A pairwise queue"]


class TestPages:
    def test_the_list_shows_each_dataset_with_its_newest_version(self, visitor, project, version):
        make.vote(make.task(project), "a", "b")
        freeze(project, name="first", kind="preference", actor=None)
        page = text_of(visitor.get("/p/demo/datasets/"))
        assert 'href="/p/demo/datasets/first/2/"' in page
        assert 'href="/p/demo/datasets/first/"' in page

    def test_the_list_begins_with_a_way_to_begin(self, visitor):
        page = text_of(visitor.get("/p/demo/datasets/"))
        assert "No datasets yet" in page
        assert reverse("new_dataset", args=["demo"]) in page

    def test_a_dataset_shows_its_versions(self, visitor, version):
        page = text_of(visitor.get("/p/demo/datasets/first/"))
        assert "first@1" in page
        assert version.digest[:12] in page
        assert "all but reviews" in page

    def test_a_version_shows_its_rows_sanitised(self, visitor, version):
        page = text_of(visitor.get("/p/demo/datasets/first/1/"))
        assert "<strong>good</strong>" in page
        assert "<script>bad()" not in page
        assert "2 of 3 votes for the chosen" in page
        assert version.digest in page
        assert "<em>start</em>" in page

    def test_rows_come_page_by_page(self, visitor, project, judged):
        for number in range(11):
            task = make.task(project, outputs=(f"good {number}", "bad"))
            make.vote(task, "a", "b")
        type(judged.prompt).objects.update(split="train")
        freeze(project, name="first", kind="preference", actor=None)
        page = text_of(visitor.get("/p/demo/datasets/first/1/?split=train&start=5", **HTMX))
        assert "<html" not in page
        assert "6 to 10 of 12" in page
        assert "start=10" in page
        page = text_of(visitor.get("/p/demo/datasets/first/1/?start=10", **HTMX))
        assert "11 to 12 of 12" in page
        assert "start=15" not in page

    def test_a_side_without_rows_is_not_there(self, visitor, version):
        assert visitor.get("/p/demo/datasets/first/1/?split=eval").status_code == 404
        assert visitor.get("/p/demo/datasets/first/2/").status_code == 404
        assert visitor.get("/p/demo/datasets/other/1/").status_code == 404

    def test_a_row_shows_the_votes_behind_it(self, visitor, version):
        votes = text_of(visitor.get("/p/demo/datasets/first/1/rows/train/0/votes/", **HTMX))
        assert votes.count("prefers the chosen</span>") == 2
        assert votes.count("prefers the rejected</span>") == 1
        assert "ann" in votes
        assert visitor.get("/p/demo/datasets/first/1/rows/train/1/votes/").status_code == 404

    def test_downloads_are_streamed(self, visitor, version):
        answer = visitor.get("/p/demo/datasets/first/1/download/trl_preference/train/")
        assert answer.streaming
        assert "first-1-trl_preference-train.jsonl" in answer.headers["Content-Disposition"]
        [row] = [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]
        assert row["chosen"] == [{"role": "assistant", "content": "a **good** one"}]

    def test_a_format_that_does_not_fit_is_refused_with_a_sentence(self, visitor, version):
        answer = visitor.get("/p/demo/datasets/first/1/download/trl_language_modeling/train/")
        assert answer.status_code == 422
        assert "cannot hold a dataset of kind preference" in text_of(answer)

    def test_the_files_themselves_can_be_had(self, visitor, version):
        stored = visitor.get("/p/demo/datasets/first/1/files/train/")
        assert b"".join(stored.streaming_content)[:4] == b"PAR1"
        name = version.manifest["files"]["train"]["name"]
        assert name in stored.headers["Content-Disposition"]
        manifest = visitor.get("/p/demo/datasets/first/1/files/manifest/")
        assert json.loads(manifest.content)["digest"] == version.digest
        card = visitor.get("/p/demo/datasets/first/1/files/card/")
        assert card.content.decode().startswith("---\nlicense: unknown")
        assert visitor.get("/p/demo/datasets/first/1/files/eval/").status_code == 404

    def test_demonstrations_are_shown_too(self, visitor, project):
        prompt = make.prompt(project)
        make.output(prompt, "By hand.", source="human")
        freeze(project, name="demos", kind="instruction", actor=None)
        page = text_of(visitor.get("/p/demo/datasets/demos/1/"))
        assert "By hand." in page
        assert "votes behind" not in page

    def test_queries_do_not_grow_with_the_rows(
        self, visitor, project, version, django_assert_max_num_queries
    ):
        for number in range(10):
            make.vote(make.task(project), "a", "b")
            freeze(project, name=f"set-{number}", kind="preference", actor=None)
            freeze(project, name="first", kind="preference", actor=None)
        for address in ("datasets/", "datasets/first/", "datasets/first/11/"):
            with django_assert_max_num_queries(8):
                assert visitor.get(f"/p/demo/{address}").status_code == 200


class TestApi:
    def test_says_how_far_annotators_agree(self, program, judged):
        found = program.get("/api/projects/demo/agreement/").json()
        assert (found["tasks"], found["annotations"], found["annotators"]) == (1, 3, 3)
        found = program.get("/api/projects/demo/agreement/?queue=A pairwise queue").json()
        assert found["tasks"] == 1
        refused = program.get("/api/projects/demo/agreement/?queue=None such")
        assert refused.status_code == 404
        assert refused.json() == {"detail": "There is no queue “None such” in demo."}

    def test_previews_freezes_and_reads(self, program, judged):
        asked = {"kind": "preference", "recipe": {"minimum_votes": 3}}

        def post(address, body):
            return program.post(f"/api/projects/demo/{address}", body, "application/json")

        counted = post("dataset-preview/", asked).json()
        assert counted["counts"]["decided"] == 1
        assert not DatasetVersion.objects.exists()

        made = post("datasets/", {**asked, "name": "first", "note": "By a program."})
        assert made.status_code == 201
        assert made.json()["version"] == "demo/first@1"
        assert made.json()["rows"] == {"train": 1, "eval": 0, "review": 0}

        [listed] = program.get("/api/projects/demo/datasets/").json()["results"]
        assert listed["name"] == "first"
        [one] = program.get("/api/projects/demo/datasets/first/").json()["results"]
        assert one["note"] == "By a program."
        found = program.get("/api/projects/demo/datasets/first/1/").json()
        assert found["manifest"]["annotators"] == 3
        rows = program.get("/api/projects/demo/datasets/first/1/rows/trl_preference/train/")
        [row] = [json.loads(line) for line in b"".join(rows.streaming_content).splitlines()]
        assert list(row) == ["prompt", "chosen", "rejected"]

    @pytest.mark.parametrize(
        ("body", "sentence"),
        [
            ({}, "required"),
            ({"kind": "preference", "name": "x y"}, "A dataset's name has letters"),
            ({"kind": "poem", "name": "x"}, "is not a valid choice"),
            ({"kind": "preference", "name": "x", "recipe": {"colour": 1}}, "has no “colour”"),
            ({"kind": "preference", "name": "x", "color": 1}, "There is no “color” here"),
            ({"kind": "preference", "name": "x"}, "selects no task"),
        ],
    )
    def test_bad_input_gets_one_sentence(self, program, project, body, sentence):
        answer = program.post("/api/projects/demo/datasets/", body, "application/json")
        assert answer.status_code == 422
        assert sentence in answer.json()["detail"]
        assert not DatasetVersion.objects.exists()


def test_a_version_is_downloaded_with_columns_too(client, project, clara):
    version = pairs(project)
    client.force_login(clara)
    address = reverse("version_download", args=["demo", "first", 1, "trl_preference", "train"])
    response = client.get(address, {"container": "parquet"})
    assert "first-1-trl_preference-train.parquet" in response.headers["Content-Disposition"]
    table = pyarrow.parquet.read_table(io.BytesIO(b"".join(response.streaming_content)))
    assert table.num_rows == version.manifest["rows"]["train"]
    assert set(table.column_names) >= {"prompt", "chosen", "rejected"}
    assert client.get(address, {"container": "floppy"}).status_code == 404


def test_a_page_says_how_many_rows_a_trainer_would_drop(client, project, clara):
    pairs(project, outputs=("a good answer " * 40, "a bad answer"))
    client.force_login(clara)
    address = reverse("version_lengths", args=["demo", "first", 1])
    page = client.get(reverse("version", args=["demo", "first", 1])).content.decode()
    assert address in page
    long = client.get(address, {"length": 20, "format": "trl_preference"}).content.decode()
    assert 'data-longer="3"' in long
    assert "a reward trainer drops them" in long
    fits = client.get(address, {"length": 5000}, headers={"HX-Request": "true"}).content.decode()
    assert "All 3 rows fit" in fits
    assert "<html" not in fits


def pairs(project, outputs=("a good answer", "a bad answer")):
    for number in range(3):
        task = make.task(project, outputs=outputs, prompt_text=f"Question {number}?")
        type(task.prompt).objects.filter(pk=task.prompt.pk).update(split="train")
        make.vote(task, "a", "b")
    return freeze(project, name="first", kind="preference", actor=None)


def test_datasets_are_found_by_name_and_kind(client, project, clara):
    pairs(project)
    freeze(project, name="answers", kind="instruction", recipe={"sources": ["model 0"]}, actor=None)
    client.force_login(clara)

    def found(**asked):
        response = client.get(reverse("datasets", args=["demo"]), asked)
        return [one.name for one in response.context["datasets"]]

    assert found() == ["answers", "first"]
    assert found(q="FIR") == ["first"]
    assert found(kind="instruction") == ["answers"]
    assert found(q="nothing") == []
