"""Ancestry: which runs, data, votes and people are behind a checkpoint, back to the first model."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from alignment.models import Checkpoint, Promotion, Review
from annotation.models import Annotation, DatasetVersion
from truing import storage

DEEPEST = 50  # generations of models
PIECE = 10_000  # votes a query


@dataclass
class Ancestor:
    """One model of the line, with what it was made from."""

    checkpoint: Checkpoint
    depth: int = 0
    datasets: list[DatasetVersion] = field(default_factory=list)
    reward: "Ancestor | None" = None
    reviews: list[Review] = field(default_factory=list)  # of it as the candidate
    promotions: list[Promotion] = field(default_factory=list)


@dataclass(frozen=True)
class Behind:
    """How many votes and people are behind some models, each counted once."""

    annotations: int
    annotators: int


def ancestry(checkpoint: Checkpoint) -> list[Ancestor]:
    """The checkpoint and its parents, the checkpoint first. Each with its reward model, if any."""
    found = _load(checkpoint)
    line: list[Ancestor] = []
    key: int | None = checkpoint.pk
    while key is not None and len(line) < DEEPEST:
        ancestor = found[key]
        ancestor.depth = len(line)
        line.append(ancestor)
        key = ancestor.checkpoint.parent_id
    for ancestor in line:
        run = ancestor.checkpoint.run
        if run and run.reward_id:
            ancestor.reward = found[run.reward_id]
    return line


def behind(line: Iterable[Ancestor]) -> Behind:
    """The votes that made these models and the reward models that trained them."""
    versions = {
        version.pk: version
        for ancestor in line
        for one in (ancestor, ancestor.reward)
        if one
        for version in one.datasets
        if version.manifest["annotations"]
    }
    if len(versions) == 1:
        [version] = versions.values()
        return Behind(version.manifest["annotations"], version.manifest["annotators"])
    # Two versions may hold the same votes, and the same people gave several: count them apart.
    votes = {key for version in versions.values() for key in _votes_of(version)}
    people: set[int] = set()
    keys = iter(votes)
    while piece := list(islice(keys, PIECE)):
        found = Annotation.objects.filter(pk__in=piece)
        people.update(found.values_list("assignment__annotator", flat=True).distinct())
    return Behind(len(votes), len(people))


def _votes_of(version: DatasetVersion) -> Iterator[int]:
    from pyarrow.parquet import ParquetFile

    for file in version.manifest["files"].values():
        with ParquetFile(storage.existing(file["name"])) as reader:
            for batch in reader.iter_batches(columns=["annotations"]):
                for keys in batch.column(0).to_pylist():
                    yield from keys


def _load(checkpoint: Checkpoint) -> dict[int, Ancestor]:
    """All models behind it by key, a generation at a time, and then what belongs to them."""
    found: dict[int, Ancestor] = {}
    wanted = {checkpoint.pk}
    while wanted and len(found) < DEEPEST * 2:
        models = Checkpoint.objects.select_related("run", "parent").filter(pk__in=wanted)
        for item in models.prefetch_related("run__datasets__dataset__project"):
            datasets = list(item.run.datasets.all()) if item.run else []
            found[item.pk] = Ancestor(item, datasets=datasets)
        wanted = {
            key for ancestor in found.values() for key in _behind(ancestor.checkpoint) if key
        } - set(found)
    _add_verdicts(found)
    return found


def _behind(checkpoint: Checkpoint) -> Iterable[int | None]:
    return (checkpoint.parent_id, checkpoint.run.reward_id if checkpoint.run else None)


def _add_verdicts(found: dict[int, Ancestor]) -> None:
    reviews = Review.objects.filter(candidate__in=found).select_related("baseline").order_by("pk")
    for review in reviews:
        found[review.candidate_id].reviews.append(review)
    promotions = Promotion.objects.filter(checkpoint__in=found).select_related("decided_by")
    for promotion in promotions.order_by("pk"):
        found[promotion.checkpoint_id].promotions.append(promotion)
