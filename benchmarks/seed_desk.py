"""Fill queues for the desk's benchmark, in seconds: with SQL, and without checking foreign keys."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import connection

from annotation.create_queue import create_queue
from annotation.lanes import LANE
from annotation.models import Annotator, Output, Prompt, Queue
from annotation.models.output import output_digest
from annotation.models.prompt import prompt_digest, split_of
from truing.create_project import create_project
from truing.models import Membership, Project, User

SENTENCE = "the quick brown fox jumps over a lazy dog at noon and nobody has ever asked it why"
WORDS = SENTENCE.split()
GUIDELINE = "Prefer the answer that is **right**, then the one that is shorter."


@dataclass
class World:
    project: Project
    emails: list[str]
    annotators: list[int]
    prompts: list[int]


def make_world(slug: str, people: int, password: str, prompts: int) -> World:
    """A project with its people, and prompts with two outputs each."""
    project = create_project(slug.capitalize(), slug=slug, actor=None)
    hashed = make_password(password)  # once: it takes a core half a second
    emails = [f"person{number}@example.org" for number in range(people)]
    users = User.objects.bulk_create(
        User(email=email, name=email.partition("@")[0], password=hashed) for email in emails
    )
    Membership.objects.bulk_create(Membership(project=project, user=user) for user in users)
    annotators = Annotator.objects.bulk_create(
        Annotator(project=project, user=user) for user in users
    )
    made = Prompt.objects.bulk_create(_prompt(project, number) for number in range(prompts))
    Output.objects.bulk_create(
        Output(prompt=prompt, text=text, digest=output_digest(text), source=f"model {side}")
        for number, prompt in enumerate(made)
        for side, text in enumerate((_said(number, 60), _said(number + 7, 45)))
    )
    return World(project, emails, [one.pk for one in annotators], [one.pk for one in made])


def seed_worked_on(world: World) -> None:
    """A queue that everybody has worked on for a while."""
    seed(world, 400, 1, met=200)


def seed(
    world: World,
    tasks: int,
    overlap: int,
    *,
    met: int = 0,
    rules: bool = False,
    order: str = "arrival",
) -> int:
    """An open queue of so many tasks, the only open one; the first may have been met by all.

    Those have been answered by everybody, and their other slots are still free.
    """
    Queue.objects.filter(project=world.project).update(state=Queue.State.PAUSED)
    people = len(world.annotators)
    queue = create_queue(
        world.project,
        name=f"Queue {Queue.objects.count() + 1}",
        type="pairwise",
        overlap=people + overlap if met else overlap,
        guideline=GUIDELINE,
        rules=rules,  # who answers by chance would be stopped, and rightly
        handling={"order": order},
        actor=None,
    )
    with _unchecked() as cursor:
        values: dict[str, Any] = {
            "queue": queue.pk,
            "tasks": tasks,
            "prompts": world.prompts,
            "overlap": queue.overlap,
            "order": order,
            "met": met,
            "people": world.annotators,
            "answer": json.dumps({"tiers": [["a"], ["b"]], "strength": 2}),
        }
        for statement in _SEED[: None if met else 3]:
            cursor.execute(statement, values)
    with connection.cursor() as cursor:
        # As autovacuum has done it where work has gone on for a while.
        for table in (
            "task",
            "taskoutput",
            "assignment",
            "annotation",
            "draft",
            "bookmark",
            "standing",
        ):
            cursor.execute(f"VACUUM ANALYZE annotation_{table}")
        cursor.execute("CHECKPOINT")
    return queue.pk


_SEED = (
    """
    INSERT INTO annotation_task (queue_id, prompt_id, ref, brief, created_at)
    SELECT %(queue)s, (%(prompts)s::bigint[])[1 + number %% array_length(%(prompts)s::bigint[], 1)],
        'task-' || number, '{}', now()
    FROM generate_series(1, %(tasks)s) number
    """,
    """
    INSERT INTO annotation_taskoutput (task_id, output_id, position, ref)
    SELECT task.id, output.id, output.place, chr(97 + output.place::int)
    FROM annotation_task task JOIN (
        SELECT id, prompt_id, row_number() OVER (PARTITION BY prompt_id ORDER BY id) - 1 AS place
        FROM annotation_output
    ) output USING (prompt_id)
    WHERE task.queue_id = %(queue)s
    """,
    # What everybody has answered stands where it was taken: before the slots that are still free.
    f"""
    INSERT INTO annotation_assignment
        (task_id, queue_id, annotator_id, state, purpose, round, shown, skip_reason, lane,
        taken_at, closed_at)
    SELECT task.id, task.queue_id, person, CASE WHEN person IS NULL THEN 'free' ELSE 'answered' END,
        'answer', 1, CASE WHEN person IS NULL THEN '{{}}'::text[] ELSE '{{a,b}}' END, '', {LANE},
        at, at
    FROM (SELECT id, queue_id, id %% 10 - 5 AS priority, false AS is_begun,
            row_number() OVER (ORDER BY id) AS place
        FROM annotation_task WHERE queue_id = %(queue)s) task
    CROSS JOIN generate_series(0, %(overlap)s - 1) AS level
    CROSS JOIN LATERAL (
        SELECT CASE WHEN place <= %(met)s THEN (%(people)s::bigint[])[level + 1] END AS person
    ) taker
    CROSS JOIN LATERAL (
        SELECT CASE WHEN person IS NOT NULL
            THEN now() - interval '1 day' + task.id * interval '1 millisecond' END AS at
    ) moment
    ORDER BY task.id, level
    """,
    """
    INSERT INTO annotation_annotation (assignment_id, answer, shown, reason, turn, key, at)
    SELECT id, %(answer)s, shown, '', 0, 'seeded-' || id, closed_at
    FROM annotation_assignment WHERE queue_id = %(queue)s AND state = 'answered'
    """,
    """
    INSERT INTO annotation_standing (annotator_id, queue_id, answers)
    SELECT person, %(queue)s, %(met)s FROM unnest(%(people)s::bigint[]) AS person
    """,
)


@contextmanager
def _unchecked() -> Iterator[Any]:
    """The rows refer to what is there; asking for each of them would take most of the time."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            yield cursor
        finally:
            cursor.execute("SET session_replication_role = DEFAULT")


def _prompt(project: Project, number: int) -> Prompt:
    text = f"Question {number}: {_said(number, 12)}?"
    messages = [{"role": "user", "content": text}]
    return Prompt(
        project=project,
        messages=messages,
        text=text,
        language="en",
        digest=prompt_digest(messages, "en", "", [], {}),
        split=split_of(text, eval_percent=0, review_percent=0),
    )


def _said(number: int, length: int) -> str:
    return " ".join(WORDS[(number * place) % len(WORDS)] for place in range(1, length))
