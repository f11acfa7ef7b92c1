"""A killed run goes on from its last whole checkpoint, and ends where it would have ended."""

import json
import signal
import time

import pytest

from alignment.methods import METHODS, checkpoints
from alignment.train import train
from tests.alignment import tiny

every_method = pytest.mark.parametrize("name", sorted(METHODS))
# Three times through the rows, so that it is killed in one epoch and ends in another.
STEPS, EVERY = 18, 7


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return tiny.make_policy(tmp_path_factory.mktemp("policy") / "model")


@pytest.fixture(scope="module")
def reward(tmp_path_factory):
    return tiny.make_reward(tmp_path_factory.mktemp("reward") / "model")


def long_run(folder, name, policy, reward):
    return tiny.method_folder(folder, name, policy, reward, **tiny.steps(name, STEPS, EVERY))


def wait_for(process, folder, happened):
    deadline = time.monotonic() + 120
    while not happened():
        assert process.poll() is None, (folder / "log.txt").read_text()[-2000:]
        assert time.monotonic() < deadline
        time.sleep(0.005)


def kill_after_a_checkpoint(folder, **environment):
    """Start the process, and kill it a step or more after its first checkpoint."""
    process = tiny.start("train", folder, **environment)
    steps = folder / "metrics.jsonl"

    def is_past_it():
        saved = checkpoints.step_of(checkpoints.last_whole(folder))
        return saved and steps.read_text().count("\n") > saved

    try:
        wait_for(process, folder, is_past_it)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (folder / "model").exists(), "it had ended before it was killed"
    return checkpoints.step_of(checkpoints.last_whole(folder))


@every_method
def test_ends_at_the_step_and_the_loss_of_an_uninterrupted_run(
    name, policy, reward, tmp_path, capsys
):
    whole = long_run(tmp_path / "whole", name, policy, reward)
    assert train(whole) == 0
    killed = long_run(tmp_path / "killed", name, policy, reward)
    saved = kill_after_a_checkpoint(killed)
    assert 0 < saved < STEPS
    assert train(killed) == 0
    assert f"Going on from checkpoint-{saved}." in capsys.readouterr().out

    expected, found = tiny.losses(whole), tiny.losses(killed)
    assert [line["step"] for line in found] == [line["step"] for line in expected]
    for one, other in zip(expected, found, strict=True):
        assert other == pytest.approx(one, rel=1e-4, abs=1e-6)
    results = [json.loads((folder / "result.json").read_text()) for folder in (whole, killed)]
    for result in results:
        del result["seconds"]
    assert results[1] == pytest.approx(results[0], rel=1e-4, abs=1e-6)


@every_method
def test_a_cancelled_run_leaves_a_whole_checkpoint_and_can_go_on(name, policy, reward, tmp_path):
    whole = long_run(tmp_path / "whole", name, policy, reward)
    train(whole)
    folder = long_run(tmp_path / "cut", name, policy, reward)
    (folder / "cancel").touch()
    assert train(folder) == 0
    assert (folder / "cancelled.txt").exists()
    assert not (folder / "model").exists()
    reached = tiny.losses(folder)[-1]["step"]
    assert checkpoints.step_of(checkpoints.last_whole(folder)) == reached < STEPS

    (folder / "cancel").unlink()
    assert train(folder) == 0
    assert not (folder / "cancelled.txt").exists()
    assert tiny.losses(folder)[-1] == pytest.approx(tiny.losses(whole)[-1], rel=1e-4, abs=1e-6)


def test_a_process_that_is_cancelled_ends_by_itself(policy, tmp_path):
    folder = long_run(tmp_path, "sft", policy, None)
    process = tiny.start("train", folder)
    steps = folder / "metrics.jsonl"
    wait_for(process, folder, lambda: steps.exists() and steps.read_text().count("\n") >= 2)
    (folder / "cancel").touch()
    assert process.wait(timeout=60) == 0
    assert (folder / "cancelled.txt").exists()
    assert not (folder / "model").exists()
    reached = tiny.losses(folder)[-1]["step"]
    assert checkpoints.step_of(checkpoints.last_whole(folder)) == reached < STEPS


def test_sigterm_leaves_a_whole_checkpoint_and_says_that_nobody_cancelled(policy, tmp_path):
    folder = long_run(tmp_path, "sft", policy, None)
    process = tiny.start("train", folder)
    steps = folder / "metrics.jsonl"
    wait_for(process, folder, lambda: steps.exists() and steps.read_text().count("\n") >= 2)
    process.terminate()
    assert process.wait(timeout=60) == 128 + signal.SIGTERM
    assert not (folder / "cancelled.txt").exists()
    assert not (folder / "problem.txt").exists()
    assert checkpoints.last_whole(folder)


def test_a_half_written_checkpoint_is_passed_over(policy, tmp_path):
    folder = tiny.method_folder(tmp_path, "sft", policy, None)
    half = checkpoints.place_for_new(folder) / "checkpoint-5"
    half.mkdir(parents=True)
    (half / "model.safetensors").write_bytes(b"half")
    assert checkpoints.last_whole(folder) is None
    assert train(folder) == 0
    assert not half.exists()


def test_keeps_the_last_two_checkpoints(policy, tmp_path):
    folder = tiny.method_folder(tmp_path, "sft", policy, None, max_steps=9, save_every=2)
    assert train(folder) == 0
    assert [path.name for path in checkpoints.whole(folder)] == ["checkpoint-6", "checkpoint-8"]


def test_lines_past_the_checkpoint_are_cut_also_one_cut_in_two(tmp_path):
    file = tmp_path / "metrics.jsonl"
    file.write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"st')
    checkpoints.cut_metrics(tmp_path, 2)
    assert file.read_text() == '{"step": 1}\n{"step": 2}\n'
