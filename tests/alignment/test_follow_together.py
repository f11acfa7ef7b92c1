"""Following by several workers, whoever dies on the way: nothing is lost or done twice."""

import os
import shutil
import subprocess
import sys
import threading
import time
import zlib

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from alignment import start
from alignment.backends import BACKENDS
from alignment.backends import State as Outcome
from alignment.follow import follow, follow_all
from alignment.metrics import last_line
from alignment.models import Checkpoint, Process, Run
from alignment.start import start_next
from tests.alignment import tiny
from tests.alignment.followed import LONG, kill_trainer, until, until_ended
from tests.database_url import database_url
from truing.models import Event


def test_only_one_runs_at_a_time_and_the_oldest_first(sft):
    first, second = sft(options=LONG), sft()
    assert start_next("local") == first
    assert start_next("local") is None
    second.refresh_from_db()
    assert second.state == Run.State.QUEUED


def test_there_may_be_more_slots(sft, settings):
    settings.SLOTS = {"local": 2}
    first, second, third = sft(options=LONG), sft(options=LONG), sft()
    assert [start_next("local"), start_next("local"), start_next("local")] == [first, second, None]
    third.refresh_from_db()
    assert third.state == Run.State.QUEUED


def test_whoever_dies_while_starting_is_replaced(sft):
    """The worker was killed after it had taken the run, and before it had started anything."""
    run = sft()
    run.move(Process.State.QUEUED, Process.State.STARTING, attempt=1, started_at=timezone.now())
    follow_all()
    run.refresh_from_db()
    assert run.state == Run.State.RUNNING


def test_whoever_dies_before_writing_the_handle_down_starts_nothing_twice(commanded):
    run = commanded("import time; open('starts', 'a').write('x'); time.sleep(60)")
    until(run, lambda: (run.folder / "starts").exists())
    handle = run.handle
    # As if the worker had been killed between the start and the note of it.
    Run.objects.update(state=Run.State.STARTING, handle="")
    follow_all()
    run.refresh_from_db()
    assert (run.state, run.handle) == (Run.State.RUNNING, handle)
    assert (run.folder / "starts").read_text() == "x"


def test_whoever_dies_after_moving_the_model_loses_nothing(sft, settings):
    run = sft()
    start_next("local")
    run.refresh_from_db()
    deadline = time.monotonic() + 180
    while BACKENDS["local"].state(run.handle, run.folder) == Outcome.RUNNING:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    kept = settings.CHECKPOINTS / f"run-{run.pk}"
    kept.parent.mkdir()
    shutil.move(run.folder / "model", kept)
    follow(run)
    assert run.state == Run.State.SUCCEEDED
    assert Checkpoint.objects.get(run=run).path == str(kept)


def test_a_folder_of_an_earlier_database_is_not_taken_for_this_run(sft):
    run = sft()
    run.folder.mkdir(parents=True)
    (run.folder / "exit.txt").write_text("0")
    (run.folder / "packed.txt").write_text("run 1, asked for long ago")
    (run.folder / "model").mkdir()
    start_next("local")
    assert not (run.folder / "model").exists()
    run.refresh_from_db()
    assert BACKENDS["local"].state(run.handle, run.folder) == Outcome.RUNNING


@pytest.mark.django_db(transaction=True)
def test_two_followers_do_not_step_on_each_other(commanded):
    """One holds the process's lock: the other leaves it alone, and does not wait either."""
    run = commanded("raise SystemExit(9)")
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            key = [zlib.crc32(b"alignment.Run") - 2**31, run.pk]
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", key)
            time.sleep(1)
            follow_all()
            run.refresh_from_db()
            assert run.state == Run.State.RUNNING
    finally:
        other.close()
    until_ended(run)
    assert run.state == Run.State.FAILED


@pytest.mark.django_db(transaction=True)
def test_two_workers_do_not_fill_one_slot_twice(sft, monkeypatch):
    """One has counted the free slot and not yet taken it: the other must not count it too."""
    first, second = sft(options=LONG), sft(options=LONG)
    started, taken = [], threading.Event()
    real = start._oldest_waiting

    def oldest_waiting(backend):
        taken.wait(10)  # between counting and choosing, the first one takes its slot
        return real(backend)

    def another_worker():
        try:
            started.append(start_next("local"))
        finally:
            connection.close()

    monkeypatch.setattr(start, "_oldest_waiting", oldest_waiting)
    thread = threading.Thread(target=another_worker)
    with transaction.atomic():
        start._lock("local")
        thread.start()
        time.sleep(0.5)
        first.move(Process.State.QUEUED, Process.State.STARTING, attempt=1)
    taken.set()
    thread.join()
    assert started == [None]
    second.refresh_from_db()
    assert second.state == Run.State.QUEUED


MANY = 1000  # steps: so many that three workers start before the last of them


@pytest.fixture
def files_that_a_worker_finds(settings, tmp_path):
    """Where a process of its own looks for them, which knows the home and nothing else."""
    settings.TRUING_HOME = tmp_path
    for name in ("FILES", "RUNS", "GENERATIONS", "CHECKPOINTS"):
        setattr(settings, name, settings.TRUING_HOME / name.lower())


def start_worker():
    """A worker as it runs in production, on the tests' database."""
    home = {"TRUING_HOME": str(settings.TRUING_HOME), "DATABASE_URL": database_url()}
    return subprocess.Popen(
        [sys.executable, "-m", "truing.cli", "worker"], env={**os.environ, **home}
    )


def wait_until(run, happened, seconds=240):
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, (run.state, run.step, run.attempt)
        assert run.state != Run.State.FAILED, run.problem
        time.sleep(0.05)
        run.refresh_from_db()


@pytest.mark.django_db(transaction=True)
def test_worker_and_trainer_are_killed_and_nothing_is_lost(files_that_a_worker_finds, sft):
    """Once the worker alone, and then both at once."""
    run = sft(options={**LONG, "max_steps": MANY})
    worker = start_worker()
    try:
        wait_until(run, lambda: run.step > 5)
        worker.kill()
        worker.wait()
        seen = last_line(run.folder)["step"]
        wait_until(run, lambda: last_line(run.folder)["step"] > seen + 3)

        worker = start_worker()
        wait_until(run, lambda: run.step > seen + 3)
        assert run.attempt == 1, "the trainer went on without its worker"
        worker.kill()
        kill_trainer(run)
        worker.wait()

        worker = start_worker()
        wait_until(run, lambda: run.has_ended)
        assert (run.state, run.attempt) == (Run.State.SUCCEEDED, 2), run.problem
        assert run.step == MANY
        assert Checkpoint.objects.filter(run=run).count() == 1
        assert Event.objects.filter(verb="run.succeed").count() == 1
        steps = [line["step"] for line in tiny.lines(run.folder / "metrics.jsonl")]
        trained = sorted(set(steps))
        assert trained == list(range(1, MANY + 1))
    finally:
        worker.terminate()
        worker.wait(30)
