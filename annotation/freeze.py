"""Freeze what a recipe selects into a dataset's next version: parquet, manifest and card."""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction

from annotation.card import card_of
from annotation.derive import derive
from annotation.derived import Derived
from annotation.models import Assignment, Dataset, DatasetVersion, Standing
from annotation.preview import SPLITS, Preview
from annotation.recipe import (
    DemonstrationRecipe,
    PreferenceRecipe,
    Recipe,
    queues_of,
    read_recipe,
    recipe_record,
)
from annotation.reliability import summary_of
from annotation.select import one_moment
from annotation.task_types import TASK_TYPES
from annotation.write_parquet import COLUMNS, ParquetFile, read_parquet
from truing import storage
from truing.audit import record
from truing.errors import Invalid, Refused
from truing.models import Project, User

FORMAT = 1
# Keys of one database; the digest must be the same in another.
KEYS = ("task", "output", "annotations")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")


class NothingToFreeze(Refused):
    """The recipe selects nothing, so there is nothing to freeze."""

    status = 422


class OtherKind(Refused):
    """There is a dataset of this name already, and it is of another kind."""


class BadName(Invalid):
    """A dataset's name has letters, digits, “-” and “_” only, and at most 80 of them."""


def freeze(
    project: Project,
    *,
    name: str,
    kind: str,
    recipe: Any = None,
    note: str = "",
    actor: User | None,
) -> DatasetVersion:
    """Freeze what a recipe selects. Without a recipe, the dataset's last one is taken again.

    When the newest version has the same recipe and rows already, that version is returned.
    """
    if not NAME.fullmatch(name):
        raise BadName
    dataset = project.datasets.filter(name=name).first()
    if recipe is None:
        recipe = dataset.recipe if dataset and dataset.kind == kind else {}
    known = read_recipe(kind, recipe)
    _check_kind(dataset, kind)
    with storage.room_or_refusal(), Writing(kind) as writing:
        counted = Preview(kind, known)
        with one_moment():
            for derived in derive(project, kind, known, counted.left):
                writing.add(derived)
                counted.add(derived)
            guidelines = _guidelines(project, known)
            left_out = _left_out(project, known)
        if not counted.total:
            raise NothingToFreeze(_why_nothing(counted))
        files = writing.keep()
    manifest = {
        "format": FORMAT,
        "kind": kind,
        "recipe": recipe_record(known),
        "digest": writing.digest(),
        "files": files,
        "columns": COLUMNS[kind],
        "counts": counted.counts(),
        "rows": counted.counts()["rows"],
        "annotations": counted.annotations,
        "annotators": len(counted.annotators),
        "agreement": counted.agreement(),
        "reliability": summary_of(counted.left.heard.reliability()),
        "guidelines": guidelines,
        "left_out": left_out,
    }
    return _add_version(project, name, manifest, note, actor)


@transaction.atomic
def _add_version(
    project: Project, name: str, manifest: dict[str, Any], note: str, actor: User | None
) -> DatasetVersion:
    values = {"kind": manifest["kind"], "recipe": manifest["recipe"], "created_by": actor}
    Dataset.objects.get_or_create(project=project, name=name, defaults=values)
    # Two freezes at once: the second waits here, and takes the next number.
    dataset = Dataset.objects.select_for_update().get(project=project, name=name)
    _check_kind(dataset, manifest["kind"])
    newest = dataset.versions.order_by("number").last()
    if newest and (newest.digest, newest.recipe) == (manifest["digest"], manifest["recipe"]):
        return newest
    number = newest.number + 1 if newest else 1
    card = card_of(f"{project.slug}/{name}@{number}", manifest, note)
    manifest["card"] = storage.keep_bytes(card.encode(), suffix=".md")
    dataset.recipe = manifest["recipe"]
    dataset.save(update_fields=["recipe"])
    version = DatasetVersion.objects.create(
        dataset=dataset,
        number=number,
        kind=manifest["kind"],
        recipe=manifest["recipe"],
        digest=manifest["digest"],
        manifest=manifest,
        note=note,
        created_by=actor,
    )
    record(
        "dataset.freeze",
        actor=actor,
        project=project,
        on=version,
        digest=version.digest,
        rows=manifest["rows"],
    )
    return version


def rows_of(
    version: DatasetVersion,
    split: str,
    *,
    start: int = 0,
    stop: int | None = None,
    columns: list[str] | None = None,
) -> Iterator[dict[str, Any]]:
    """The rows of a version's split, one at a time; none where the split is empty."""
    file = version.manifest["files"].get(split)
    if file is None:
        return iter(())
    return read_parquet(storage.existing(file["name"]), start=start, stop=stop, columns=columns)


