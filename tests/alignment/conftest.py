"""Models and data for the tests of alignment, made on the spot."""

import json
import os
import signal
from pathlib import Path

import pytest

from alignment.backends import BACKENDS
from alignment.launch import launch
from alignment.models import Checkpoint
from alignment.register import register
from alignment.start import start_next
from annotation.freeze import freeze
from annotation.models import Prompt
from tests import make
from tests.alignment import tiny
from tests.alignment.followed import SHORT


@pytest.fixture(autouse=True)
def _leaves_no_process_behind(settings, tmp_path, monkeypatch):
    """One thread each: two cores are shared, and the same threads give the same losses."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    settings.TRUING_HOME = tmp_path / "home"
    yield
    for file in tmp_path.rglob("pid.txt"):
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                marked = f"TRUING_FOLDER={file.parent}".encode() in (entry / "environ").read_bytes()
            except OSError:
                continue
            if marked:
                os.kill(int(entry.name), signal.SIGKILL)


@pytest.fixture(scope="session")
def policy_folder(tmp_path_factory):
    return tiny.make_policy(tmp_path_factory.mktemp("policy") / "tiny")


@pytest.fixture(scope="session")
def reward_folder(tmp_path_factory):
    return tiny.make_reward(tmp_path_factory.mktemp("reward") / "tiny-reward")


@pytest.fixture
def base(project, policy_folder):
    """A language model that knows the tests' language, and nothing else."""
    return register(project, policy_folder, name="base", actor=None)


@pytest.fixture
def reward(project, reward_folder):
    return register(project, reward_folder, name="reward", actor=None)


@pytest.fixture
def other(project, policy_folder):
    """Another checkpoint of the same weights."""
    return register(project, policy_folder, name="other", actor=None)


@pytest.fixture
def demonstrations(project):
    """A version of kind instruction with 12 rows, all on the train side."""
    for row in tiny.demonstrations(12):
        prompt = make.prompt(project, row["prompt"][0]["content"], split=Prompt.Split.TRAIN)
        make.output(prompt, row["completion"][0]["content"], source="human")
    return freeze(project, name="demonstrations", kind="instruction", actor=None)


@pytest.fixture
def preferences(project):
    """A version of kind preference."""
    for row in tiny.preferences(8):
        task = make.task(
            project,
            outputs=(row["chosen"][0]["content"], row["rejected"][0]["content"]),
            prompt_text=row["prompt"][0]["content"],
            answers=0,
        )
        make.vote(task, "a", "b")
    return freeze(project, name="preferences", kind="preference", actor=None)


@pytest.fixture
def review_prompts(project):
    """Six questions on the review side."""
    return [
        make.prompt(project, f"What does the {animal} eat?", split=Prompt.Split.REVIEW)
        for animal in tiny.ANIMALS[:6]
    ]


@pytest.fixture
def fake_model(tmp_path):
    """A folder that says of itself what a model's folder says."""

    def make_folder(name="model", architecture="LlamaForCausalLM", weights=True, **config):
        folder = tmp_path / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(
            json.dumps({"architectures": [architecture] if architecture else [], **config})
        )
        if weights:
            header = json.dumps({"w": {"dtype": "F32", "shape": [3, 4], "data_offsets": [0, 48]}})
            raw = header.encode()
            file = folder / "model.safetensors"
            file.write_bytes(len(raw).to_bytes(8, "little") + raw + bytes(48))
        return folder

    return make_folder


@pytest.fixture
def checkpoint(project, fake_model):
    """A checkpoint by name, where no test needs to compute with it."""

    def make_checkpoint(name, kind="policy"):
        architecture = "LlamaForCausalLM" if kind == "policy" else "LlamaForSequenceClassification"
        folder = fake_model(f"models/{name}", architecture)
        return Checkpoint.objects.create(project=project, name=name, kind=kind, path=str(folder))

    return make_checkpoint


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
