"""What a pick reads, whatever the queue holds and whoever asks.

    python -m benchmarks.pick [--slots 10000 --slots 5000000] [--order arrival ...]

Starts a PostgreSQL of its own in a temporary folder, fills a queue of each order with so many free
slots, and asks for questions as people who have answered nothing, or 50,000 of its tasks (half of
them, where it has fewer): its first, its last, every so many, any. Each statement of a pick is
explained as it runs (`EXPLAIN (ANALYZE, BUFFERS)`); the most buffers that one statement touched,
that all of one request touched together, and how many statements that were, are printed for each,
as one line of JSON at the end. Five million slots take minutes and gigabytes for each order.
"""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from benchmarks.own_database import own_database

if TYPE_CHECKING:
    from benchmarks.seed_desk import World

OVERLAP = 10
ANSWERED = 50_000
QUESTIONS = 5  # that each person asks for
HISTORIES = {
    "nothing": "false",
    "the first": "place <= %(many)s",
    "the last": "place > %(tasks)s - %(many)s",
    "every so many": "mod(place, %(tasks)s / %(many)s) = 0",
    "any": "random() < %(many)s::float / %(tasks)s",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--slots", type=int, action="append", help="Free slots of a queue.")
    parser.add_argument("--order", action="append", help="Of the queue; else each in turn.")
    given = parser.parse_args()
    with own_database("pick"):
        from annotation.models import Queue
        from benchmarks.seed_desk import make_world

        world = make_world("bench", len(HISTORIES), "a long enough password", 200)
        found = [
            one
            for slots in given.slots or [10_000, 5_000_000]
            for order in given.order or Queue.Order.values
            for one in picks(world, slots, order)
        ]
    most = max(one["buffers_of_a_statement"] for one in found)
    print(json.dumps({"picks": found, "most_buffers_of_a_statement": most}))  # noqa: T201


def picks(world: "World", slots: int, order: str) -> list[dict[str, Any]]:
    from django.db import connection

    from benchmarks.seed_desk import seed

    tasks = slots // OVERLAP
    queue = seed(world, tasks, OVERLAP, order=order)
    many = min(ANSWERED, tasks // 2)
    with connection.cursor() as cursor:
        for annotator, which in zip(world.annotators, HISTORIES.values(), strict=True):
            cursor.execute(
                ANSWER.format(which=which),
                {"queue": queue, "annotator": annotator, "many": many, "tasks": tasks},
            )
        cursor.execute("VACUUM ANALYZE annotation_assignment")
    found = []
    for annotator, history in zip(world.annotators, HISTORIES, strict=True):
        one = {"slots": slots, "order": order, "answered": history, **asked(annotator)}
        print(json.dumps(one), file=sys.stderr, flush=True)  # noqa: T201
        found.append(one)
    return found


# One slot of each task; the others stay free.
ANSWER = """
UPDATE annotation_assignment slot
SET state = 'answered', annotator_id = %(annotator)s, taken_at = now(),
    closed_at = now() - %(tasks)s * interval '1 second' + place * interval '1 second'
FROM (
    SELECT place, (SELECT id FROM annotation_assignment
        WHERE task_id = task.id AND state = 'free' LIMIT 1) AS id
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS place
        FROM annotation_task WHERE queue_id = %(queue)s) task
    WHERE {which}
) taken WHERE slot.id = taken.id
"""


def asked(annotator: int) -> dict[str, int]:
    """They ask, answer and ask again; the first request is the dearest: no bookmark is there."""
    from django.utils import timezone

    from annotation import pick
    from annotation.assign import come_to_desk
    from annotation.models import Annotator, Assignment

    person = Annotator.objects.select_related("project", "user").get(pk=annotator)
    assert person.user
    real, touched = pick.fetch, []

    def fetch(statement: str, values: dict[str, Any]) -> Any:
        rows = real("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + statement, values)
        plan = json.loads(rows[0][0]) if isinstance(rows[0][0], str) else rows[0][0]
        touched.append(sum(plan[0]["Plan"][f"Shared {kind} Blocks"] for kind in ("Hit", "Read")))
        return real(statement, values)

    requests, given = [], 0
    for _ in range(QUESTIONS):
        touched.clear()
        pick.fetch = fetch  # type: ignore[assignment]
        try:
            desk = come_to_desk(person.project, person.user)
        finally:
            pick.fetch = real
        requests.append(list(touched))
        if desk.assignment:
            given += 1
            slots = Assignment.objects.filter(pk=desk.assignment.pk)
            slots.update(state="answered", closed_at=timezone.now())
    return {
        "buffers_of_a_statement": max(max(one) for one in requests),
        "buffers_of_a_request": max(sum(one) for one in requests),
        "statements_of_a_request": max(len(one) for one in requests),
        "questions_given": given,
    }


if __name__ == "__main__":
    main()