@dataclass
class Writing:
    """The files of a version while they are written: one for each split that has rows."""

    kind: str
    files: dict[str, tuple[Path, ParquetFile]] = field(default_factory=dict)
    marks: list[bytes] = field(default_factory=list)
    drafts: ExitStack = field(default_factory=ExitStack)  # deleted in the end
    writing: ExitStack = field(default_factory=ExitStack)  # closed before they are kept

    def __enter__(self) -> "Writing":
        return self

    def __exit__(self, *problem: Any) -> None:
        with self.drafts:
            self.writing.__exit__(*problem)

    def add(self, derived: Derived) -> None:
        if derived.split not in self.files:
            path = self.drafts.enter_context(storage.draft())
            file = ParquetFile(path, COLUMNS[self.kind])
            self.files[derived.split] = path, self.writing.enter_context(file)
        self.files[derived.split][1].add(derived.row)
        self.marks.append(_mark(derived))

    def keep(self) -> dict[str, dict[str, Any]]:
        """Close the files, and move them to where they stay."""
        self.writing.close()
        kept = {}
        for split in SPLITS:
            if split in self.files:
                path, file = self.files[split]
                size = path.stat().st_size
                name = storage.keep(path, suffix=".parquet")
                kept[split] = {"name": name, "rows": file.rows, "bytes": size}
        return kept

    def digest(self) -> str:
        """The hash of the canonical rows, in an order that no database decides."""
        whole = hashlib.sha256(f"truing {FORMAT} {self.kind}\n".encode())
        for mark in sorted(self.marks):
            whole.update(mark)
        return whole.hexdigest()


def _mark(derived: Derived) -> bytes:
    row = {name: value for name, value in derived.row.items() if name not in KEYS}
    text = json.dumps({**row, "split": derived.split}, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).digest()


def _check_kind(dataset: Dataset | None, kind: str) -> None:
    if dataset and dataset.kind != kind:
        raise OtherKind(f"“{dataset.name}” is a dataset of kind {dataset.kind}, not {kind}.")


def _guidelines(project: Project, recipe: Recipe) -> dict[str, list[int]]:
    """Which versions of the instructions those who answered had before them."""
    answered = Assignment.objects.filter(
        queue__in=queues_of(project, recipe),
        state=Assignment.State.ANSWERED,
        guideline__isnull=False,
    )
    if isinstance(recipe, DemonstrationRecipe):
        writing = [name for name, one in TASK_TYPES.items() if one.writes]
        answered = answered.filter(queue__type__in=writing)
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for queue, number in (
        answered.order_by("queue__name", "guideline__number")
        .values_list("queue__name", "guideline__number")
        .distinct()
    ):
        numbers[queue].append(number)
    return dict(numbers)


def _left_out(project: Project, recipe: Recipe) -> dict[str, list[str]]:
    """Whose answers in which queue did not count, by the names that exports show."""
    people: defaultdict[str, list[str]] = defaultdict(list)
    for queue, pseudonym in (
        Standing.objects.left_out()
        .filter(queue__in=queues_of(project, recipe))
        .order_by("queue__name", "annotator__pseudonym")
        .values_list("queue__name", "annotator__pseudonym")
    ):
        people[queue].append(pseudonym)
    return dict(people)


def _why_nothing(counted: Preview) -> str:
    left = counted.left
    if isinstance(counted.recipe, DemonstrationRecipe):
        sources = ", ".join(counted.recipe.sources) or "none"
        if left.outputs:
            return (
                f"None of {left.outputs:,} outputs is left: {left.not_accepted:,} were not "
                f"accepted by others, {left.withdrawn:,} were corrected by their author."
            )
        return f"No output comes from the sources of this recipe ({sources})."
    if not left.tasks:
        return "The recipe selects no task."
    if not left.answered:
        return f"None of the {left.tasks:,} tasks that the recipe selects has an answer yet."
    if not isinstance(counted.recipe, PreferenceRecipe):
        return (
            f"None of the {left.answered:,} answered tasks gives a row: {left.too_few_votes:,} "
            f"have too few votes; of their outputs nobody says how good {left.not_scored:,} are, "
            f"{left.between:,} are neither good nor bad; {left.below_agreement:,} labels are "
            "given by too few."
        )
    return (
        f"None of the {left.answered:,} answered tasks gives a row: {left.too_few_votes:,} have "
        f"too few votes; of {left.pairs:,} pairs {left.tied:,} are tied, "
        f"{left.undecided:,} undecided, {left.all_bad:,} all bad, "
        f"{left.below_agreement:,} below the agreement asked for, "
        f"{left.not_accepted:,} about what others did not accept."
    )
