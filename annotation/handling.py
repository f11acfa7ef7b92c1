"""How a queue hands its questions out: in which order, to whom, and how often."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from annotation.categorise import checked_categories
from annotation.lanes import LANE
from annotation.models import Bookmark, Queue
from truing.errors import Invalid
from truing.options import option, record_of

MOST_ANSWERS = 100
KINDS = ("language", "country", "expertise")
CONSENT = "consent"  # which people give themselves, and nobody else gives
LISTS = ("skills", "sensitive", "harmful")
SKILL = re.compile(r"[\w.+-][\w .+-]{0,79}")


class NoSkill(Invalid):
    """A skill is a language, a country or an expertise: “language:de”, “expertise:medicine”."""


@dataclass(frozen=True)
class Handling:
    order: str = option(
        Queue.Order.ARRIVAL,
        "As they came, at random, by priority, one task to its end after the other (depth), or "
        "every task once before any is asked again (breadth).",
        choices=Queue.Order.values,
    )
    most_answers: int | None = option(
        None,
        "Ask again until the merged answer is certain enough, but no more often than this. "
        "Empty: every task gets as many answers as said above.",
        min_value=1,
        max_value=MOST_ANSWERS,
    )
    confidence: float = option(
        0.9,
        "How certain is enough: the chance that the leading answer would stay ahead of the next "
        "one, were everybody asked. Two answers alike make 0.875, three 0.94, four 0.97.",
        min_value=0.5,
        max_value=0.999,
    )
    daily_cap: int | None = option(
        None, "How many answers a person gives here in a day, at most.", min_value=1
    )
    gold_share: float = option(
        0.0, "The share of checks: questions with a known answer.", min_value=0, max_value=1
    )
    repeat_share: float = option(
        0.0,
        "The share of questions that a person is asked a second time, sides swapped.",
        min_value=0,
        max_value=0.5,
    )
    skills: str = option(
        "",
        "Who is asked needs all of these, with commas between: language:de, expertise:medicine.",
    )
    sensitive: str = option(
        "",
        "Categories with commas between, as prompts have them for tags: such questions are "
        "veiled until a person uncovers them.",
        label="Sensitive",
    )
    harmful: str = option(
        "",
        "Of these, what is given only to people who have chosen to see it. Where all of a queue "
        "is such, also write it as a skill: consent:violence.",
        label="Harmful",
    )
    sensitive_cap: int | None = option(
        None,
        "How many sensitive questions a person is given in a day, at most; those of other queues "
        "count, too.",
        min_value=1,
        label="Sensitive a day",
    )
    exam_skill: str = option(
        "", "This queue is an exam: who passes its checks gets this skill.", label="Exam for"
    )
    exam_size: int = option(
        10, "How many checks an exam asks.", min_value=1, max_value=500, label="Exam's checks"
    )
    exam_share: float = option(
        0.8, "The share that must be right to pass.", min_value=0, max_value=1, label="Exam's mark"
    )


def checked_skill(text: str) -> str:
    """A skill as it is stored: its kind and its name, in lower case."""
    kind, _, name = text.strip().lower().rpartition(":")
    kind, name = kind.strip() or "expertise", name.strip()
    if kind not in KINDS or not SKILL.fullmatch(name):
        raise NoSkill(f"“{text}” is no skill. {NoSkill.__doc__}")
    return f"{kind}:{name}"


def handling_of(queue: Queue) -> Handling:
    """How this queue does it."""
    values = {name: getattr(queue, name) for name in record_of(Handling())}
    for name in LISTS:
        values[name] = ", ".join(values[name])
    return Handling(**values)


def set_handling(queue: Queue, wanted: Handling) -> list[str]:
    """Write it onto the queue, which the caller saves; say what has changed."""
    values: dict[str, Any] = record_of(wanted)
    values["skills"] = _skills(wanted.skills.split(","))
    values["harmful"] = checked_categories(wanted.harmful)
    # What is harmful is sensitive, too.
    values["sensitive"] = checked_categories(f"{wanted.sensitive},{wanted.harmful}")
    if wanted.exam_skill:
        values["exam_skill"] = checked_skill(wanted.exam_skill)
    if wanted.most_answers is not None and wanted.most_answers < queue.overlap:
        raise Invalid(f"At most {wanted.most_answers} answers are fewer than {queue.overlap}.")
    if wanted.repeat_share and (queue.task_type.writes or queue.task_type.has_turns):
        raise Invalid("What people write cannot be asked a second time: it would be another text.")
    changed = [name for name, value in values.items() if getattr(queue, name) != value]
    for name in changed:
        setattr(queue, name, values[name])
    return changed


# Only those that stand elsewhere are written; the place within a lane stays.
_REORDER = f"""
UPDATE annotation_assignment slot SET lane = placed.lane FROM (
    SELECT id, {LANE} AS lane FROM (
        SELECT free.id, task.priority,
            row_number() OVER (PARTITION BY free.task_id, free.round ORDER BY free.id) - 1
                + taken.number AS level,
            taken.number > 0 AS is_begun
        FROM annotation_assignment free
        JOIN annotation_task task ON task.id = free.task_id
        CROSS JOIN LATERAL (
            SELECT count(*) AS number FROM annotation_assignment other
            WHERE other.task_id = free.task_id AND other.round = free.round
                AND other.state IN ('held', 'answered') AND other.purpose IN ('answer', 'import')
        ) taken
        WHERE free.queue_id = %(queue)s AND free.state IN ('free', 'withheld')
    ) slots
) placed
WHERE slot.id = placed.id AND slot.lane <> placed.lane AND slot.state IN ('free', 'withheld')
"""


def reorder(queue: Queue) -> None:
    """Put the free slots where the queue's order wants them; everybody begins anew.

    The caller holds the queue, so that nobody's bookmark is moved meanwhile.
    """
    with connection.cursor() as cursor:
        cursor.execute(_REORDER, {"queue": queue.pk, "order": queue.order})
    Bookmark.objects.filter(queue=queue).update(positions={}, swept_lane=-1, swept_slot=0)
    Bookmark.objects.filter(queue=queue, annotator=None).delete()


def _skills(texts: Iterable[str]) -> list[str]:
    return sorted({_required(text) for text in texts if text.strip()})


def _required(text: str) -> str:
    """A skill that a queue asks for: people's own consent is one."""
    kind, _, category = text.strip().partition(":")
    if kind.strip().lower() == CONSENT and (found := checked_categories(category)):
        return f"{CONSENT}:{found[0]}"
    return checked_skill(text)
