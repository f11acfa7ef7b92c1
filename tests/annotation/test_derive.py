"""Deriving: what of people's answers becomes a row."""

import pytest

from annotation import derive
from annotation.aggregators import AGGREGATORS
from annotation.freeze import NothingToFreeze, rows_of
from annotation.models import Output
from annotation.preview import preview
from tests import make
from tests.annotation.frozen import SPLITS, first, pairs, rows


class TestRows:
    def test_a_row_says_what_people_prefer_and_whose_answers_are_behind_it(self, project, judged):
        [row] = rows(first(project))
        annotations = [
            annotation.pk
            for slot in judged.assignments.order_by("pk")
            for annotation in slot.annotations.all()
        ]
        assert row == {
            "prompt": judged.prompt.messages,
            "chosen": "good",
            "rejected": "bad",
            "chosen_source": "model 0",
            "rejected_source": "model 1",
            "tie": False,
            "agreement": 0.75,
            "strength": 2.0,
            "votes": 4,
            "votes_chosen": 3,
            "votes_tied": 0,
            "votes_rejected": 1,
            "language": "",
            "tags": [],
            "task": judged.pk,
            "annotations": annotations,
        }

    def test_each_prompt_stands_on_its_side(self, project):
        for split in SPLITS:
            task = make.task(project, outputs=(f"{split} good", f"{split} bad"))
            type(task.prompt).objects.filter(pk=task.prompt.pk).update(split=split)
            make.vote(task, "a", "b")
        version = first(project)
        for split in SPLITS:
            assert [row["chosen"] for row in rows_of(version, split)] == [f"{split} good"]

    def test_an_empty_side_has_no_file(self, project, judged):
        version = first(project)
        assert list(version.manifest["files"]) == [judged.prompt.split]
        empty = next(split for split in SPLITS if split != judged.prompt.split)
        assert list(rows_of(version, empty)) == []

    def test_an_empty_output_stays(self, project):
        make.vote(make.task(project, outputs=("", "something")), "b", "a")
        assert pairs(first(project)) == [("something", "")]

    def test_ties_are_dropped_or_stand_both_ways(self, project, judged, tied):
        assert pairs(first(project)) == [("good", "bad")]
        both = first(project, {"ties": "both"})
        assert pairs(both) == [("good", "bad"), ("that", "this"), ("this", "that")]
        assert [row["tie"] for row in rows(both)].count(True) == 2

    def test_all_bad_is_nobodys_preference(self, project, judged):
        task = make.task(project)
        make.vote(task, "ab", all_bad=True, by="w1")
        make.vote(task, "ab", all_bad=True, by="w2")
        make.vote(task, "a", "b", by="w3")
        assert pairs(first(project)) == [("good", "bad")]
        assert preview(project, "preference").left.all_bad == 1

    def test_all_bad_can_count_as_a_tie(self, project):
        task = make.task(project)
        make.vote(task, "ab", all_bad=True)
        assert len(rows(first(project, {"all_bad": "tie", "ties": "both"}))) == 2

    def test_too_little_agreement_leaves_a_pair_out(self, project, judged):
        assert len(rows(first(project, {"minimum_agreement": 0.75}))) == 1
        with pytest.raises(NothingToFreeze):
            first(project, {"minimum_agreement": 0.76})

    def test_too_few_votes_leave_a_task_out(self, project, judged):
        assert len(rows(first(project, {"minimum_votes": 4}))) == 1
        with pytest.raises(NothingToFreeze):
            first(project, {"minimum_votes": 5})

    def test_a_ranking_gives_all_pairs_or_neighbours_only(self, project):
        task = make.task(project, type="ranking", outputs=("1st", "2nd", "3rd", "also 2nd"))
        make.vote(task, "a", "bd", "c")
        both = {("1st", "2nd"), ("1st", "also 2nd"), ("2nd", "3rd"), ("also 2nd", "3rd")}
        assert set(pairs(first(project))) == both | {("1st", "3rd")}
        assert set(pairs(first(project, {"pairs": "adjacent"}))) == both

    def test_only_named_queues_count(self, project, judged):
        other = make.task(project, queue=make.queue(project, "Other"), outputs=("x", "y"))
        make.vote(other, "a", "b")
        assert pairs(first(project, {"queues": ["Other"]})) == [("x", "y")]

    def test_reviews_are_left_out_unless_they_are_named(self, project, judged):
        queue = make.queue(project, "A review", reserved_for="review", state="closed")
        make.vote(make.task(project, queue=queue, outputs=("x", "y")), "a", "b")
        assert pairs(first(project)) == [("good", "bad")]
        assert pairs(first(project, {"queues": ["A review"]})) == [("x", "y")]

    def test_a_review_that_people_still_work_on_is_never_selected(self, project, judged):
        queue = make.queue(project, "A review", reserved_for="review", state="open")
        make.vote(make.task(project, queue=queue, outputs=("x", "y")), "a", "b")
        with pytest.raises(NothingToFreeze, match="selects no task"):
            first(project, {"queues": ["A review"]})

    def test_only_prompts_with_a_tag_count(self, project, judged):
        prompt = make.prompt(project, "A tagged question", tags=["k8s", "haiku"])
        task = make.task(project, outputs=("x", "y"))
        type(task).objects.filter(pk=task.pk).update(prompt=prompt)
        make.vote(task, "a", "b")
        assert pairs(first(project, {"tags": ["haiku", "other"]})) == [("x", "y")]

    def test_only_outputs_of_named_sources_count(self, project, judged):
        make.vote(make.task(project, type="ranking", outputs=("x", "y", "z")), "a", "b", "c")
        found = first(project, {"sources": ["model 1", "model 2"]})
        assert pairs(found) == [("y", "z")]

    def test_a_correction_counts_instead_of_what_it_corrects(self, project):
        task = make.task(project, outputs=("x", "y"))
        wrong = make.vote(task, "a", "b")
        right = type(wrong).objects.create(
            assignment=wrong.assignment,
            answer={"tiers": [["b"], ["a"]]},
            key="right",
            supersedes=wrong,
        )
        [row] = rows(first(project))
        assert (row["chosen"], row["annotations"]) == ("y", [right.pk])

    @pytest.mark.parametrize("aggregator", AGGREGATORS)
    def test_every_aggregator_can_merge(self, project, judged, aggregator):
        [row] = rows(first(project, {"aggregator": aggregator}))
        assert row["chosen"] == "good"
        assert 0.5 < row["agreement"] < 1

    def test_rows_of_many_tasks_come_in_pieces(self, project, monkeypatch):
        monkeypatch.setattr(derive, "PIECE", 2)
        monkeypatch.setattr("annotation.select.PIECE", 3)
        for number in range(10):
            make.vote(make.task(project, outputs=(f"good {number}", f"bad {number}")), "a", "b")
        assert len(rows(first(project))) == 10


