"""The worker takes over from those who died."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from truing.management.commands.worker import DEAD_AFTER_SECONDS, give_back


@app.task(name="tests.nothing")
def nothing():
    pass


@pytest.fixture
def doing(transactional_db):
    """A job that a worker has taken, who was last heard of so many seconds ago."""

    def doing(seconds):
        job = nothing.defer()
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO procrastinate_workers (last_heartbeat)"
                " VALUES (now() - make_interval(secs => %s)) RETURNING id",
                [seconds],
            )
            [worker] = cursor.fetchone()
            cursor.execute(
                "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s WHERE id = %s",
                [worker, job],
            )
        return ProcrastinateJob.objects.get(pk=job)

    return doing


def look_around():
    async def look():
        worker_app = app.with_connector(app.connector.get_worker_connector())
        async with worker_app.open_async():
            await give_back(worker_app)

    # In a thread: Playwright's browser leaves an event loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, look()).result()


def test_the_jobs_of_a_dead_worker_go_to_another(doing):
    dead, living = doing(DEAD_AFTER_SECONDS + 1), doing(0)
    look_around()
    dead.refresh_from_db()
    living.refresh_from_db()
    assert (dead.status, living.status) == ("todo", "doing")
