"""Generating: answers come in while they are written, each once, whatever is sent twice."""

import json
import time

import pytest

from alignment.follow import follow_all
from alignment.generate import CannotGenerate, generate
from alignment.models import Checkpoint, Generation
from alignment.take_in import take_in
from annotation.models import Output, Prompt
from tests import make
from truing.options import BadOption


@pytest.fixture
def prompts(project):
    return [make.prompt(project, f"What does the {animal} say?") for animal in ("cat", "dog")]


@pytest.fixture
def asked(checkpoint, prompts, erin):
    """A generation whose answers the test writes itself."""
    generation = generate(checkpoint("speaker"), prompts, samples=2, actor=erin)
    generation.folder.mkdir(parents=True)
    return generation


def write(generation, *lines, end="\n"):
    with (generation.folder / "outputs.jsonl").open("a") as file:
        file.write("\n".join(json.dumps(line) for line in lines) + end)


def texts():
    return sorted(Output.objects.values_list("prompt__text", "text"))


def test_a_real_model_answers(base, prompts, erin):
    params = {"max_new_tokens": 4, "temperature": "0.7"}
    generation = generate(base, prompts, samples=3, params=params, actor=erin)
    deadline = time.monotonic() + 180
    while not generation.has_ended and time.monotonic() < deadline:
        follow_all()
        generation.refresh_from_db()
        time.sleep(0.05)
    assert generation.state == Generation.State.SUCCEEDED, generation.problem
    for prompt in prompts:
        outputs = prompt.outputs.all()
        assert 1 <= len(outputs) <= 3
        assert {output.source for output in outputs} == {f"checkpoint:{base.pk}"}
        assert outputs[0].params["temperature"] == 0.7
        assert "batch_size" not in outputs[0].params
    assert (generation.step, generation.total_steps) == (2, 2)


def test_the_same_text_for_one_prompt_is_kept_once(asked, prompts):
    cat, dog = prompts
    write(asked, {"id": cat.pk, "texts": ["Miaow.", "Miaow."]}, {"id": dog.pk, "texts": ["", ""]})
    take_in(asked)
    assert texts() == [(cat.text, "Miaow."), (dog.text, "")]


def test_half_a_line_waits_for_its_other_half(asked, prompts):
    cat, dog = prompts
    write(asked, {"id": cat.pk, "texts": ["Miaow."]})
    with (asked.folder / "outputs.jsonl").open("a") as file:
        file.write(json.dumps({"id": dog.pk, "texts": ["Woof."]})[:-4])
    take_in(asked)
    assert texts() == [(cat.text, "Miaow.")]
    with (asked.folder / "outputs.jsonl").open("a") as file:
        file.write(json.dumps({"id": dog.pk, "texts": ["Woof."]})[-4:] + "\n")
    take_in(asked)
    assert len(texts()) == 2


def test_taking_in_twice_changes_nothing(asked, prompts):
    write(asked, {"id": prompts[0].pk, "texts": ["Miaow.", "Purr."]})
    take_in(asked)
    before = list(Output.objects.order_by("pk").values())
    asked.taken = 0  # whoever took it in was killed before noting it
    take_in(asked)
    assert list(Output.objects.order_by("pk").values()) == before


def test_what_no_database_keeps_is_replaced(asked, prompts):
    write(asked, {"id": prompts[0].pk, "texts": ["a\x00b", "c\ud800d"]})
    take_in(asked)
    assert [text for _, text in texts()] == ["a\ufffdb", "c?d"]


def test_an_answer_to_a_prompt_that_nobody_asked_is_left_out(asked, project):
    stranger = make.prompt(project, "Who are you?")
    write(asked, {"id": stranger.pk, "texts": ["Nobody."]})
    take_in(asked)
    assert not texts()


def refused(sentence, generating, kind=CannotGenerate):
    with pytest.raises(kind, match=sentence):
        generating()
    assert not Generation.objects.exists()


def test_refuses_no_prompts(checkpoint):
    model = checkpoint("speaker")
    refused("no prompts", lambda: generate(model, Prompt.objects.none(), actor=None))


def test_refuses_prompts_of_another_project(checkpoint):
    model, other = checkpoint("speaker"), make.prompt(make.project("other"))
    refused("not in the project", lambda: generate(model, [other], actor=None))


def test_refuses_a_name_on_the_hub_where_the_operator_does_not_allow_it(project, prompts, settings):
    model = Checkpoint.objects.create(project=project, name="hub", kind="policy", path="o/model")
    refused("nothing is fetched from there unless", lambda: generate(model, prompts, actor=None))
    settings.ALLOW_HUB = True
    assert generate(model, prompts, actor=None).checkpoint == model


def test_refuses_a_reward_model(checkpoint, prompts):
    judge = checkpoint("judge", kind="reward")
    refused("writes no answers", lambda: generate(judge, prompts, actor=None))


@pytest.mark.parametrize("params", [{"temperature": -1}, {"top_p": 2}, {"top_k": 5}])
def test_refuses_odd_sampling(checkpoint, prompts, params):
    model = checkpoint("speaker")
    refused(".", lambda: generate(model, prompts, params=params, actor=None), BadOption)


def test_refuses_a_model_whose_files_are_gone(checkpoint, prompts):
    model = checkpoint("speaker")
    (model.folder / "model.safetensors").unlink()
    refused("no safetensors", lambda: generate(model, prompts, actor=None))
