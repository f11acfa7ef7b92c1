"""What a pick costs, whatever the queue holds and whoever asks."""

import json

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation import pick
from annotation.assign import come_to_desk, next_assignment
from annotation.bookmark import FAR
from annotation.models import Annotator, Assignment, Bookmark, Queue
from tests import make
from tests.together import Other

BUFFERS = 300
TASKS = 6000
MET = 4000


@pytest.fixture
def explained(monkeypatch):
    """Every statement of the pick is explained as it runs; the buffers that each has touched."""
    touched = []
    real = pick.fetch

    def fetch(statement, values):
        rows = real("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + statement, values)
        plan = rows[0][0]
        plan = json.loads(plan) if isinstance(plan, str) else plan
        top = plan[0]["Plan"]
        touched.append(top["Shared Hit Blocks"] + top["Shared Read Blocks"])
        return real(statement, values)

    monkeypatch.setattr(pick, "fetch", fetch)
    return touched


def seed(queue, *, tasks=TASKS, slots=3):
    """Tasks with free slots, through SQL: there are many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO annotation_task (queue_id, ref, brief, created_at)"
            " SELECT %s, 'seeded-' || n, '{}', now() FROM generate_series(1, %s) n",
            [queue.pk, tasks],
        )
        cursor.execute(
            "INSERT INTO annotation_assignment"
            " (task_id, queue_id, state, purpose, round, shown, skip_reason, lane)"
            " SELECT task.id, task.queue_id, 'free', 'answer', 1, '{}', '',"
            "  CASE %s WHEN 'random' THEN floor(random() * 30000) WHEN 'breadth' THEN 9 + level"
            "   WHEN 'priority' THEN 5 + task.id %% 10 ELSE 10 END"
            " FROM annotation_task task, generate_series(1, %s) level"
            " WHERE task.queue_id = %s ORDER BY task.id, level",
            [queue.order, slots, queue.pk],
        )


def meet(queue, annotator, which):
    """They have answered these tasks; the other slots of them stay free."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE annotation_assignment slot SET state = 'answered', annotator_id = %s,"
            " closed_at = now() FROM ("
            "  SELECT DISTINCT ON (task_id) id, dense_rank() OVER (ORDER BY task_id) AS place"
            "  FROM annotation_assignment WHERE queue_id = %s AND state = 'free'"
            "  ORDER BY task_id, id"
            f" ) first WHERE slot.id = first.id AND {which}",
            [annotator.pk, queue.pk],
        )
        cursor.execute("ANALYZE annotation_assignment")


WAYS = {
    "nothing": "false",
    "the first": f"place <= {MET}",
    "the last": f"place > {TASKS - MET}",
    "every other": "mod(place, 2) = 0",
    "most of them": "mod(place, 10) > 0",
    "by chance": "random() < 0.6",
}


@pytest.mark.parametrize("order", Queue.Order.values)
@pytest.mark.parametrize("way", WAYS)
def test_a_pick_touches_few_buffers(project, alice, order, way, explained):
    queue = make.queue(project, order=order)
    seed(queue)
    annotator = Annotator.objects.member(project, alice)
    meet(queue, annotator, WAYS[way])
    met = set(Assignment.objects.filter(annotator=annotator).values_list("task", flat=True))
    for _ in range(3):
        slot = next_assignment(project, alice)
        assert slot.task_id not in met
        met.add(slot.task_id)
        Assignment.objects.filter(pk=slot.pk).update(state="answered", closed_at=timezone.now())
    assert max(explained) < BUFFERS, explained


@pytest.mark.parametrize("which", ["mod(place, 2) = 0", "mod(place, 12) > 0", "true"])
def test_a_pick_costs_as_little_where_something_is_withheld(project, alice, which, explained):
    """Of harmless tasks every other is there, one in twelve, none."""
    queue = make.queue(project, sensitive=["violence"], harmful=["violence"])
    seed(queue, tasks=2000)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE annotation_task task SET categories = '{violence}' FROM ("
            "  SELECT id, row_number() OVER (ORDER BY id) AS place FROM annotation_task"
            f") numbered WHERE task.id = numbered.id AND {which}"
        )
    # Of the harmless ones, however few they are, some are met and most are not.
    meet(queue, Annotator.objects.member(project, alice), "mod(place, 9) = 0")
    for _ in range(4):
        slot = next_assignment(project, alice)
        if which == "true":
            assert slot is None
        else:
            assert slot.task.categories == []
            Assignment.objects.filter(pk=slot.pk).update(state="answered", closed_at=timezone.now())
    assert max(explained) < BUFFERS, explained


