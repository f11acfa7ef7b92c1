"""Following: runs become checkpoints, whatever is killed on the way."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import zlib
from contextlib import suppress

import pytest
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from alignment import start
from alignment.backends import BACKENDS
from alignment.backends import State as Outcome
from alignment.fail import UNFORESEEN, fail
from alignment.follow import follow, follow_all
from alignment.generate import generate
from alignment.launch import launch
from alignment.methods import checkpoints
from alignment.metrics import last_line
from alignment.models import Checkpoint, Generation, Process, Promotion, Review, Run
from alignment.resume import CannotResume, resume
from alignment.start import start_next
from alignment.wait import wait_for
from annotation.models import Prompt
from tests import make
from tests.alignment import tiny
from tests.database_url import database_url
from truing.models import Event

SHORT = {"max_steps": 4, "save_every": 2, "learning_rate": 1e-3, "batch_size": 4}
LONG = {**SHORT, "max_steps": 2000, "save_every": 4}


@pytest.fixture
def sft(project, base, demonstrations, erin):
    def ask(**changed):
        wanted = {"method": "sft", "datasets": [demonstrations], "base": base, "options": SHORT}
        return launch(project, **{**wanted, "actor": erin, **changed})

    return ask


@pytest.fixture
def commanded(project, monkeypatch, base, demonstrations, erin):
    """A run whose process is a line of Python instead of a training."""

    def begin(code):
        run = launch(
            project, method="sft", datasets=[demonstrations], base=base, options=SHORT, actor=erin
        )
        real = BACKENDS["local"].start
        monkeypatch.setattr(
            BACKENDS["local"],
            "start",
            lambda command, folder, env: real([command[0], "-c", code], folder, env),
        )
        start_next("local")
        run.refresh_from_db()
        return run

    return begin


def until(run, happened, seconds=180):
    deadline = time.monotonic() + seconds
    while True:
        follow_all()
        run.refresh_from_db()
        if happened():
            return
        assert time.monotonic() < deadline, (run.state, (run.folder / "log.txt").read_text()[-800:])
        time.sleep(0.02)


def until_ended(run):
    until(run, lambda: run.has_ended)


def kill_trainer(run):
    """Everything of it at once, as the machine's own killer does it."""
    os.killpg(int(run.handle.split(":")[0]), signal.SIGKILL)


def saved(run):
    return checkpoints.step_of(checkpoints.last_whole(run.folder))


def test_a_run_becomes_a_checkpoint_with_its_curves_and_its_first_words(sft, base):
    run = sft(name="speaks")
    until_ended(run)
    assert run.state == Run.State.SUCCEEDED, run.problem
    assert (run.step, run.total_steps) == (4, 4)
    made = Checkpoint.objects.get(run=run)
    assert made.name == "speaks"
    assert made.kind == Checkpoint.Kind.POLICY
    assert made.parent == base
    assert made.facts["parameters"] > 1000
    assert made.facts["result"]["loss"] > 0
    assert made.smoke
    assert made.folder.parent.name == "checkpoints"
    assert (made.folder / "config.json").exists()
    assert not (run.folder / "model").exists()
    assert Event.objects.filter(verb="run.succeed", noun_id=run.pk).count() == 1


def test_a_killed_trainer_goes_on_by_itself_from_its_last_checkpoint(sft):
    run = sft(options={**LONG, "max_steps": 60})
    until(run, lambda: saved(run) and run.step > saved(run))
    kill_trainer(run)
    until(run, lambda: run.attempt == 2)
    until_ended(run)
    assert run.state == Run.State.SUCCEEDED, run.problem
    assert run.step == 60
    assert "Going on from checkpoint-" in (run.folder / "log.txt").read_text()


def test_a_run_fails_with_the_sentence_that_it_left(commanded):
    run = commanded("open('problem.txt', 'w').write('The rows are odd.'); raise SystemExit(1)")
    until_ended(run)
    assert (run.state, run.problem) == (Run.State.FAILED, "The rows are odd.")
    assert Event.objects.filter(verb="run.fail").get().details["problem"] == "The rows are odd."


def test_a_run_that_says_nothing_fails_with_its_status(commanded):
    run = commanded("raise SystemExit(9)")
    until_ended(run)
    assert "status 9" in run.problem


def test_a_full_disk_fails_the_run_with_a_sentence_and_keeps_its_checkpoints(commanded):
    run = commanded(
        "import os; os.makedirs('checkpoints/checkpoint-4');"
        "raise OSError(28, 'No space left on device')"
    )
    until_ended(run)
    assert run.state == Run.State.FAILED
    assert run.problem.startswith("The disk is full")
    assert saved(run) == 4


