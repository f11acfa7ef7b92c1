"""Write sorted lines table by table, each table with one COPY."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.utils import timezone

from annotation.categorise import categorise_tasks
from annotation.certainty import ask_more_of
from annotation.close_returns import people_sent_back
from annotation.copy_rows import copy_rows, new_ids, text_array
from annotation.exempt import exempt_authors
from annotation.feedback_line import AnnotationLine
from annotation.fit_slots import fit_slots
from annotation.keep_written import Said, keep_all_written
from annotation.lanes import lane_for
from annotation.let_be import let_be
from annotation.look_again_from import look_again_from
from annotation.models import (
    Annotation,
    Annotator,
    Assignment,
    Authorship,
    Output,
    Prompt,
    Queue,
    Task,
    TaskOutput,
)
from annotation.models.authorship import about_what_is_withdrawn
from annotation.models.prompt import digest_of, split_of
from annotation.recognise import Arrival
from annotation.retag import retag
from annotation.write_comments import Commented, write_comments
from annotation.write_flags import Flagged, write_flags
from truing.models import Project

SOURCE = "import"
Answered = tuple[Queue, int, str, list[AnnotationLine]]  # a task's queue, key and ref
OutputName = tuple[int, str, str]  # prompt, digest, source
Rows = list[tuple[Any, ...]]

_encode = json.JSONEncoder(ensure_ascii=False).encode


@dataclass
class Stored:
    """What became of some lines."""

    tasks: int = 0
    prompts: int = 0
    annotations: int = 0
    annotators: int = 0
    unchanged: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)


@dataclass
class Wanted:
    """What is to be written, all of it checked."""

    tasks: list[tuple[Queue, Arrival]] = field(default_factory=list)
    prompts: list[Arrival] = field(default_factory=list)  # without a task
    answers: list[Answered] = field(default_factory=list)  # to tasks that are there already
    comments: list[Commented] = field(default_factory=list)  # on tasks that are there already
    guidelines: dict[int, dict[int, int]] = field(default_factory=dict)  # keys, by queue and number

    def __bool__(self) -> bool:
        return bool(self.tasks or self.prompts or self.answers or self.comments)


def write_lines(project: Project, wanted: Wanted, stored: Stored) -> None:
    """Write it, and count what was written. The caller holds the queues and the project's ids."""
    _Writing(project, wanted, stored).write()


