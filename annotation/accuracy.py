"""Compare merged answers with the known ones: how often an aggregator is right."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from annotation.aggregators import AGGREGATORS
from annotation.aggregators.base import Merged, Outcome, read_vote, said_by
from annotation.derived import pieces
from annotation.models import Queue, Task
from annotation.select import Selection, one_moment
from truing.models import Project
from truing.plugins import plugin_named


@dataclass
class Accuracy:
    """What became of the questions. One is right where the merged answer is the known one in full.

    A ranking is right where all its pairs are; where no answer leads, it is not decided.
    """

    aggregator: str
    questions: int = 0  # that somebody answered
    decided: int = 0
    gold: int = 0  # of the questions, those whose answer is known
    right: int = 0

    def record(self) -> dict[str, Any]:
        share = round(self.right / self.gold, 4) if self.gold else None
        return {**asdict(self), "accuracy": share}


def accuracy_of(project: Project, aggregator: str, queue: Queue | None = None) -> Accuracy:
    """How many questions an aggregator decides, and of those with a known answer how many right."""
    plugin = plugin_named(AGGREGATORS, aggregator, "aggregator")
    queues = [queue] if queue else list(project.queues.all())
    found = Accuracy(aggregator)
    with one_moment():
        selection = Selection(Task.objects.filter(queue__in=queues), settled=True)
        for piece in pieces(plugin.merged(selection)):
            answered = [merged for merged in piece if merged.question.counting]
            known = _known([merged.question.task for merged in answered])
            for merged in answered:
                _count(found, merged, known.get(merged.question.task))
    return found


def _count(found: Accuracy, merged: Merged, known: dict[tuple[int, int], Outcome] | None) -> None:
    said = {(verdict.first, verdict.second): verdict.outcome for verdict in merged.verdicts}
    found.questions += 1
    found.decided += Outcome.NONE not in said.values()
    if known is not None:
        found.gold += 1
        found.right += said == known


def _known(tasks: Sequence[int]) -> dict[int, dict[tuple[int, int], Outcome]]:
    """What the known answers of these tasks say of each pair of outputs."""
    with_gold = (
        Task.objects.filter(pk__in=tasks, gold__isnull=False)
        .select_related("queue")
        .prefetch_related("task_outputs")
    )
    known = {}
    for task in with_gold:
        refs = [placed.ref for placed in task.task_outputs.all()]
        answer = task.queue.task_type.comparison(task.gold or {}, task.queue.type_options)
        vote = read_vote(answer, refs, annotation=0, annotator=0)
        if vote is not None:
            pairs = [(one, two) for one in range(len(refs)) for two in range(one + 1, len(refs))]
            said = {pair: said_by(vote, *pair) for pair in pairs}
            known[task.pk] = {pair: outcome for pair, outcome in said.items() if outcome}
    return known
