"""Ask again until the merged answer of a task is certain enough, or enough have been asked."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from math import comb
from typing import Any

from django.db import connection

from annotation.aggregators.base import read_vote, said_by
from annotation.enter import add_slots
from annotation.fit_slots import COUNTS, SETTLED
from annotation.lanes import lane_for
from annotation.models import Annotation, Assignment, Queue, Task

State = Assignment.State
PIECE = 1000

# The newest round of each task in which all that was asked for is answered, and more may be.
# What a reviewer settled is certain.
_ANSWERED = f"""
SELECT task_id, round, number FROM (
    SELECT DISTINCT ON (task_id) slot.task_id, slot.round, count(*) AS number,
        bool_and(slot.state = 'answered') AS is_answered
    FROM annotation_assignment slot JOIN annotation_task task ON task.id = slot.task_id
    WHERE slot.queue_id = %(queue)s AND slot.state <> 'skipped' AND NOT task.is_withheld
        AND slot.purpose IN ('answer', 'import') AND {COUNTS.format(slot="slot")}
        AND (%(tasks)s::bigint[] IS NULL OR slot.task_id = ANY(%(tasks)s))
    GROUP BY slot.task_id, slot.round ORDER BY slot.task_id, slot.round DESC
) newest
WHERE is_answered AND number >= %(overlap)s AND number < %(most)s
    AND NOT {SETTLED.format(task="newest.task_id", round="newest.round")}
ORDER BY task_id
"""


def certainty(counts: Counter[Any]) -> float:
    """The chance that the leading answer is more frequent than the next one among all people.

    That of the two that comes first in a coin's posterior: before anybody answers, every share is
    as likely as any other (a Beta distribution with 1 and 1).
    """
    ranked = [number for _, number in counts.most_common(2)]
    lead, following = (ranked + [0, 0])[:2]
    tosses = lead + following + 1
    return sum(comb(tosses, heads) for heads in range(lead + 1)) / 2**tosses


def certainty_of(task: Task, round: int = 1) -> float:
    """How certain the merged answer is in its most doubtful part; 1 where nothing is compared.

    The parts are the pairs of a ranking, and each label that is given. What a reviewer settled is
    certain.
    """
    if is_settled(task, round):
        return 1.0
    refs = list(task.task_outputs.order_by("position").values_list("ref", flat=True))
    votes = Annotation.objects.votes().filter(assignment__task=task, assignment__round=round)
    return certainty_in(task.queue, votes.values_list("answer", flat=True), refs)


def is_settled(task: Task, round: int = 1) -> bool:
    """Whether a reviewer has said what counts, in this round or a later one."""
    settled = Annotation.objects.settlements().filter(assignment__task=task)
    return settled.filter(assignment__round__gte=round).exists()


def certainty_in(queue: Queue, answers: Iterable[dict[str, Any]], refs: list[str]) -> float:
    """The same of these answers to one question."""
    parts: defaultdict[Any, Counter[Any]] = defaultdict(Counter)
    for answer in answers:
        for part, said in said_in(queue, answer, refs).items():
            parts[part][said] += 1
    return min((certainty(counts) for counts in parts.values()), default=1.0)


def said_in(queue: Queue, answer: dict[str, Any], refs: list[str]) -> dict[Any, Any]:
    """What an answer says, part by part; nothing where people write freely."""
    said: dict[Any, Any] = {}
    compared = queue.task_type.comparison(answer, queue.type_options)
    vote = read_vote(compared, refs, annotation=0, annotator=0) if len(refs) > 1 else None
    if vote:
        for first, second in combinations(range(len(refs)), 2):
            said[first, second] = said_by(vote, first, second)
    elif "verdict" in answer:
        said["verdict"] = answer["verdict"]
    for name, label in _labels(answer.get("labels")).items():
        said[name] = label
    return said


def _labels(labels: Any) -> dict[str, Any]:
    if isinstance(labels, dict):
        return {f"label {name}": repr(value) for name, value in labels.items()}
    if isinstance(labels, list):
        return {"labels": repr(sorted(map(str, labels)))}
    return {}


def ask_more_of(queue: Queue, tasks: Sequence[int] | None = None) -> int:
    """The same for tasks that were answered before the queue asked for so much; say how many.

    The caller holds the queue. Only the newest round is looked at.
    """
    if not queue.most_answers or queue.most_answers <= queue.overlap:
        return 0
    found = [task for task, _, _ in _answered(queue, tasks)]
    return sum(
        _ask_more_of(queue, found[start : start + PIECE]) for start in range(0, len(found), PIECE)
    )


def _ask_more_of(queue: Queue, tasks: Sequence[int]) -> int:
    wanted = Task.objects.filter(pk__in=tasks).order_by("pk").select_for_update(no_key=True)
    held = {task.pk: task for task in wanted.prefetch_related("task_outputs")}
    # Again, now that nobody asks for more meanwhile.
    answered = _answered(queue, tasks)
    answers: defaultdict[tuple[int, int], list[dict[str, Any]]] = defaultdict(list)
    votes = Annotation.objects.votes().filter(assignment__task__in=held)
    for task, round, answer in votes.values_list("assignment__task", "assignment__round", "answer"):
        answers[task, round].append(answer)
    unsure = []
    for pk, round, number in answered:
        refs = [place.ref for place in held[pk].task_outputs.all()]
        if certainty_in(queue, answers[pk, round], refs) < queue.confidence:
            lane = lane_for(queue, priority=held[pk].priority, level=number, is_begun=True)
            unsure.append(Assignment(task=held[pk], queue=queue, round=round, lane=lane))
    Assignment.objects.bulk_create(unsure)
    return len(unsure)


def _answered(queue: Queue, tasks: Sequence[int] | None) -> list[tuple[int, int, int]]:
    """Task, round and number of answers."""
    values = {
        "queue": queue.pk,
        "overlap": queue.overlap,
        "most": queue.most_answers,
        "tasks": None if tasks is None else list(tasks),
    }
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERED, values)
        return cursor.fetchall()


def ask_more(slot: Assignment) -> None:
    """Add a slot to the answered one's task, when all have answered and it is not certain yet."""
    queue = slot.queue
    if not queue.most_answers or queue.most_answers <= queue.overlap:
        return
    # Two last answers at once come one after the other, and only the second asks for more.
    task = Task.objects.select_for_update(no_key=True).get(pk=slot.task_id)
    task.queue = queue
    wanted = Assignment.objects.wanted().filter(task=task, round=slot.round)
    states = Counter(wanted.values_list("state", flat=True))
    if states.total() > states[State.ANSWERED] or states.total() >= queue.most_answers:
        return
    if task.is_withheld or certainty_of(task, slot.round) >= queue.confidence:
        return
    add_slots(queue.pk)
    lane = lane_for(queue, priority=task.priority, level=states.total(), is_begun=True)
    Assignment.objects.create(task=task, queue=queue, round=slot.round, lane=lane)
