"""Launching: what cannot be trained is refused with one sentence, and nothing is written."""

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from alignment.backends import BACKENDS
from alignment.launch import CannotTrain, launch
from alignment.models import Checkpoint, Run
from alignment.start import start_next
from annotation.freeze import freeze
from annotation.models import Prompt
from tests import make
from truing.errors import Refused
from truing.models import Event
from truing.options import BadOption
from truing.plugins import UnknownPlugin


@pytest.fixture
def sft(project, demonstrations, checkpoint, erin):
    """A launch that is in order, of which a test changes one thing."""
    wanted = {
        "method": "sft",
        "datasets": [demonstrations],
        "base": checkpoint("a base"),
        "options": {"max_steps": 3},
        "actor": erin,
    }
    return lambda **changed: launch(project, **{**wanted, **changed})


def refused(sentence, launching, kind=CannotTrain):
    with pytest.raises(kind, match=sentence):
        launching()
    assert not Run.objects.exists()
    assert not Event.objects.filter(verb="run.launch").exists()
    assert not ProcrastinateJob.objects.filter(task_name__endswith="start_later").exists()


def test_queues_a_run_and_the_job_that_starts_it(sft, demonstrations, erin):
    run = sft(name="my model")
    assert run.state == Run.State.QUEUED
    assert list(run.datasets.all()) == [demonstrations]
    assert str(run) == "my model"
    assert run.created_by == erin
    job = ProcrastinateJob.objects.get(task_name__endswith="start_later")
    assert job.args == {"backend": "local"}
    event = Event.objects.get(verb="run.launch")
    assert event.actor == erin
    assert event.details["base"] == "a base"


def test_keeps_every_option_with_the_defaults_there_were(sft):
    run = sft()
    assert run.options["max_steps"] == 3
    assert run.options["learning_rate"] > 0


def test_reads_options_as_they_come_from_a_form_or_the_command_line(sft):
    assert sft(options={"max_steps": "7", "learning_rate": "1e-3"}).options["max_steps"] == 7


def test_names_runs_by_itself(sft):
    assert [str(sft()), str(sft())] == ["sft-1", "sft-2"]


def test_refuses_an_unknown_method(sft):
    refused("There is no method “magic”", lambda: sft(method="magic"), UnknownPlugin)


def test_refuses_an_unknown_backend(sft):
    refused("There is no backend “moon”", lambda: sft(backend="moon"), UnknownPlugin)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"learning_rate": 5}, "Learning rate must be at most 1"),
        ({"max_steps": "many"}, "must be a whole number"),
        ({"colour": "red"}, "There is no option “colour”"),
    ],
)
def test_refuses_a_bad_option(sft, options, sentence):
    refused(sentence, lambda: sft(options=options), BadOption)


def test_refuses_to_train_on_nothing(sft):
    refused("Choose at least one dataset", lambda: sft(datasets=[]))


def test_refuses_data_that_the_method_cannot_read(sft, demonstrations):
    refused("learns from preference data", lambda: sft(method="dpo"))


def test_refuses_data_of_another_project(sft):
    elsewhere = make.project("elsewhere")
    make.output(make.prompt(elsewhere, "Hello?"), source="human")
    version = freeze(elsewhere, name="theirs", kind="instruction", actor=None)
    refused("There is no dataset version elsewhere/theirs@1", lambda: sft(datasets=[version]))


def test_refuses_data_without_rows_to_train_on(sft, project):
    prompt = make.prompt(project, "Held out?", split=Prompt.Split.EVAL, source="held out")
    make.output(prompt, "Yes.", source="exam")
    version = freeze(
        project, name="exam", kind="instruction", recipe={"sources": ["exam"]}, actor=None
    )
    refused("the train side of demo/exam@1 is empty", lambda: sft(datasets=[version]))


def test_refuses_to_start_from_nothing(sft):
    refused("needs a base model", lambda: sft(base=None))


def test_refuses_to_start_from_a_reward_model(sft, checkpoint):
    judge = checkpoint("judge", kind="reward")
    refused("judge is a reward model", lambda: sft(base=judge))


def test_refuses_a_base_whose_files_are_gone(sft, checkpoint):
    gone = checkpoint("gone")
    (gone.folder / "config.json").unlink()
    refused("it has no config.json", lambda: sft(base=gone))


@pytest.fixture
def hub_model(project):
    """One that was registered while the operator allowed the hub."""
    return Checkpoint.objects.create(project=project, name="hub", kind="policy", path="o/model")


def test_refuses_a_name_on_the_hub_where_the_operator_does_not_allow_it(sft, hub_model, settings):
    refused("nothing is fetched from there unless", lambda: sft(base=hub_model))
    settings.ALLOW_HUB = True
    assert sft(base=hub_model).base == hub_model


@pytest.mark.parametrize("allowed", [True, False])
def test_a_process_goes_to_the_hub_only_where_the_operator_allows_it(
    sft, hub_model, settings, monkeypatch, allowed
):
    given = {}

    def start(command, folder, environment):
        given.update(environment)
        return "1:1:1"

    monkeypatch.setattr(BACKENDS["local"], "start", start)
    monkeypatch.setenv("HF_TOKEN", "hidden treasure")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    settings.ALLOW_HUB = True
    sft(base=hub_model)
    settings.ALLOW_HUB = allowed
    start_next("local")
    assert given["HF_HUB_OFFLINE"] == ("0" if allowed else "1")
    for name in ("HF_TOKEN", "HTTPS_PROXY", "TRUING_ALLOW_HUB"):
        assert (name in given) == allowed


def test_refuses_a_reward_model_that_nobody_would_ask(sft, checkpoint):
    judge = checkpoint("judge", kind="reward")
    refused("uses no reward model", lambda: sft(reward=judge))


def test_asks_for_a_reward_model_where_one_is_needed(sft):
    refused("needs a reward model", lambda: sft(method="ppo", options={}))


def test_refuses_a_language_model_in_its_place(sft, checkpoint):
    refused(
        "is a language model, not a reward model",
        lambda: sft(method="ppo", options={}, reward=checkpoint("no judge")),
    )


def test_refuses_a_name_that_is_taken(sft, checkpoint):
    checkpoint("mine")
    refused("There is already a checkpoint or a run called “mine”", lambda: sft(name="mine"))


def test_refuses_a_number_as_a_name(sft):
    refused("cannot be a number only", lambda: sft(name="17"))


def test_every_refusal_is_one_sentence(sft):
    with pytest.raises(Refused) as refusal:
        sft(datasets=[])
    assert str(refusal.value).count(".") == 1
