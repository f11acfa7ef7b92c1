"""Runs that are followed to where a test wants them."""

import os
import signal
import time

from alignment.follow import follow_all
from alignment.methods import checkpoints

SHORT = {"max_steps": 4, "save_every": 2, "learning_rate": 1e-3, "batch_size": 4}


LONG = {**SHORT, "max_steps": 2000, "save_every": 4}


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
