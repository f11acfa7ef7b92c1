"""Registering: safetensors, never code, and one sentence for what is no model."""

import os
import subprocess
import sys

import pytest

from alignment.models import Checkpoint
from alignment.register import CannotRegister, register
from alignment.weights import NoModel, is_hub_name
from tests import make
from truing.models import Event


def test_knows_a_language_model_by_its_architecture(project, fake_model, erin):
    made = register(project, fake_model(), name="base", actor=erin)
    assert made.kind == Checkpoint.Kind.POLICY
    assert made.facts["parameters"] == 12
    assert made.facts["bytes"] > 48
    assert made.folder.is_absolute()
    assert Event.objects.get(verb="checkpoint.register").actor == erin


def test_knows_a_reward_model(project, fake_model):
    folder = fake_model(architecture="LlamaForSequenceClassification")
    assert register(project, folder, actor=None).kind == Checkpoint.Kind.REWARD


def test_is_called_as_its_folder_unless_named(project, fake_model):
    assert register(project, fake_model("my-model"), actor=None).name == "my-model"


def test_takes_a_name_on_the_hub_as_it_is(project, settings):
    settings.ALLOW_HUB = True
    made = register(project, "HuggingFaceTB/SmolLM2-135M-Instruct", actor=None)
    assert made.is_on_hub
    assert made.name == "SmolLM2-135M-Instruct"


def refused(sentence, registering, kind=NoModel):
    with pytest.raises(kind, match=sentence):
        registering()
    assert not Checkpoint.objects.exists()


def test_refuses_what_is_not_there(project):
    refused(
        "There is no model at /no/such/folder",
        lambda: register(project, "/no/such/folder", actor=None),
    )


@pytest.mark.parametrize("hub_only", [True, False])
def test_refuses_the_hub_unless_the_operator_allows_it(project, hub_only):
    refused(
        "nothing is fetched from there unless the server is started with TRUING_ALLOW_HUB=1",
        lambda: register(project, "owner/model", hub_only=hub_only, actor=None),
        CannotRegister,
    )


@pytest.mark.parametrize(("value", "allowed"), [("1", True), ("0", False), ("", False)])
def test_the_operator_allows_it_by_the_environment(value, allowed):
    script = "from truing import settings; print(settings.ALLOW_HUB)"
    environment = os.environ | {"TRUING_ALLOW_HUB": value}
    command = [sys.executable, "-c", script]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == str(allowed)


def test_refuses_a_folder_without_a_config(project, tmp_path):
    refused("it has no config.json", lambda: register(project, tmp_path, actor=None))


def test_refuses_a_config_that_is_none(project, fake_model):
    folder = fake_model()
    (folder / "config.json").write_text("[1, 2")
    refused("cannot be read as a model's config", lambda: register(project, folder, actor=None))


def test_refuses_weights_that_could_run_code(project, fake_model):
    folder = fake_model(weights=False)
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04")
    refused("has no safetensors weights", lambda: register(project, folder, actor=None))


def test_refuses_a_model_with_code_of_its_own(project, fake_model):
    folder = fake_model(auto_map={"AutoModelForCausalLM": "modeling.Evil"})
    refused("code of its own", lambda: register(project, folder, actor=None))


def test_refuses_weights_that_are_none(project, fake_model):
    folder = fake_model()
    (folder / "model.safetensors").write_bytes(b"\xff" * 40)
    refused("cannot be read as safetensors", lambda: register(project, folder, actor=None))


def test_refuses_a_model_of_another_kind(project, fake_model):
    folder = fake_model(architecture="CLIPModel")
    refused("neither a language model", lambda: register(project, folder, actor=None))


def test_refuses_to_call_it_what_it_is_not(project, fake_model):
    refused(
        "is a policy, not a reward",
        lambda: register(project, fake_model(), kind="reward", actor=None),
        CannotRegister,
    )


def test_refuses_a_name_that_is_taken(project, fake_model):
    register(project, fake_model(), name="base", actor=None)
    with pytest.raises(CannotRegister, match="already a checkpoint or a run called “base”"):
        register(project, fake_model(), name="base", actor=None)


def test_the_same_name_may_be_used_in_another_project(project, fake_model):
    register(project, fake_model(), name="base", actor=None)
    assert register(make.project("other"), fake_model(), name="base", actor=None)


@pytest.mark.parametrize("name", ["gpt2", "owner/model", "Qwen/Qwen3-0.6B"])
def test_reads_like_the_hub(name):
    assert is_hub_name(name)


@pytest.mark.parametrize("name", ["", "/abs", "../up", "a/b/c", "a b", "-x/y", "owner/../etc"])
def test_does_not_read_like_the_hub(name):
    assert not is_hub_name(name)
