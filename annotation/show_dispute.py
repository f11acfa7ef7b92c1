"""What a reviewer sees of a question: who answered what, under which instructions, and why."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from annotation.aggregators import AGGREGATORS
from annotation.aggregators.base import Outcome
from annotation.comment import unread_by
from annotation.in_words import in_words
from annotation.judgments import judgments
from annotation.models import (
    Annotation,
    Annotator,
    Assignment,
    Comment,
    Dispute,
    Return,
    Standing,
    Task,
)
from annotation.select import Selection
from annotation.show_standing import Shown, shown
from truing.models import User

Slot = Assignment.State
COMMENTS = 200  # of a task: more are on nobody's page
PEOPLE = 200
MERGED = 20  # lines


@dataclass
class Said:
    """One person's answer to the question, or why they gave none."""

    slot: Assignment
    name: str
    says: list[str]  # a line; of a chat one a turn
    reason: str = ""
    seconds: float | None = None
    at: Any = None
    guideline: int | None = None
    is_old: bool = False  # another guideline is in force by now
    annotation: int | None = None
    corrections: list[str] = field(default_factory=list)  # what they said before
    standing: Shown | None = None
    counts: bool = True
    is_sent_back: bool = False
    stood_by: bool = False
    has_reader: bool = False  # they are here, and read what is written to them
    may_be_sent_back: bool = False
    thread: "Thread | None" = None

    @property
    def is_skip(self) -> bool:
        return self.slot.state == Slot.SKIPPED

    @property
    def is_settlement(self) -> bool:
        return self.slot.purpose == Assignment.Purpose.ADJUDICATION


@dataclass
class Thread:
    """The comments with one annotator; without one, those among reviewers."""

    annotator: Annotator | None
    name: str = ""
    comments: list[Comment] = field(default_factory=list)
    unread: set[int] = field(default_factory=set)  # keys of comments


def name_of(person: Annotator | None) -> str:
    if person is None:
        return ""
    if person.user:
        return person.user.name or person.user.email
    return person.pseudonym


def held_by(dispute: Dispute | None) -> str:
    """Who has it before them now."""
    return name_of(dispute.held_by) if dispute and dispute.is_held else ""


def people_who_answered(task: Task, refs: list[str], user: User) -> tuple[list[Said], Thread]:
    """Everybody who answered or skipped it, the newest round first; and the reviewers' thread.

    `refs` is the order in which the reader sees the outputs.
    """
    slots = list(
        Assignment.objects.filter(
            task=task, state__in=[Slot.ANSWERED, Slot.SKIPPED], annotator__isnull=False
        )
        .select_related("annotator__user", "guideline", "queue")
        .order_by("-round", "pk")[:PEOPLE]
    )
    answers: defaultdict[int, list[Annotation]] = defaultdict(list)
    for answer in Annotation.objects.filter(assignment__in=slots).order_by("pk"):
        answers[answer.assignment_id].append(answer)
    counting = set(
        Annotation.objects.votes().filter(assignment__in=slots).values_list("pk", flat=True)
    )
    standings = {
        one.annotator_id: shown(one)
        for one in Standing.objects.filter(
            queue=task.queue_id, annotator__in=[slot.annotator_id for slot in slots]
        )
    }
    returns = dict(
        Return.objects.filter(annotation__assignment__in=slots)
        .order_by("pk")
        .values_list("annotation", "state")
    )
    threads = threads_about(task, user)
    newest = task.queue.guidelines.order_by("-number").values_list("number", flat=True).first()
    here = Annotator.objects.who_read().filter(pk__in=[slot.annotator_id for slot in slots])
    readers = set(here.values_list("pk", flat=True))
    people = []
    for slot in slots:
        said = _said(slot, answers[slot.pk], refs, newest)
        said.standing = standings.get(slot.annotator_id or 0)
        said.thread = threads.get(slot.annotator_id)
        said.counts = said.annotation in counting
        said.is_sent_back = returns.get(said.annotation or 0) == Return.State.OPEN
        said.stood_by = returns.get(said.annotation or 0) == Return.State.KEPT
        said.has_reader = slot.annotator_id in readers
        said.may_be_sent_back = said.counts and said.has_reader and not said.is_sent_back
        people.append(said)
    return people, threads.get(None) or Thread(None)


