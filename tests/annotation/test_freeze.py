"""Freezing: what the digest depends on, and what is kept on the disk."""

import json
import zlib

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from annotation.aggregators import AGGREGATORS
from annotation.freeze import BadName, NothingToFreeze, OtherKind, freeze
from annotation.models import Annotator, Dataset, DatasetVersion, Standing
from annotation.preview import preview
from annotation.recipe import BadRecipe, UnknownKind, UnknownQueue, read_recipe
from tests import make
from tests.annotation.frozen import SPLITS, first, rows
from tests.together import Other
from truing import storage
from truing.models import Event, Project
from truing.options import BadOption


class TestDigest:
    def test_the_same_answers_and_recipe_give_the_same_version(self, project, judged):
        version = first(project)
        assert first(project) == version
        assert DatasetVersion.objects.count() == 1

    def test_an_answer_more_gives_another(self, project, judged):
        before = first(project)
        make.vote(judged, "a", "b", by="w5")
        after = first(project)
        assert (before.number, after.number) == (1, 2)
        assert before.digest != after.digest

    def test_another_recipe_with_the_same_rows_is_another_version_of_the_same_digest(
        self, project, judged
    ):
        before = first(project)
        after = first(project, {"minimum_votes": 2})
        assert (after.number, after.digest) == (2, before.digest)

    def test_does_not_depend_on_keys_or_on_the_order_of_arrival(self, project):
        def hash_of(*words):
            return zlib.crc32(repr(words).encode())

        def fill(project, names, order):
            for name in names:
                task = make.task(project, outputs=(f"{name} good", f"{name} bad"), prompt_text=name)
                voters = [f"w{number}" for number in range(len(name))]
                for voter in voters if order > 0 else reversed(voters):
                    right = hash_of(name, voter) % 4
                    make.vote(task, *("ab" if right else "ba"), by=voter, shown=("b", "a"))

        names = ["x", "yy", "zzz", "aaaa", "bbbb", "ccccc"]
        fill(project, names, 1)
        elsewhere = make.project("elsewhere")
        make.annotator(elsewhere, "w3")
        fill(elsewhere, sorted(names), -1)
        for aggregator in AGGREGATORS:
            one = first(project, {"aggregator": aggregator})
            other = first(elsewhere, {"aggregator": aggregator})
            assert one.digest == other.digest

    def test_depends_on_the_side_of_the_split(self, project, judged):
        before = first(project)
        other = next(split for split in SPLITS if split != judged.prompt.split)
        type(judged.prompt).objects.update(split=other)
        assert first(project).digest != before.digest

    def test_the_last_recipe_is_taken_again(self, project, judged, tied):
        first(project, {"ties": "both"})
        make.vote(judged, "a", "b", by="w5")
        again = first(project)
        assert again.recipe["ties"] == "both"
        assert again.number == 2


class TestVersion:
    def test_says_who_and_what_is_behind_it(self, project, judged, tied, clara):
        version = first(project, actor=clara, note="For the first run.")
        manifest = version.manifest
        assert str(version) == "demo/first@1"
        assert (manifest["annotations"], manifest["annotators"]) == (4, 4)
        assert manifest["counts"]["tied"] == 1
        assert manifest["agreement"]["tasks"] == 2
        assert sum(manifest["rows"].values()) == 1

    def test_its_files_are_named_by_what_they_hold(self, project, judged):
        import hashlib

        version = first(project)
        [file] = version.manifest["files"].values()
        content = storage.path_of(file["name"]).read_bytes()
        assert file["name"] == hashlib.sha256(content).hexdigest() + ".parquet"
        assert file["bytes"] == len(content)

    def test_has_a_card(self, project, judged):
        version = first(project, note="For the *first* run.")
        card = storage.path_of(version.manifest["card"]).read_text()
        for words in ("# demo/first@1", "For the *first* run.", version.digest, "4 answers"):
            assert words in card

    def test_is_in_the_audit_log(self, project, judged, clara):
        version = first(project, actor=clara)
        event = Event.objects.get(verb="dataset.freeze")
        assert (event.actor, event.noun_id, event.label) == (clara, version.pk, "demo/first@1")

    def test_is_never_changed(self, project, judged):
        version = first(project)
        with pytest.raises(IntegrityError), transaction.atomic():
            DatasetVersion.objects.filter(pk=version.pk).update(note="other")

    def test_says_so_when_its_file_is_gone(self, project, judged):
        version = first(project)
        [file] = version.manifest["files"].values()
        storage.path_of(file["name"]).unlink()
        with pytest.raises(storage.FileMissing, match="is missing"):
            rows(version)


