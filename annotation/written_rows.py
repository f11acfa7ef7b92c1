"""The rows of a dataset that come from what people wrote: demonstrations, and edits."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from annotation.models import Authorship, Output, Task, TaskOutput
from annotation.models.authorship import accepted, withdrawn, written
from annotation.recipe import DemonstrationRecipe, PreferenceRecipe, queues_of, tagged, tasks_of
from annotation.task_types import TASK_TYPES
from truing.models import Project

PIECE = 500
PREFERRING = [name for name, one in TASK_TYPES.items() if one.prefers_written]


@dataclass(frozen=True, slots=True)
class Behind:
    """The answers that wrote an output, whose they are, and the task of the first one."""

    annotations: tuple[int, ...] = ()
    annotators: tuple[int, ...] = ()
    task: int | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """What somebody made of an output."""

    annotation: int
    annotator: int
    output: int
    text: str
    source: str
    is_accepted: bool


def worth_learning(project: Project, recipe: DemonstrationRecipe) -> QuerySet[Any]:
    """The outputs that a recipe selects, with `is_withdrawn` and, if it wants that, `is_accepted`.

    Where it names queues: those that are in a task of these, or were written in one.
    """
    # What is judged in a review has no known source yet, not even for a curator.
    outputs = Output.objects.open_to_all().filter(
        prompt__project=project, source__in=recipe.sources
    )
    if recipe.queues:
        queues = queues_of(project, recipe)
        placed = TaskOutput.objects.filter(task__queue__in=queues)
        by = Authorship.objects.filter(annotation__assignment__queue__in=queues)
        outputs = outputs.filter(
            Q(pk__in=placed.values("output"))
            | Q(pk__in=by.filter(output__isnull=False).values("output"))
        )
    if recipe.tags:
        outputs = outputs.filter(tagged(recipe, "prompt__"))
    outputs = outputs.annotate(is_withdrawn=withdrawn("output") | withdrawn("prompt", key="prompt"))
    if recipe.validated:
        may_pass = accepted("prompt", key="prompt") | ~written("prompt", key="prompt")
        outputs = outputs.annotate(is_accepted=accepted("output") & may_pass)
    return outputs.select_related("prompt").order_by("pk")


def behind(outputs: list[Output]) -> dict[int, Behind]:
    """Who wrote these outputs, where it was written here."""
    found: defaultdict[int, list[tuple[int, int, int]]] = defaultdict(list)
    rows = Authorship.objects.standing().filter(output__in=[one.pk for one in outputs])
    for output, *row in rows.order_by("annotation").values_list(
        "output", "annotation", "annotator", "annotation__assignment__task"
    ):
        found[output].append((row[0], row[1], row[2]))
    return {
        output: Behind(
            annotations=tuple(annotation for annotation, _, _ in rows),
            annotators=tuple(annotator for _, annotator, _ in rows),
            task=rows[0][2],
        )
        for output, rows in found.items()
    }


def edits(project: Project, recipe: PreferenceRecipe) -> Iterator[tuple[Task, list[Edit]]]:
    """The tasks that asked for a better output than the one that was shown, with what came."""
    tasks = tasks_of(project, recipe).filter(queue__type__in=PREFERRING).select_related("prompt")
    last = 0
    while piece := list(tasks.filter(pk__gt=last).order_by("pk")[:PIECE]):
        last = piece[-1].pk
        made = _edits_by_task([task.pk for task in piece])
        for task in piece:
            yield task, list(made[task.pk].values())


def _edits_by_task(tasks: list[int]) -> defaultdict[int, dict[int, Edit]]:
    """By task and annotator: of who was asked again, the newest."""
    found: defaultdict[int, dict[int, Edit]] = defaultdict(dict)
    rows = Authorship.objects.standing().filter(
        annotation__assignment__task__in=tasks, output__isnull=False
    )
    rows = rows.annotate(is_accepted=accepted("output", key="output"))
    for row in rows.select_related("output", "annotation__assignment").order_by("annotation"):
        assert row.output is not None
        found[row.annotation.assignment.task_id][row.annotator_id] = Edit(
            row.annotation_id,
            row.annotator_id,
            row.output.pk,
            row.output.text,
            row.output.source,
            row.is_accepted,
        )
    return found


def not_accepted(tasks: list[int]) -> tuple[set[int], set[tuple[int, int]]]:
    """What people wrote and others did not accept: tasks by their prompt; outputs by place."""
    prompts = Task.objects.filter(pk__in=tasks).filter(
        written("prompt", key="prompt") & ~accepted("prompt", key="prompt")
    )
    outputs = TaskOutput.objects.filter(task__in=tasks).filter(
        written("output", key="output") & ~accepted("output", key="output")
    )
    ordered: defaultdict[int, list[int]] = defaultdict(list)
    for task, position in (
        TaskOutput.objects.filter(task__in=tasks)
        .order_by("task", "position")
        .values_list("task", "position")
    ):
        ordered[task].append(position)
    return set(prompts.values_list("pk", flat=True)), {
        (task, ordered[task].index(position))
        for task, position in outputs.values_list("task", "position")
    }
