"""What a dataset's recipe may say, kind by kind, and which queues and tasks it means."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from django.db.models import Q

from annotation.aggregators import AGGREGATORS
from annotation.models import Task
from annotation.models.queue import QueueQuerySet
from annotation.models.task import TaskQuerySet
from truing.errors import Invalid
from truing.models import Project
from truing.options import build, option, record_of

Names = tuple[str, ...]


class BadRecipe(Invalid):
    """The recipe is not valid."""


class UnknownKind(Invalid):
    """There is no such kind of dataset."""


class UnknownQueue(Invalid):
    """There is no such queue in this project."""


@dataclass(frozen=True)
class PreferenceRules:
    aggregator: str = option(
        "majority", "How the votes on a task become one answer.", choices=tuple(AGGREGATORS)
    )
    minimum_votes: int = option(1, "Leave out tasks with fewer votes.", min_value=1, max_value=1000)
    minimum_agreement: float = option(
        0.0,
        "Leave out pairs on which less than this share agrees (0 to 1).",
        min_value=0,
        max_value=1,
    )
    ties: str = option(
        "drop",
        "What two equally good outputs become: nothing, or a row each way round.",
        choices=("drop", "both"),
    )
    all_bad: str = option(
        "drop",
        "What votes that call all outputs bad become: an answer that makes no pair, or a tie.",
        choices=("drop", "tie"),
        label="All bad",
    )
    pairs: str = option(
        "all",
        "Which pairs a ranking of several outputs gives: all, or neighbours only.",
        choices=("all", "adjacent"),
    )
    validated: bool = option(
        False,
        "Of what people wrote here, prompts and outputs, only what others accepted.",
        label="Validated",
    )


@dataclass(frozen=True)
class PreferenceRecipe(PreferenceRules):
    """Pairs of outputs of which people prefer one."""

    queues: Names = ()  # none: all but those of reviews
    tags: Names = ()  # prompts with one of these; none: all
    sources: Names = ()  # both outputs come from one of these; none: any


@dataclass(frozen=True)
class DemonstrationRules:
    validated: bool = option(
        False,
        "Only outputs that others accepted; a prompt that was written here, too.",
        label="Validated",
    )


@dataclass(frozen=True)
class DemonstrationRecipe(DemonstrationRules):
    """Outputs that are worth learning as they are."""

    queues: Names = ()  # outputs that are in a task of these; none: all outputs
    tags: Names = ()
    sources: Names = ("human",)


@dataclass(frozen=True)
class UnpairedRules:
    minimum_votes: int = option(1, "Leave out tasks with fewer votes.", min_value=1, max_value=1000)
    good_from: float = option(
        0.6,
        "An output is good whose votes are at least so high in the mean, 0 being the lowest level "
        "of the first aspect and 1 its highest. “All bad” is 0; harmless is 1, harmful below 0.5.",
        min_value=0,
        max_value=1,
    )
    bad_to: float = option(
        0.4,
        "An output is bad whose votes are at most so high; what lies between is left out.",
        min_value=0,
        max_value=1,
    )
    validated: bool = option(
        False,
        "Of what people wrote here, prompts and outputs, only what others accepted.",
        label="Validated",
    )

    def __post_init__(self) -> None:
        if self.bad_to >= self.good_from:
            raise BadRecipe("“bad_to” must be below “good_from”.")


@dataclass(frozen=True)
class UnpairedRecipe(UnpairedRules):
    """Outputs of which people say that they are good, or bad."""

    queues: Names = ()  # none: all but those of reviews
    tags: Names = ()
    sources: Names = ()
    flags: Names = ()  # what at least half of the voters flag so is bad


@dataclass(frozen=True)
class LabelRules:
    minimum_votes: int = option(1, "Leave out tasks with fewer votes.", min_value=1, max_value=1000)
    minimum_share: float = option(
        0.5, "Leave out what fewer of the voters say (0 to 1).", min_value=0, max_value=1
    )


@dataclass(frozen=True)
class LabelRecipe(LabelRules):
    """What people call outputs and prompts: ratings, flags, severities, classes, categories."""

    queues: Names = ()
    tags: Names = ()
    sources: Names = ()


@dataclass(frozen=True)
class CritiqueRules:
    minimum_votes: int = option(1, "Leave out tasks with fewer votes.", min_value=1, max_value=1000)


@dataclass(frozen=True)
class CritiqueRecipe(CritiqueRules):
    """What people wrote about outputs, and the stretches that they marked in them."""

    queues: Names = ()
    tags: Names = ()
    sources: Names = ()


Recipe = PreferenceRecipe | DemonstrationRecipe | UnpairedRecipe | LabelRecipe | CritiqueRecipe
KINDS: dict[str, type[Recipe]] = {
    "preference": PreferenceRecipe,
    "unpaired_preference": UnpairedRecipe,
    "instruction": DemonstrationRecipe,
    "text": DemonstrationRecipe,
    "label": LabelRecipe,
    "critique": CritiqueRecipe,
}
RULES: dict[str, type] = {
    "preference": PreferenceRules,
    "unpaired_preference": UnpairedRules,
    "instruction": DemonstrationRules,
    "text": DemonstrationRules,
    "label": LabelRules,
    "critique": CritiqueRules,
}
LISTS = ("queues", "tags", "sources", "flags")


def read_recipe(kind: str, values: Any) -> Recipe:
    """Read a recipe as it comes from a file or a form. Raises a refusal with one sentence."""
    if kind not in KINDS:
        raise UnknownKind(f"There is no kind “{kind}”. There are: {', '.join(KINDS)}.")
    if not isinstance(values, Mapping):
        raise BadRecipe("A recipe must be an object with names and values.")
    known = [item.name for item in fields(KINDS[kind])]
    for name in values:
        if name not in known:
            raise BadRecipe(
                f"A recipe for “{kind}” has no “{name}”. It may have: {', '.join(known)}."
            )
    rules = {name: value for name, value in values.items() if name not in LISTS}
    read: dict[str, Any] = record_of(build(RULES[kind], rules))
    read |= {name: _names(name, values[name]) for name in LISTS if name in values}
    return KINDS[kind](**read)


def recipe_record(recipe: Recipe) -> dict[str, Any]:
    """A recipe as it is stored."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in record_of(recipe).items()
    }


def queues_of(project: Project, recipe: Recipe) -> QueueQuerySet:
    """The queues that a recipe names; where it names none, all but those of reviews."""
    queues = project.queues.all()
    if not recipe.queues:
        return queues.filter(reserved_for="")
    found = queues.filter(name__in=recipe.queues)
    there = set(found.values_list("name", flat=True))
    for name in recipe.queues:
        if name not in there:
            raise UnknownQueue(f"There is no queue “{name}” in this project.")
    return found


def tasks_of(project: Project, recipe: Recipe) -> TaskQuerySet:
    """The tasks that a recipe selects; never those of a review that people still work on."""
    tasks = Task.objects.filter(queue__in=queues_of(project, recipe))
    tasks = tasks.without_running_reviews()
    return tasks.filter(tagged(recipe, "prompt__")) if recipe.tags else tasks


def tagged(recipe: Recipe, path: str) -> Q:
    """Those with one of the recipe's tags: the prompt's own, or what people classified it as."""
    tags = list(recipe.tags)
    return Q(**{f"{path}tags__overlap": tags}) | Q(**{f"{path}judged_tags__overlap": tags})


def _names(name: str, value: Any) -> Names:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise BadRecipe(f"“{name}” must be a list of names.")
    # Sorted and once each, so that the same choice is the same recipe.
    return tuple(sorted({item.strip() for item in value if item.strip()}))