class TestDemonstrations:
    def test_are_outputs_of_people(self, project):
        prompt = make.prompt(project)
        output = make.output(prompt, "By hand.", source="human")
        make.output(prompt, "By machine.", source="checkpoint:1")
        [row] = rows(first(project, kind="instruction"))
        assert row == {
            "prompt": prompt.messages,
            "completion": "By hand.",
            "source": "human",
            "language": "",
            "tags": [],
            "output": output.pk,
            "task": None,
            "annotations": [],
        }

    def test_come_from_other_sources_when_the_recipe_says_so(self, project):
        make.output(make.prompt(project), "A page.", source="web")
        version = first(project, {"sources": ["web"]}, kind="text")
        assert [row["completion"] for row in rows(version)] == ["A page."]

    def test_are_never_what_people_still_compare_in_a_review(self, project):
        queue = make.queue(project, "A review", reserved_for="review", state="open")
        make.task(project, queue=queue, outputs=("x", "y"))
        with pytest.raises(NothingToFreeze):
            first(project, {"sources": ["model 0"]}, kind="instruction")

    def test_can_be_those_of_a_queue(self, project):
        make.task(project, outputs=("x", "y"))
        make.output(make.prompt(project), "elsewhere", source="model 0")
        found = first(
            project, {"sources": ["model 0"], "queues": ["A pairwise queue"]}, kind="instruction"
        )
        assert [row["completion"] for row in rows(found)] == ["x"]


def test_keeps_the_717_rows_of_a_real_set(db, shared):
    intake = pytest.importorskip("annotation.intake")
    project = make.project("llmfao")
    intake.import_file(project, shared / "llmfao" / "feedback.jsonl.gz")
    version = first(project)
    assert sum(version.manifest["rows"].values()) == 717
    assert version.manifest["counts"]["tied"] == 607
    assert version.manifest["counts"]["undecided"] == 190
    assert any(not row["rejected"] for row in rows(version))
    assert Output.objects.filter(text="").exists()
