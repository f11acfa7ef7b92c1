"""Cancelling: first it is asked, and saves a checkpoint; who does not listen is ended."""

import time

import pytest
from django.utils import timezone

from alignment.backends import BACKENDS
from alignment.backends import State as Outcome
from alignment.cancel import HasEnded, cancel
from alignment.follow import follow_all
from alignment.launch import launch
from alignment.methods import checkpoints
from alignment.models import Checkpoint, Process, Run
from alignment.resume import resume
from alignment.start import begin, start_next
from truing.models import Event


@pytest.fixture
def queued(project, base, demonstrations, erin):
    options = {"max_steps": 2000, "save_every": 1000, "learning_rate": 1e-3, "batch_size": 4}
    return launch(
        project, method="sft", datasets=[demonstrations], base=base, options=options, actor=erin
    )


def until(run, happened, seconds=180):
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, run.state
        follow_all()
        run.refresh_from_db()
        time.sleep(0.02)


def test_what_waits_is_cancelled_at_once(queued, erin):
    cancel(queued, actor=erin)
    assert queued.state == Run.State.CANCELLED
    assert start_next("local") is None
    assert Event.objects.get(verb="run.cancel").actor == erin


def test_what_runs_saves_a_checkpoint_and_can_be_resumed(queued, erin):
    until(queued, lambda: queued.step > 3)
    cancel(queued, actor=erin)
    assert queued.state == Run.State.CANCELLING
    until(queued, lambda: queued.has_ended)
    assert queued.state == Run.State.CANCELLED
    saved = checkpoints.step_of(checkpoints.last_whole(queued.folder))
    assert saved >= 3, "it was asked long before its first checkpoint was due"
    assert not Checkpoint.objects.filter(run=queued).exists()
    resume(queued, actor=erin)
    until(queued, lambda: queued.step > saved)
    assert queued.attempt == 2
    assert f"Going on from checkpoint-{saved}." in (queued.folder / "log.txt").read_text()


def test_who_does_not_listen_is_ended_after_the_grace_period(queued, erin, settings, monkeypatch):
    monkeypatch.setattr("alignment.backends.local.PATIENCE_SECONDS", 0.3)
    real = BACKENDS["local"].start
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(300)"
    monkeypatch.setattr(
        BACKENDS["local"],
        "start",
        lambda command, folder, env: real([command[0], "-c", deaf], folder, env),
    )
    start_next("local")
    queued.refresh_from_db()
    cancel(queued, actor=erin)
    follow_all()
    queued.refresh_from_db()
    assert queued.state == Run.State.CANCELLING, "it has its grace"
    settings.CANCEL_GRACE_SECONDS = 0
    until(queued, lambda: queued.has_ended, seconds=20)
    assert queued.state == Run.State.CANCELLED
    assert BACKENDS["local"].state(queued.handle, queued.folder) == Outcome.LOST


def test_what_is_starting_does_not_start(queued, erin):
    queued.move(Process.State.QUEUED, Process.State.STARTING, attempt=1)
    cancel(queued, actor=erin)
    begin(queued)
    assert queued.state == Run.State.CANCELLED
    assert not queued.folder.exists()


def test_what_started_meanwhile_is_asked_to_end(queued, erin, monkeypatch):
    """Somebody cancels while the process is being started."""
    real = BACKENDS["local"].start

    def start(command, folder, env):
        cancel(Run.objects.get(pk=queued.pk), actor=erin)
        return real([command[0], "-c", "import time; time.sleep(300)"], folder, env)

    monkeypatch.setattr(BACKENDS["local"], "start", start)
    start_next("local")
    queued.refresh_from_db()
    assert queued.state == Run.State.CANCELLING
    assert (queued.folder / "cancel").exists()


def test_what_has_ended_is_not_cancelled(queued, erin):
    cancel(queued, actor=erin)
    with pytest.raises(HasEnded, match="it is cancelled"):
        cancel(queued, actor=erin)
    assert Event.objects.filter(verb="run.cancel").count() == 1


def test_cancelling_twice_is_cancelling_once(queued, erin):
    Run.objects.filter(pk=queued.pk).update(
        state=Run.State.CANCELLING, cancel_asked_at=timezone.now()
    )
    cancel(queued, actor=erin)
    assert queued.state == Run.State.CANCELLING
    assert not Event.objects.filter(verb="run.cancel").exists()
