"""python -m alignment.train: alone with a folder, silent, and clear about what went wrong."""

import json
import os
import resource
import shutil
import subprocess
import sys

import pytest

from alignment.methods import METHODS, checkpoints
from alignment.process import FULL, run, sentence_for
from alignment.smoke import Broken, SaysNothing, smoke
from alignment.train import train
from tests.alignment import tiny

# Put in the way of every import and every connection of a process.
GUARD = """
import sys

class Forbidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "django" or name.endswith((".models", ".demo")) and (
            name.startswith(("annotation", "alignment", "truing"))
        ):
            raise ImportError(f"{name} must not be imported here")

def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        with open("connections.txt", "a") as file:
            print(event, arguments[1:], file=file)

sys.meta_path.insert(0, Forbidden())
sys.addaudithook(watch)
"""


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return tiny.make_policy(tmp_path_factory.mktemp("policy") / "model")


@pytest.fixture(scope="module")
def reward(tmp_path_factory):
    return tiny.make_reward(tmp_path_factory.mktemp("reward") / "model")


@pytest.fixture
def guarded(tmp_path):
    """The environment of a process that is watched."""
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "sitecustomize.py").write_text(GUARD)
    given = tiny.environment()
    return given | {"PYTHONPATH": f"{tmp_path / 'guard'}{os.pathsep}{given['PYTHONPATH']}"}


def attempt(folder):
    """Train as the process does: its exit status, and the sentence that it leaves."""
    status = run(folder, lambda: train(folder))
    problem = folder / "problem.txt"
    return status, problem.read_text().strip() if problem.exists() else ""


def test_every_method_trains_and_answers_without_django_and_without_a_connection(
    policy, reward, tmp_path, guarded
):
    folders = [
        tiny.method_folder(tmp_path / name, name, policy, reward, eval=True, save_every=3)
        for name in sorted(METHODS)
    ]
    script = (
        "import sys, json\nfrom pathlib import Path\n"
        "from alignment.train import train\nfrom alignment.sample import sample\n"
        "folders = [Path(name) for name in sys.argv[1:]]\n"
        "print([train(folder) for folder in folders])\n"
        "given = folders[0]\n"
        "(given / 'run.json').write_text(json.dumps({'model': str(given / 'model')}))\n"
        "(given / 'prompts.jsonl').write_text("
        '\'{"id": 1, "messages": [{"role": "user", "content": "Hello"}]}\\n\')\n'
        "print(sample(given))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, folders)],
        cwd=tmp_path,
        env=guarded,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert [line for line in done.stdout.splitlines() if "from" not in line] == [
        str([0] * len(folders)),
        "0",
    ]
    assert not (tmp_path / "connections.txt").exists()


def test_the_guard_of_the_test_above_would_notice(tmp_path, guarded):
    for script in (
        "import socket; socket.socket().connect_ex(('127.0.0.1', 9))",
        "import django",
        "import alignment.models",
    ):
        subprocess.run(
            [sys.executable, "-c", script], cwd=tmp_path, env=guarded, stderr=subprocess.DEVNULL
        )
    assert (tmp_path / "connections.txt").read_text().startswith("socket.connect")
    with pytest.raises(subprocess.CalledProcessError):
        subprocess.run(
            [sys.executable, "-c", "import django"], env=guarded, check=True, capture_output=True
        )


def test_the_web_can_ask_about_methods_without_torch():
    script = "import sys, alignment.methods; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], env=tiny.environment(), capture_output=True, text=True
    )
    assert done.stdout == "False\n", done.stderr


def test_telemetry_is_off_whatever_the_environment_says(monkeypatch):
    from alignment.process import be_quiet

    for name in ("HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK", "HF_HUB_OFFLINE"):
        monkeypatch.setenv(name, "0")
    be_quiet()
    assert os.environ["HF_HUB_DISABLE_TELEMETRY"] == os.environ["DO_NOT_TRACK"] == "1"
    assert os.environ["HF_HUB_OFFLINE"] == "1"
    monkeypatch.setenv("TRUING_ALLOW_HUB", "1")
    be_quiet()
    assert os.environ["HF_HUB_OFFLINE"] == "0"
    assert os.environ["HF_HUB_DISABLE_TELEMETRY"] == "1"
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