def test_what_one_has_met_is_read_once(project, alice, explained):
    """Three people could go on here, and Alice has met everything."""
    queue = make.queue(project)
    seed(queue, tasks=1000)
    annotator = Annotator.objects.member(project, alice)
    Bookmark.objects.create(queue=queue, annotator=annotator)
    meet(queue, annotator, "true")
    statements = []
    for _ in range(3):
        explained.clear()
        assert next_assignment(project, alice) is None
        assert max(explained) < BUFFERS
        statements.append(len(explained))
    assert statements[0] > statements[-1]
    assert statements[-1] <= 5


@pytest.mark.parametrize("left", [200, 800, 1400])
@pytest.mark.parametrize("order", [Queue.Order.ARRIVAL, Queue.Order.RANDOM])
def test_finds_the_one_left_behind_everything_met(project, alice, order, left):
    queue = make.queue(project, order=order)
    seed(queue, tasks=1500)
    annotator = Annotator.objects.member(project, alice)
    Bookmark.objects.create(queue=queue, annotator=annotator)
    meet(queue, annotator, f"place <> {left}")
    desk = come_to_desk(project, alice)
    for _ in range(20):
        if desk.assignment:
            break
        assert desk.is_looking, "there is one left, and it was not found"
        desk = come_to_desk(project, alice)
    assert desk.assignment.task.ref == f"seeded-{left}"


def test_who_begins_in_the_middle_finds_what_lies_before(project, alice):
    queue = make.queue(project)
    seed(queue, tasks=300, slots=2)
    annotator = Annotator.objects.member(project, alice)
    meet(queue, annotator, "place > 10")
    assert next_assignment(project, alice).task.ref == "seeded-1"


@pytest.mark.django_db(transaction=True)
def test_a_bookmark_never_passes_what_is_only_locked(project, alice):
    """Whoever is about to take it may be killed, and then it is free again."""
    queue = make.queue(project)
    seed(queue, tasks=2 * FAR, slots=1)
    first = Assignment.objects.free().first()
    annotator = Annotator.objects.member(project, alice)
    # Far behind it, so that the bookmark is moved.
    Assignment.objects.filter(pk__gt=first.pk, pk__lt=first.pk + FAR + 10).delete()

    with transaction.atomic():
        Assignment.objects.select_for_update().get(pk=first.pk)
        taken = Other(lambda: next_assignment(project, alice)).result()
    assert taken.pk > first.pk + FAR
    mark = Bookmark.objects.get(queue=queue, annotator=annotator)
    assert mark.positions["10"] < first.pk


def queries_of_steps(client, steps):
    """How many statements each of so many steps runs, and the most of them."""
    client.get("/p/demo/desk/")
    seen = []
    for turn in range(steps):
        held = Assignment.objects.get(state=Assignment.State.HELD)
        with CaptureQueriesContext(connection) as queries:
            response = client.post(
                f"/p/demo/desk/{held.pk}/answer/",
                {"choice": "0", "key": f"k{turn}", "seconds": "3"},
                headers={"HX-Request": "true"},
            )
        assert response.status_code == 200
        # A test's transaction is inside another; the desk's own begins and ends with none of these.
        seen.append([str(one["sql"]) for one in queries if "SAVEPOINT" not in str(one["sql"])])
    return [len(one) for one in seen], "\n".join(max(seen, key=len))


def test_a_step_runs_few_queries(project, alice, client):
    for _ in range(14):
        make.task(project)
    client.force_login(alice)
    numbers, queries = queries_of_steps(client, 12)  # in some of them one is weighed
    assert max(numbers) <= 10, queries


@pytest.mark.parametrize(
    ("number", "handling"),
    [
        (12, {"overlap": 2, "most_answers": 4}),  # the task is locked, its answers are counted
        (13, {"gold_share": 1.0}),  # a check is found, takes the slot's place, and is read
        (17, {"exam_skill": "expertise:law"}),  # three that count what was asked, one slot is made
    ],
)
def test_a_step_with_more_to_decide_runs_a_few_more(project, alice, client, number, handling):
    queue = make.queue(project, **handling)
    for place in range(16):
        gold = {"tiers": [["a"], ["b"]]} if place % 2 and "overlap" not in handling else None
        make.task(project, queue=queue, gold=gold, answers=2 - 2 * bool(gold))
    client.force_login(alice)
    numbers, queries = queries_of_steps(client, 4)
    assert numbers == [number] * 4, queries