class _Writing:
    def __init__(self, project: Project, wanted: Wanted, stored: Stored) -> None:
        self.project = project
        self.wanted = wanted
        self.stored = stored
        self.now = timezone.now()
        self._prompts: dict[int, int | None] = {}  # by task
        self._flags: list[Flagged] = []
        # Which line brought an output, or a prompt, that was not here; and which made a task.
        self._outputs_by: dict[int, int] = {}
        self._prompts_by: dict[int, int] = {}
        self._tasks_by: dict[int, int] = {}

    def write(self) -> None:
        self._hold_who_is_written_to()
        prompt_ids = self._write_prompts()
        output_ids = self._write_outputs(prompt_ids)
        task_ids = self._write_tasks(prompt_ids, output_ids)
        answers = [
            (queue, task_id, arrival.line.id, arrival.line.annotations)
            for (queue, arrival), task_id in zip(self.wanted.tasks, task_ids, strict=True)
        ]
        self._prompts = dict(zip(task_ids, prompt_ids, strict=False))
        known_tasks = Task.objects.filter(pk__in=[task for _, task, *_ in self.wanted.answers])
        self._prompts.update(known_tasks.values_list("pk", "prompt"))
        self._write_answers(answers + self.wanted.answers)
        self._write_free_slots(answers)
        self._tag_prompts(answers + self.wanted.answers)
        # Known tasks may have had free slots that are filled now.
        for queue in {queue.pk: queue for queue, *_ in self.wanted.answers}.values():
            known = [task for its, task, *_ in self.wanted.answers if its.pk == queue.pk]
            fit_slots(queue, known)
        # And many may be answered, and not certain enough.
        asked = [(queue, task) for queue, task, *_ in [*answers, *self.wanted.answers]]
        for queue in {queue.pk: queue for queue, _ in asked if queue.most_answers}.values():
            ask_more_of(queue, [task for its, task in asked if its.pk == queue.pk])
        self._take_back_what_is_withdrawn(
            [task for queue, task in asked if queue.task_type.is_gate]
        )
        if self._flags:
            write_flags(self._flags)
        self._write_comments(task_ids)

    def _hold_who_is_written_to(self) -> None:
        """Wait for them at their desk while nothing is held yet that they may want there."""
        comments = [one for _, arrival in self.wanted.tasks for one in arrival.line.comments]
        comments += [one for _, one in self.wanted.comments]
        if names := {one.with_whom for one in comments if one.with_whom}:
            named = Annotator.objects.filter(project=self.project, pseudonym__in=names)
            members = named.filter(user__isnull=False)
            people_sent_back(members.values_list("pk", flat=True))

    def _take_back_what_is_withdrawn(self, tasks: list[int]) -> None:
        """Nobody validates what its author has corrected since."""
        if tasks:
            over = about_what_is_withdrawn(Task.objects.filter(pk__in=tasks))
            let_be(over.values_list("pk", flat=True))

    def _write_comments(self, task_ids: list[int]) -> None:
        comments = [
            (task_id, comment)
            for (_, arrival), task_id in zip(self.wanted.tasks, task_ids, strict=True)
            for comment in arrival.line.comments
        ]
        comments += self.wanted.comments
        if comments:
            names = {name for _, one in comments for name in (one.by, one.with_whom) if name}
            write_comments(comments, self._annotators(names))

    def _write_prompts(self) -> list[int | None]:
        """Write the prompts that are missing; the keys of those of all lines, in order."""
        arrivals = [arrival for _, arrival in self.wanted.tasks]
        keys = _known_prompts(self.project, [arrival.digest for arrival in arrivals])
        missing: dict[str, Arrival] = {}
        for arrival in arrivals:
            if arrival.digest and arrival.digest not in keys:
                missing.setdefault(arrival.digest, arrival)
        keys.update(zip(missing, new_ids(Prompt, len(missing)), strict=True))
        for digest, arrival in missing.items():
            self._prompts_by[keys[digest]] = arrival.number
        own = new_ids(Prompt, len(self.wanted.prompts))
        rows = [self._prompt_row(keys[digest], "", one) for digest, one in missing.items()]
        rows += [
            self._prompt_row(key, one.line.id, one)
            for key, one in zip(own, self.wanted.prompts, strict=True)
        ]
        copy_rows(
            Prompt,
            "id project_id ref task_type digest messages text language source tags meta split"
            " created_at",
            rows,
        )
        self.stored.prompts += len(own)
        return [keys.get(arrival.digest) for arrival in arrivals] + list(own)

    def _prompt_row(self, key: int, ref: str, arrival: Arrival) -> tuple[Any, ...]:
        line = arrival.line
        said = [turn["content"] for turn in line.messages if turn["role"] == "user"]
        split = split_of(
            said[0],
            eval_percent=self.project.eval_percent,
            review_percent=self.project.review_percent,
        )
        return (
            key,
            self.project.pk,
            ref,
            line.task_type if ref else "",
            arrival.digest,
            _encode(line.messages),
            said[-1],
            line.language,
            line.source,
            text_array(line.tags),
            _encode(line.meta),
            split,
            self.now,
        )

    def _write_outputs(self, prompt_ids: list[int | None]) -> dict[OutputName, int]:
        """Write the outputs that are missing; the keys of those of all lines."""
        arrivals = [arrival for _, arrival in self.wanted.tasks] + self.wanted.prompts
        rows: dict[OutputName, tuple[Any, ...]] = {}
        first: dict[OutputName, int] = {}
        for place, (prompt_id, arrival) in enumerate(zip(prompt_ids, arrivals, strict=True)):
            if prompt_id is None:
                continue
            own = place >= len(self.wanted.tasks)
            for one, (ref, digest, source) in zip(arrival.line.outputs, arrival.shape, strict=True):
                name = (prompt_id, digest, source)
                params = _encode(one.params)
                first.setdefault(name, arrival.number)
                rows.setdefault(name, (*name, one.text, params, ref if own else "", self.now))
        keys = _known_outputs(list(rows))
        missing = [name for name in rows if name not in keys]
        keys.update(zip(missing, new_ids(Output, len(missing)), strict=True))
        self._outputs_by.update({keys[name]: first[name] for name in missing})
        copy_rows(
            Output,
            "id prompt_id digest source text params ref created_at",
            [(keys[name], *rows[name]) for name in missing],
        )
        return keys

    def _write_tasks(
        self, prompt_ids: list[int | None], output_ids: dict[OutputName, int]
    ) -> list[int]:
        keys = new_ids(Task, len(self.wanted.tasks))
        tasks: Rows = []
        outputs: Rows = []
        for key, prompt_id, (queue, arrival) in zip(
            keys, prompt_ids, self.wanted.tasks, strict=False
        ):
            gold = arrival.line.gold
            gold_text = None if gold is None else _encode(gold)
            brief = _encode(arrival.line.brief)
            tasks.append(
                (
                    key,
                    queue.pk,
                    prompt_id,
                    arrival.line.id,
                    gold_text,
                    arrival.line.is_check,
                    brief,
                    self.now,
                )
            )
            if prompt_id is None:
                continue
            outputs += [
                (key, output_ids[prompt_id, digest, source], position, ref)
                for position, (ref, digest, source) in enumerate(arrival.shape)
            ]
        copy_rows(Task, "id queue_id prompt_id ref gold is_check brief created_at", tasks)
        copy_rows(TaskOutput, "task_id output_id position ref", outputs)
        numbers = (arrival.number for _, arrival in self.wanted.tasks)
        self._tasks_by = dict(zip(keys, numbers, strict=True))
        self.stored.tasks += len(keys)
        return keys

    def _write_answers(self, tasks: list[Answered]) -> None:
        lines = [one for *_, annotations in tasks for one in annotations]
        people = self._annotators({one.annotator for one in lines})
        slot_ids = iter(new_ids(Assignment, len(lines)))
        answer_ids = iter(new_ids(Annotation, sum(len(one.answers) for one in lines)))
        slots: Rows = []
        answers: Rows = []
        written: defaultdict[Queue, list[Said]] = defaultdict(list)
        for queue, task_id, ref, annotations in tasks:
            guidelines = self.wanted.guidelines.get(queue.pk, {})
            for one in annotations:
                key = next(slot_ids)
                guideline_id = guidelines[one.guideline] if one.guideline is not None else None
                slots.append(
                    (key, task_id, queue.pk, people[one.annotator], guideline_id, *_slot_of(one))
                )
                rows = self._answer_rows(key, ref, one, answer_ids)
                answers += rows
                if one.for_nobody:
                    who = people[one.annotator]
                    self._flags.append((task_id, who, one.round, one.skip_reason, one.for_nobody))
                if queue.task_type.writes:
                    written[queue] += self._said(task_id, people[one.annotator], one, rows)
                self.stored.annotations += not one.is_skip
        copy_rows(
            Assignment,
            "id task_id queue_id annotator_id guideline_id state purpose round closed_at shown"
            " skip_reason",
            slots,
        )
        copy_rows(
            Annotation,
            "id assignment_id key supersedes_id answer shown seconds at reason turn",
            answers,
        )
        for queue, said in written.items():
            keep_all_written(queue, said)
            self._written_before_it_came(said)
        if answers:
            look_again_from(self.project, answers[0][0])

    def _said(self, task_id: int, annotator_id: int, one: AnnotationLine, rows: Rows) -> list[Said]:
        prompt_id = self._prompts[task_id]
        return [
            Said(row[0], annotator_id, prompt_id, answer.answer)
            for row, answer in zip(rows, one.answers, strict=True)
        ]

    def _written_before_it_came(self, said: list[Said]) -> None:
        """What a line brings that a line before it has written is here because that wrote it."""
        rows = Authorship.objects.filter(annotation__in=[one.annotation for one in said])
        keys = rows.filter(is_new=False).values_list(
            "pk", "annotation__assignment__task", "output", "prompt"
        )
        new = []
        for pk, task, output, prompt in keys:
            brought_by = self._outputs_by.get(output) or self._prompts_by.get(prompt)
            if brought_by and brought_by > self._tasks_by.get(task, brought_by):
                new.append(pk)
        if new:
            Authorship.objects.filter(pk__in=new).update(is_new=True)

    def _tag_prompts(self, answered: list[Answered]) -> None:
        """Prompts that were classified have the tags that most people gave them."""
        tasks = [task for queue, task, *_ in answered if queue.task_type.tags_prompts]
        if tasks:
            prompts = Task.objects.filter(pk__in=tasks, prompt__isnull=False)
            retag(prompts.values_list("prompt_id", flat=True))

    def _write_free_slots(self, tasks: list[Answered]) -> None:
        """As many for each new task as its queue wants answers beside those that came with it.

        None for what came settled.
        """
        rows: Rows = []
        for queue, task_id, _, annotations in tasks:
            newest = max((one.round for one in annotations if one.is_vote), default=1)
            if any(one.is_settlement and one.round >= newest for one in annotations):
                continue
            votes = sum(one.is_vote and one.round == newest for one in annotations)
            rows += [
                (
                    *(task_id, queue.pk, "free", "answer", newest, "{}", ""),
                    lane_for(queue, level=level),
                )
                for level in range(votes, queue.overlap)
            ]
        copy_rows(Assignment, "task_id queue_id state purpose round shown skip_reason lane", rows)
        exempt_authors([task_id for _, task_id, *_ in tasks])
        for queue in {queue for queue, *_ in tasks}:
            categorise_tasks(queue, [task_id for own, task_id, *_ in tasks if own == queue])

    def _answer_rows(
        self, slot_id: int, ref: str, one: AnnotationLine, answer_ids: Iterator[int]
    ) -> Rows:
        rows: Rows = []
        before: int | None = None
        for place, answer in enumerate(one.answers):
            answer_id = next(answer_ids)
            # Made of what the answer is, so that the database, too, takes it once.
            # What is no vote has a key of its own beside the vote of the same round.
            apart = ["adjudication"] if one.purpose == "adjudication" else []
            key = digest_of([self.project.pk, ref, one.annotator, one.round, place, *apart])
            said = (_encode(answer.answer), text_array(answer.shown), answer.seconds, answer.at)
            rows.append((answer_id, slot_id, key, before, *said, answer.reason, 0))
            before = answer_id
        return rows

    def _annotators(self, names: set[str]) -> dict[str, int]:
        """Whoever is called so here: a member goes by the pseudonym that exports show."""
        found = Annotator.objects.filter(project=self.project, pseudonym__in=names)
        # Where two are called so, the one who was first.
        people = dict(found.order_by("-pk").values_list("pseudonym", "pk"))
        missing = sorted(names - people.keys())
        people.update(zip(missing, new_ids(Annotator, len(missing)), strict=True))
        copy_rows(
            Annotator,
            "id project_id source name pseudonym",
            [(people[name], self.project.pk, SOURCE, name, name) for name in missing],
        )
        self.stored.annotators += len(missing)
        return people


def _slot_of(one: AnnotationLine) -> tuple[Any, ...]:
    is_open = one.is_skip or one.is_taken_back
    state = Assignment.State.SKIPPED if is_open else Assignment.State.ANSWERED
    purpose = one.purpose or Assignment.Purpose.IMPORT
    closed_at = one.skipped_at if is_open else one.answers[-1].at
    return state, purpose, one.round, closed_at, text_array(one.shown), one.skip_reason


def _known_prompts(project: Project, digests: list[str]) -> dict[str, int]:
    """The keys of the prompts that lines share, by digest."""
    shared = Prompt.objects.filter(project=project, ref="", parent=None, digest__in=digests)
    return dict(shared.values_list("digest", "pk"))


def _known_outputs(names: list[OutputName]) -> dict[OutputName, int]:
    if not names:
        return {}
    prompts, digests, sources = zip(*names, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT prompt_id, digest, source, id FROM annotation_output"
            " JOIN unnest(%s::bigint[], %s::text[], %s::text[])"
            " AS wanted(prompt_id, digest, source) USING (prompt_id, digest, source)",
            [list(prompts), list(digests), list(sources)],
        )
        return {(prompt, digest, source): key for prompt, digest, source, key in cursor}