# What goes wrong is one sentence.


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"beta": -1}, "Beta must be at least 1e-06, not -1."),
        ({"learning_rate": "fast"}, "Learning rate must be a number, not “fast”."),
        ({"label_smoothing": 0.1}, "Label smoothing has an effect with the robust loss only."),
        ({"eval_every": 3}, "The dataset has no rows on its eval side, so eval_every has no"),
        ({"betas": 1}, "There is no option “betas”."),
    ],
)
def test_an_option_without_meaning(policy, tmp_path, options, sentence):
    folder = tiny.run_folder(tmp_path, "dpo", options, train=tiny.preferences(), base=policy)
    status, problem = attempt(folder)
    assert status == 1
    assert problem.startswith(sentence)
    assert not (folder / "model").exists()


def test_a_method_that_there_is_not(tmp_path):
    folder = tiny.run_folder(tmp_path, "magic", train=tiny.preferences())
    assert attempt(folder)[1].startswith("There is no method “magic”. There are: dpo, ppo,")


def test_a_base_that_is_not_there(tmp_path):
    for base in ("/nowhere/model", "somebody/model"):
        folder = tiny.run_folder(tmp_path, "sft", train=tiny.demonstrations(), base=base)
        assert attempt(folder) == (1, f"There is no model at {base}.")


def test_no_base_and_no_reward_model(policy, tmp_path):
    folder = tiny.run_folder(tmp_path / "1", "sft", train=tiny.demonstrations())
    assert attempt(folder) == (1, "This method needs a base model to start from.")
    folder = tiny.run_folder(tmp_path / "2", "ppo", train=tiny.prompts(), base=policy)
    assert attempt(folder) == (1, "This method needs a reward model.")


def test_a_reward_model_as_base_and_the_other_way_round(policy, reward, tmp_path):
    folder = tiny.run_folder(tmp_path / "1", "sft", train=tiny.demonstrations(), base=reward)
    assert "is not a language model" in attempt(folder)[1]
    rows = tiny.prompts()
    folder = tiny.run_folder(tmp_path / "2", "ppo", train=rows, base=policy, reward=policy)
    assert "is not a reward model" in attempt(folder)[1]


def test_weights_that_are_no_safetensors_and_code_of_a_models_own(policy, tmp_path):
    pickled = tmp_path / "pickled"
    shutil.copytree(policy, pickled)
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    folder = tiny.run_folder(tmp_path / "1", "sft", train=tiny.demonstrations(), base=pickled)
    assert "has no safetensors weights, and no other are read" in attempt(folder)[1]

    foreign = tmp_path / "foreign"
    shutil.copytree(policy, foreign)
    config = json.loads((foreign / "config.json").read_text())
    config["auto_map"] = {"AutoModelForCausalLM": "evil.Evil"}
    (foreign / "config.json").write_text(json.dumps(config))
    (foreign / "evil.py").write_text("raise SystemExit('it was run')")
    folder = tiny.run_folder(tmp_path / "2", "sft", train=tiny.demonstrations(), base=foreign)
    assert "which is never run" in attempt(folder)[1]