class TestRefusals:
    @pytest.mark.parametrize(
        ("recipe", "sentence"),
        [
            ({"colour": 1}, "A recipe for “preference” has no “colour”"),
            ({"aggregator": "dice"}, "must be one of"),
            ({"minimum_agreement": 2}, "must be at most 1"),
            ({"minimum_agreement": float("nan")}, "finite"),
            ({"minimum_votes": 0}, "must be at least 1"),
            ({"minimum_votes": "many"}, "must be a whole number"),
            ({"ties": "keep"}, "must be one of drop, both"),
            ({"queues": "A"}, "“queues” must be a list of names"),
            ({"tags": [1]}, "“tags” must be a list of names"),
            ([], "must be an object"),
        ],
    )
    def test_a_wrong_recipe_gets_a_sentence(self, recipe, sentence):
        with pytest.raises((BadRecipe, BadOption), match=sentence):
            read_recipe("preference", recipe)

    def test_a_rule_of_another_kind_is_refused(self):
        with pytest.raises(BadRecipe, match="It may have: validated, queues, tags, sources"):
            read_recipe("instruction", {"aggregator": "majority"})

    def test_nothing_is_left_behind(self, project, judged):
        for wrong, refusal in (
            ({"name": "no/slash"}, BadName),
            ({"kind": "poem"}, UnknownKind),
            ({"recipe": {"queues": ["None such"]}}, UnknownQueue),
            ({"recipe": {"tags": ["none such"]}}, NothingToFreeze),
        ):
            with pytest.raises(refusal):
                first(project, **wrong)
        assert not Dataset.objects.exists()
        assert not Event.objects.exists()

    def test_says_why_nothing_is_selected(self, project, tied):
        with pytest.raises(NothingToFreeze, match="of 1 pairs 1 are tied"):
            first(project)

    def test_a_dataset_keeps_its_kind(self, project, judged):
        first(project)
        make.output(make.prompt(project), "By hand.", source="human")
        with pytest.raises(OtherKind, match="of kind preference, not instruction"):
            first(project, kind="instruction")

    def test_a_full_disk_leaves_nothing_half(self, project, judged, settings, file_limit):
        with file_limit(100), pytest.raises(storage.DiskFull, match="no room left"):
            first(project)
        assert not DatasetVersion.objects.exists()
        assert [path for path in settings.FILES.rglob("*") if path.is_file()] == []


@pytest.fixture
def file_limit():
    """A real limit on how large a file may grow: beyond it, writing fails as on a full disk."""
    import resource
    from contextlib import contextmanager

    @contextmanager
    def limit(size):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limit


class TestPreview:
    def test_counts_what_would_be_frozen_and_writes_nothing(self, project, judged, tied, settings):
        make.task(project)  # nobody has answered it
        undecided = make.task(project)
        make.vote(undecided, "a", "b", by="w1")
        make.vote(undecided, "b", "a", by="w2")
        counted = preview(project, "preference", {}).counts()
        wanted = {"tasks": 4, "answered": 3, "decided": 1, "tied": 1, "undecided": 1}
        assert {name: counted[name] for name in wanted} == wanted
        assert sum(counted["rows"].values()) == 1
        assert (counted["annotations"], counted["annotators"]) == (4, 4)
        assert counted["sources"] == {"model 0": {"chosen": 1}, "model 1": {"rejected": 1}}
        assert not Dataset.objects.exists()
        assert not settings.FILES.exists()

    def test_counts_what_a_freeze_then_gives(self, project, judged, tied):
        recipe = {"ties": "both", "aggregator": "bradley_terry"}
        counted = json.loads(json.dumps(preview(project, "preference", recipe).counts()))
        assert first(project, recipe).manifest["counts"] == counted

    def test_queries_do_not_grow(self, project, judged, django_assert_max_num_queries):
        for _ in range(30):
            make.vote(make.task(project), "a", "b")
        with django_assert_max_num_queries(12):
            preview(project, "preference")


@pytest.mark.django_db(transaction=True)
class TestAtTheSameTime:
    def test_two_freezes_take_two_numbers(self):
        """The second is held up in the middle of the first: it must wait, then count on."""
        project = make.project()
        task = make.task(project)
        make.vote(task, "a", "b")
        first(project)
        dataset = Dataset.objects.get()

        with transaction.atomic():
            Dataset.objects.select_for_update().get(pk=dataset.pk)
            other = Other(lambda: first(Project.objects.get(), {"minimum_agreement": 0.1}))
            assert other.waits()  # for the row
            assert first(project, {"minimum_agreement": 0.2}).number == 2
        assert other.result().number == 3

    def test_answers_that_come_while_it_reads_do_not_tear_it(self, monkeypatch):
        """Bradley-Terry goes through the votes twice: both times it must see the same."""
        project = make.project()
        task = make.task(project, outputs=("good", "bad"))
        make.vote(task, "a", "b", by="w1")
        before = first(project, {"aggregator": "bradley_terry"})

        from annotation.aggregators import bradley_terry

        fit = bradley_terry.fit

        def vote_then_fit(wins):
            Other(lambda: make.vote(task, "b", "a", by="w2")).result()
            return fit(wins)

        monkeypatch.setattr(bradley_terry, "fit", vote_then_fit)
        assert first(project, {"aggregator": "bradley_terry"}) == before


def test_some_rows_are_read_without_what_lies_before_them(tmp_path, monkeypatch):
    from annotation import write_parquet

    monkeypatch.setattr(write_parquet, "PIECE", 10)
    path = tmp_path / "rows.parquet"
    write_parquet.write_parquet(path, {"number": "whole"}, ({"number": n} for n in range(35)))
    for start, stop in ((0, None), (0, 5), (8, 12), (10, 20), (25, 100), (34, None), (40, 50)):
        found = [row["number"] for row in write_parquet.read_parquet(path, start=start, stop=stop)]
        assert found == list(range(35))[start:stop]


def test_a_version_says_whose_answers_did_not_count(project):
    task = make.task(project, answers=0)
    make.vote(task, "a", "b", by="w1")
    make.vote(task, "b", "a", by="w2")
    careless = Annotator.objects.get(name="w2")
    Standing.objects.create(queue=task.queue, annotator=careless, left_out_at=timezone.now())
    version = freeze(project, name="v", kind="preference", actor=None)
    assert version.manifest["left_out"] == {task.queue.name: ["w2"]}
    assert version.manifest["annotators"] == 1
    card = storage.existing(version.manifest["card"]).read_text()
    assert "The answers of 1 person do not count" in card