def test_a_full_disk_fails_the_run_before_it_starts_too(sft, settings, tmp_path, monkeypatch):
    run = sft()

    def no_room(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("alignment.pack._write_rows", no_room)
    start_next("local")
    run.refresh_from_db()
    assert run.state == Run.State.FAILED
    assert run.problem.startswith("The disk is full")
    monkeypatch.undo()
    resume(run, actor=None)
    assert run.state == Run.State.QUEUED


def test_an_error_of_ours_before_it_starts_frees_the_slot(sft, monkeypatch, caplog):
    run, next_one = sft(), sft()

    def stumble(*args):
        raise KeyError("what nobody foresaw")

    monkeypatch.setattr("alignment.pack._write_rows", stumble)
    start_next("local")
    run.refresh_from_db()
    assert (run.state, run.problem) == (Run.State.FAILED, UNFORESEEN)
    assert "what nobody foresaw" in caplog.text
    monkeypatch.undo()
    assert start_next("local") == next_one


@pytest.mark.parametrize("step", ["_move_model", "weigh", "_free_name", "record"])
def test_an_error_of_ours_after_it_ended_frees_the_slot(commanded, monkeypatch, step):
    run = commanded("import os; os.mkdir('model')")
    model = run.base.folder

    def stumble(*args, **named):
        raise TypeError("what nobody foresaw")

    monkeypatch.setattr("alignment.keep._move_model", lambda run: model)
    monkeypatch.setattr(f"alignment.keep.{step}", stumble)
    until_ended(run)
    assert (run.state, run.problem) == (Run.State.FAILED, UNFORESEEN)
    assert not Checkpoint.objects.filter(run=run).exists()


def test_lines_that_are_none_end_the_generation(base, project, erin, monkeypatch):
    make.prompt(project)
    generation = generate(base, Prompt.objects.all(), actor=erin)
    real = BACKENDS["local"].start
    code = "open('outputs.jsonl', 'w').write('nonsense\\n')"
    monkeypatch.setattr(
        BACKENDS["local"],
        "start",
        lambda command, folder, env: real([command[0], "-c", code], folder, env),
    )
    start_next("local")
    deadline = time.monotonic() + 60
    while not generation.has_ended:
        with suppress(ExceptionGroup):  # as long as it runs, it may yet become better
            follow_all()
        generation.refresh_from_db()
        assert time.monotonic() < deadline
    assert (generation.state, generation.problem) == (Generation.State.FAILED, UNFORESEEN)


def test_the_database_may_be_away_and_the_run_is_taken_up_later(sft, monkeypatch):
    run = sft()

    def away(*args):
        raise OperationalError("the connection is lost")

    monkeypatch.setattr("alignment.pack._write_rows", away)
    with pytest.raises(OperationalError):
        start_next("local")
    monkeypatch.undo()
    follow_all()
    run.refresh_from_db()
    assert run.state == Run.State.RUNNING


def test_what_is_killed_three_times_waits_for_a_person(commanded):
    run = commanded("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    until_ended(run)
    assert run.state == Run.State.FAILED
    assert run.attempt == 3
    assert "was killed 3 times" in run.problem
    resume(run, actor=None)
    until_ended(run)
    assert run.attempt == 6


def test_what_runs_or_succeeded_is_not_resumed(sft):
    run = sft()
    with pytest.raises(CannotResume, match="this is queued"):
        resume(run, actor=None)


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


def test_people_are_asked_by_themselves_when_a_run_has_ended(sft, other, review_prompts, erin):
    Promotion.objects.create(
        project=other.project, checkpoint=other, reason="first", decided_by=erin
    )
    run = sft()
    until_ended(run)
    review = Review.objects.get(candidate=run.checkpoint)
    assert review.baseline == other
    until(run, lambda: Review.objects.get().state != Review.State.GENERATING)
    review.refresh_from_db()
    assert review.state == Review.State.OPEN, review.problem
    assert review.queue.reserved_for == "review"


def test_nobody_is_asked_when_the_run_says_so(sft, other, review_prompts, erin):
    Promotion.objects.create(
        project=other.project, checkpoint=other, reason="first", decided_by=erin
    )
    until_ended(sft(review_after=False))
    assert not Review.objects.exists()


def test_what_cannot_be_reviewed_does_not_fail_the_run(sft, other, erin):
    Promotion.objects.create(
        project=other.project, checkpoint=other, reason="first", decided_by=erin
    )
    run = sft()
    until_ended(run)
    assert run.state == Run.State.SUCCEEDED
    because = Event.objects.get(verb="review.skip").details["because"]
    assert because.startswith("There are no prompts on the review side")


def test_one_that_cannot_be_followed_does_not_keep_the_others_from_it(
    commanded, project, base, monkeypatch
):
    run = commanded("raise SystemExit(9)")
    Generation.objects.create(
        project=project, checkpoint=base, prompts=[], state="running", handle="no handle"
    )
    deadline = time.monotonic() + 20
    while run.state == Run.State.RUNNING and time.monotonic() < deadline:
        with pytest.raises(ExceptionGroup):
            follow_all()
        run.refresh_from_db()
    assert run.state == Run.State.FAILED


def test_whoever_waits_for_one_is_not_disturbed_by_another(commanded, project, base, caplog):
    run = commanded("import time; time.sleep(1); raise SystemExit(9)")
    Generation.objects.create(
        project=project, checkpoint=base, prompts=[], state="running", handle="no handle"
    )
    wait_for(run, print)
    assert run.state == Run.State.FAILED
    assert caplog.text.count("Not everything could be followed.") == 1


def test_the_rows_of_the_run_are_what_its_method_reads(sft):
    run = sft(options=LONG)
    start_next("local")
    rows = tiny.lines(run.folder / "train.jsonl")
    assert set(rows[0]) == {"prompt", "completion"}
    assert len(rows) == 12


def test_what_went_wrong_names_models_and_not_places(sft, base):
    run = sft()
    fail(run, f"There is no model at {base.folder}.")
    assert run.problem == "There is no model at “base”."