def test_weights_that_are_broken(policy, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(policy, broken)
    weights = (broken / "model.safetensors").read_bytes()
    (broken / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    folder = tiny.run_folder(tmp_path / "run", "sft", train=tiny.demonstrations(), base=broken)
    status, problem = attempt(folder)
    assert status == 1
    assert "cannot be read" in problem


@pytest.mark.parametrize("rows", [None, []])
def test_no_rows(policy, tmp_path, rows):
    folder = tiny.run_folder(tmp_path, "sft", train=rows, base=policy)
    expected = "There is nothing to train on: the dataset has no rows on its train side."
    assert attempt(folder) == (1, expected)


def test_rows_that_are_none(policy, tmp_path):
    folder = tiny.run_folder(tmp_path, "dpo", train=[{"prompt": "a", "chosen": "b"}], base=policy)
    assert attempt(folder) == (1, "Line 1 of train.jsonl has no “rejected”.")
    (folder / "train.jsonl").write_text("nonsense\n")
    assert attempt(folder) == (1, "Line 1 of train.jsonl is not JSON.")


@pytest.mark.parametrize("name", ["sft", "reward", "dpo", "ppo"])
def test_rows_that_are_all_too_long(name, policy, reward, tmp_path):
    folder = tiny.method_folder(tmp_path, name, policy, reward, max_length=8)
    status, problem = attempt(folder)
    assert status == 1
    assert problem.endswith("all are longer than 8 tokens.")


@pytest.mark.parametrize("name", ["sft", "reward", "dpo"])
def test_eval_rows_that_are_all_too_long_are_not_measured(name, policy, tmp_path):
    folder = tiny.method_folder(tmp_path, name, policy, None, max_length=64, eval_every=2)
    rows = tiny.READS[name](2)
    for row in rows:
        row["prompt"] = tiny.asked("cat" * 100)
    tiny.write_lines(folder / "eval.jsonl", rows)
    given = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(given | {"eval": "eval.jsonl"}))
    assert attempt(folder) == (0, "")
    assert "eval_loss" not in json.loads((folder / "result.json").read_text())


@pytest.mark.parametrize("name", ["sft", "reward", "dpo", "ppo"])
def test_a_loss_that_is_no_number(name, policy, reward, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(policy, broken)
    spoil(broken, lambda weights: weights.fill(float("nan")))
    spoilt = tmp_path / "spoilt"
    shutil.copytree(reward, spoilt)
    spoil(spoilt, lambda weights: weights.fill(float("nan")))
    base = policy if name == "ppo" else broken
    folder = tiny.method_folder(tmp_path / "run", name, base, spoilt)
    status, problem = attempt(folder)
    assert status == 1
    assert problem.endswith("try a lower learning rate.")
    assert not (folder / "model").exists()


def spoil(model, change):
    """Change one matrix of a model's weights."""
    from safetensors.numpy import load_file, save_file

    weights = load_file(model / "model.safetensors")
    change(weights["model.layers.0.mlp.down_proj.weight"])
    save_file(weights, model / "model.safetensors", metadata={"format": "pt"})


def test_a_model_that_learnt_to_say_nothing_is_not_fit_to_be_shown(policy, tmp_path):
    rows = [row | {"completion": tiny.answered("")} for row in tiny.demonstrations()]
    options = {"max_steps": 60, "learning_rate": 1e-2}
    folder = tiny.run_folder(tmp_path, "sft", options, train=rows, base=policy)
    status, problem = attempt(folder)
    assert (status, problem) == (1, str(SaysNothing()))
    assert not (folder / "result.json").exists()


def test_a_broken_model_is_not_fit_to_be_shown(policy, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(policy, broken)
    spoil(broken, lambda weights: weights.fill(float("inf")))
    with pytest.raises(Broken):
        smoke(broken, [tiny.asked("cat")], None)


def test_smoke_asks_what_it_is_told_to(policy, tmp_path):
    asked = [tiny.asked("yak"), tiny.asked("gnu")]
    rows = tiny.demonstrations()
    options = {"max_steps": 2}
    folder = tiny.run_folder(tmp_path, "sft", options, train=rows, base=policy, smoke=asked)
    assert attempt(folder) == (0, "")
    said = json.loads((folder / "smoke.json").read_text())
    assert [item["prompt"] for item in said] == asked
    assert all(item["text"] for item in said)


def test_too_little_memory():
    import torch

    with pytest.raises(RuntimeError) as caught:
        torch.empty(10**15)
    assert sentence_for(caught.value).startswith("There is not enough memory")


def test_an_error_that_nobody_foresaw_points_to_the_log():
    assert sentence_for(KeyError("x")).endswith("(KeyError: 'x'); see the log.")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_leaves_a_sentence_and_the_checkpoints_and_can_be_gone_on_from(
    policy, tmp_path
):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=500k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        folder = tiny.method_folder(disk / "run", "sft", policy, None, save_every=2)
        assert tiny.run("train", folder) == 1
        assert (folder / "problem.txt").read_text().strip() == FULL
        assert checkpoints.step_of(checkpoints.last_whole(folder)) == 2
        assert not checkpoints.place_for_new(folder).exists()
        assert not (folder / "model").exists()

        subprocess.run(["mount", "-o", "remount,size=20m", str(disk)], check=True)
        assert attempt(folder) == (0, "")
        assert (folder / "model").exists()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_file_that_may_not_grow_is_a_full_disk_too(policy, tmp_path):
    folder = tiny.method_folder(tmp_path, "sft", policy, None)
    process = subprocess.run(
        [sys.executable, "-m", "alignment.train", str(folder)],
        env=tiny.environment(),
        capture_output=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (80_000, 80_000)),
    )
    assert process.returncode == 1
    assert (folder / "problem.txt").read_text().strip() == FULL
    assert b"Traceback" in process.stderr  # for the log, not for the person