def threads_about(
    task: Task, user: User, *, only: Annotator | None = None
) -> dict[int | None, Thread]:
    """The threads of a task, by annotator, and which comments this reader has not read.

    An annotator is given `only` their own.
    """
    threads: dict[int | None, Thread] = {}
    all_of_them = Comment.objects.filter(task=task)
    if only:
        all_of_them = all_of_them.filter(annotator=only)
    comments = all_of_them.select_related("author__user", "annotator__user")
    found = sorted(comments.order_by("-pk")[:COMMENTS], key=lambda one: one.pk)
    unread = set(unread_by(user, all_of_them).values_list("pk", flat=True))
    for comment in found:
        who = comment.annotator
        thread = threads.setdefault(comment.annotator_id, Thread(who, name_of(who)))
        thread.comments.append(comment)
        if comment.pk in unread:
            thread.unread.add(comment.pk)
    return threads


def _said(slot: Assignment, answers: list[Annotation], refs: list[str], newest: int | None) -> Said:
    followed = {answer.supersedes_id for answer in answers}
    current = [answer for answer in answers if answer.pk not in followed]
    guideline = slot.guideline.number if slot.guideline else None
    said = Said(
        slot=slot,
        name=name_of(slot.annotator),
        says=[in_words(slot.queue, one.answer, _numbered(one, refs)) for one in current],
        reason=slot.skip_reason,
        at=slot.closed_at,
        guideline=guideline,
        is_old=guideline is not None and newest is not None and guideline < newest,
        corrections=[
            in_words(slot.queue, one.answer, _numbered(one, refs))
            for one in answers
            if one.pk in followed
        ],
    )
    if current and slot.state == Slot.ANSWERED:
        last = current[-1]
        said.annotation, said.reason = last.pk, last.reason
        said.seconds, said.at = last.seconds, last.at
    return said


def _numbered(answer: Annotation, refs: list[str]) -> list[str]:
    # A turn of a chat numbers its own outputs.
    return answer.shown if answer.turn else refs


@dataclass(frozen=True)
class Line:
    """A part of the merged answer, and which share of the votes says so."""

    words: str
    votes: int
    of: int

    @property
    def percent(self) -> int:
        return round(100 * self.votes / self.of) if self.of else 0


def merged_so_far(task: Task, refs: list[str]) -> list[Line]:
    """What the majority says without the reviewer: of each two outputs, or of each label."""
    tasks = Task.objects.filter(pk=task.pk)
    lines: list[Line] = []
    places = dict(task.task_outputs.order_by("position").values_list("ref", "position"))
    number = {place: refs.index(ref) + 1 for ref, place in places.items() if ref in refs}
    for merged in AGGREGATORS["majority"].merge(Selection(tasks)):
        if not merged.question.votes:
            continue
        total = len(merged.question.votes)
        for verdict in merged.verdicts:
            one, other = number[verdict.first], number[verdict.second]
            words = {
                Outcome.FIRST: f"Output {one} over output {other}",
                Outcome.SECOND: f"Output {other} over output {one}",
                Outcome.TIE: f"Outputs {one} and {other} alike",
                Outcome.BAD: "all bad",
                Outcome.NONE: f"Outputs {one} and {other}: no answer leads",
            }[verdict.outcome]
            lines.append(Line(words, round(verdict.agreement * total), total))
    return (lines or _findings(task, refs))[:MERGED]


def _findings(task: Task, refs: list[str]) -> list[Line]:
    if task.prompt_id is None:
        return []
    counts: Counter[str] = Counter()
    people = 0
    for judgment in judgments(Task.objects.filter(pk=task.pk)):
        people = len(judgment.said)
        task_type, options = judgment.task_type, judgment.options
        for said in judgment.said:
            found = task_type.findings(said.answer, judgment.refs, options)
            words = {
                " ".join(filter(None, [one.name, one.value, _level(one.level)]))
                for one in found
                if not one.text and one.level != 0
            }
            verdict = said.answer.get("verdict")
            counts.update(words or {verdict or "none of them"})
    return [Line(words, votes, people) for words, votes in counts.most_common()]


def _level(level: float | None) -> str:
    return "" if level is None else f"{level:g}"
