"""Each file in methods/ is a method that trains, by the same contract."""

import json
import shutil

import pytest

from alignment.methods import METHODS
from alignment.methods.new_model import new_tokenizer
from alignment.process import run
from alignment.train import train
from tests.alignment import tiny
from truing.options import BadOption, build, fields_of, record_of

READS = {
    "trl_language_modeling": tiny.conversations,
    "trl_sft": tiny.demonstrations,
    "trl_preference": tiny.preferences,
    "trl_prompts": tiny.prompts,
}
every_method = pytest.mark.parametrize("name", sorted(METHODS))
trained_by_trl = pytest.mark.parametrize("name", ["dpo", "pretrain", "reward", "sft"])


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return tiny.make_policy(tmp_path_factory.mktemp("policy") / "model")


@pytest.fixture(scope="module")
def reward(tmp_path_factory):
    return tiny.make_reward(tmp_path_factory.mktemp("reward") / "model")


@every_method
def test_says_what_it_is(name):
    method = METHODS[name]
    assert method.label
    assert method.makes in ("policy", "reward")
    assert method.reads in READS


@every_method
def test_each_option_has_a_sentence_and_a_default_that_is_allowed(name):
    options = METHODS[name].Options
    for field in fields_of(options):
        assert field.help.endswith("."), field.name
    assert build(options, record_of(options())) == options()


@every_method
def test_an_option_out_of_range_is_refused_with_a_sentence(name):
    with pytest.raises(BadOption, match="Learning rate must be at most 1, not 7"):
        build(METHODS[name].Options, {"learning_rate": 7})


@every_method
def test_trains_a_model_and_writes_down_how(name, policy, reward, tmp_path):
    folder = tiny.method_folder(tmp_path, name, policy, reward, eval=True)
    assert train(folder) == 0

    method = METHODS[name]
    result = json.loads((folder / "result.json").read_text())
    assert result["parameters"] > 10_000
    assert result["seconds"] > 0
    lines = tiny.lines(folder / "metrics.jsonl")
    assert {line["step"] for line in lines} == set(range(1, lines[-1]["total"] + 1))
    assert (folder / "model" / "model.safetensors").is_file()
    assert (folder / "model" / "tokenizer.json").is_file()
    assert not list((folder / "model").glob("*.bin"))
    assert not list((folder / "checkpoints").glob("unfinished"))
    assert (folder / "smoke.json").exists() == (method.makes == "policy")


@every_method
def test_moves_the_weights(name, policy, reward, tmp_path):
    from safetensors.numpy import load_file

    folder = tiny.method_folder(tmp_path, name, policy, reward)
    train(folder)
    start = policy if name != "pretrain" else folder / "start"
    before = load_file(start / "model.safetensors")
    after = load_file(folder / "model" / "model.safetensors")
    moved = [key for key in before if key in after and (before[key] != after[key]).any()]
    assert len(moved) > len(before) / 2


@every_method
def test_the_same_seed_gives_the_same_losses(name, policy, reward, tmp_path):
    losses = []
    for attempt in ("one", "two"):
        folder = tiny.method_folder(tmp_path / attempt, name, policy, reward)
        train(folder)
        losses.append(tiny.losses(folder))
    assert losses[0] == losses[1]
    assert len(losses[0]) >= 2


@trained_by_trl
def test_epochs_beside_max_steps_are_refused(name):
    with pytest.raises(BadOption, match="Epochs have no effect beside max_steps"):
        build(METHODS[name].Options, {"epochs": 7, "max_steps": 3})


@trained_by_trl
def test_measuring_eval_rows_that_are_not_there_is_refused(name):
    method = METHODS[name]
    options = build(method.Options, {"eval_every": 5})
    problem = method.problem_with(options, has_base=True, has_eval=False)
    assert "eval_every has no effect" in problem


def test_reward_says_how_often_it_is_right_on_eval_rows(policy, tmp_path):
    options = {"max_steps": 30, "learning_rate": 5e-3, "batch_size": 8}
    rows = tiny.preferences()
    folder = tiny.run_folder(tmp_path, "reward", options, train=rows, eval=rows[:7], base=policy)
    train(folder)
    assert json.loads((folder / "result.json").read_text())["eval_accuracy"] == 1.0


def test_reward_is_read_at_the_end_of_the_answer_as_ppo_will_ask(policy):
    """A template that writes a line break behind an answer must not move the place."""
    from alignment.methods.loading import tokenizer_of
    from alignment.methods.reward import _tokenised

    tokenizer = tokenizer_of(policy)
    plain = _tokenised(tiny.preferences(3), tokenizer)
    tokenizer.chat_template = tokenizer.chat_template.replace("eos_token", "eos_token + '\\n'")
    assert _tokenised(tiny.preferences(3), tokenizer) == plain
    assert all(ids[-1] == tokenizer.eos_token_id for ids in plain["chosen_ids"])
    tokenizer.chat_template = tokenizer.chat_template.replace("eos_token + ", "")
    assert all(
        ids[-1] == tokenizer.eos_token_id
        for ids in _tokenised(tiny.preferences(3), tokenizer)["rejected_ids"]
    )


def test_reward_tokenises_as_trl_itself_does(policy):
    from datasets import Dataset
    from trl import RewardConfig, RewardTrainer

    from alignment.methods.loading import reward_of, tokenizer_of
    from alignment.methods.reward import _tokenised

    tokenizer = tokenizer_of(policy)
    rows = tiny.preferences(5)
    trainer = RewardTrainer(
        reward_of(policy, tokenizer, new_head=True),
        args=RewardConfig(bf16=False, report_to="none"),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
    )
    for column, ids in _tokenised(rows, tokenizer).items():
        assert trainer.train_dataset[column][:] == ids


def test_ppo_refuses_a_reward_model_with_another_tokenizer(policy, reward, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(reward, other)
    new_tokenizer(["The zebra says nothing at all."] * 9, 280).save_pretrained(other)
    folder = tiny.method_folder(tmp_path / "run", "ppo", policy, other)
    assert run(folder, lambda: train(folder)) == 1
    assert "other tokens than the base" in (folder / "problem.txt").read_text()


def test_ppo_leaves_out_what_leaves_no_room_for_an_answer(policy, reward, tmp_path):
    """The models read 128 tokens, of which an answer takes 100 and each prompt about 10."""
    folder = tiny.method_folder(
        tmp_path, "ppo", policy, reward, steps=1, max_new_tokens=100, max_length=1024
    )
    rows = tiny.prompts(16)
    tiny.write_lines(folder / "train.jsonl", [*rows, {"prompt": tiny.asked("cat" * 40)}])
    assert run(folder, lambda: train(folder)) == 0, (folder / "problem.txt").read_text()
    assert json.loads((folder / "result.json").read_text())["dropped_rows"] == 1


def test_ppo_refuses_a_model_without_room_for_prompt_and_answer(policy, reward, tmp_path):
    folder = tiny.method_folder(tmp_path, "ppo", policy, reward, max_new_tokens=128)
    assert run(folder, lambda: train(folder)) == 1
    assert (folder / "problem.txt").read_text() == (
        "A model that reads 128 tokens has no room for a prompt and an answer of 128: "
        "choose a smaller max_new_tokens.\n"
    )


def test_ppo_also_leaves_room_in_the_reward_model(policy, reward, tmp_path):
    small = shutil.copytree(reward, tmp_path / "small")
    config = json.loads((small / "config.json").read_text())
    (small / "config.json").write_text(json.dumps(config | {"max_position_embeddings": 16}))
    folder = tiny.method_folder(tmp_path / "run", "ppo", policy, small, max_new_tokens=14)
    assert run(folder, lambda: train(folder)) == 1
    assert "all are longer than 2 tokens" in (folder / "problem.txt").read_text()


def test_dpo_starts_where_its_base_stands(policy, tmp_path):
    options = {"max_steps": 1, "learning_rate": 1e-3}
    folder = tiny.run_folder(tmp_path, "dpo", options, train=tiny.preferences(), base=policy)
    train(folder)
    [first] = tiny.lines(folder / "metrics.jsonl")
    assert first["loss"] == pytest.approx(0.6931, abs=1e-3)  # ln 2: no preference yet
    assert first["rewards_margins"] == pytest.approx(0, abs=1e-3)


def test_dpo_learns_what_is_preferred(policy, tmp_path):
    options = {"max_steps": 20, "learning_rate": 2e-3}
    folder = tiny.run_folder(tmp_path, "dpo", options, train=tiny.preferences(), base=policy)
    train(folder)
    last = tiny.lines(folder / "metrics.jsonl")[-1]
    assert last["rewards_accuracies"] == 1.0
    assert last["loss"] < 0.5


def test_label_smoothing_without_the_robust_loss_is_refused():
    with pytest.raises(BadOption, match="robust loss only"):
        build(METHODS["dpo"].Options, {"label_smoothing": 0.1})


def test_pretraining_goes_on_from_a_base(policy, tmp_path):
    options = {"max_steps": 2, "max_length": 64}
    rows = tiny.conversations()
    folder = tiny.run_folder(tmp_path, "pretrain", options, train=rows, base=policy)
    assert train(folder) == 0
    assert not (folder / "start").exists()


def test_pretraining_from_a_base_refuses_a_size():
    method = METHODS["pretrain"]
    options = build(method.Options, {"layers": 7})
    assert "layers has no effect" in method.problem_with(options, has_base=True, has_eval=False)
    assert method.problem_with(options, has_base=False, has_eval=False) == ""


def test_pretraining_makes_a_tokenizer_that_ends_and_pads_with_different_tokens(tmp_path):
    from alignment.methods.loading import tokenizer_of

    folder = tiny.method_folder(tmp_path, "pretrain", None, None)
    train(folder)
    tokenizer = tokenizer_of(folder / "model")
    assert tokenizer.pad_token_id != tokenizer.eos_token_id
    said = tokenizer.apply_chat_template(tiny.conversations()[0]["messages"], tokenize=False)
    assert said == "User: What does the cat say?\nAssistant: The cat says 0.<|end|>"
    assert tokenizer.decode(tokenizer(said)["input_ids"]) == said


def test_pretraining_cuts_long_texts_and_throws_nothing_away(policy):
    from alignment.methods.loading import tokenizer_of
    from alignment.methods.pretrain import Pretrain, _tokenised

    tokenizer = tokenizer_of(policy)
    texts = ["The cat says 1. " * 50, "The dog says 2."]
    for packing in (False, True):
        options = Pretrain.Options(max_length=16, packing=packing)
        pieces = _tokenised(texts, tokenizer, options)["input_ids"]
        assert max(map(len, pieces)) == 16
        again = "".join(tokenizer.decode(piece) for piece in pieces)
        assert again.replace("<|end|>", "") == "".join(texts)


def test_pretraining_computes_the_loss_that_trl_computes(policy, tmp_path, monkeypatch):
    from alignment.methods import pretrain_trainer

    curves = []
    for few in (pretrain_trainer.FEW_LOGITS, 0):
        monkeypatch.setattr(pretrain_trainer, "FEW_LOGITS", few)
        folder = tiny.method_folder(
            tmp_path / str(few), "pretrain", policy, None, eval=True, gradient_accumulation=2
        )
        assert train(folder) == 0
        curves.append(tiny.losses(folder))
    for ours, theirs in zip(*curves, strict=True):
        known = {name: value for name, value in theirs.items() if "entropy" not in name}
        assert ours == pytest.approx(known, rel=1e-4, abs=1e-6)


def test_batches_of_like_length_hold_every_row_once():
    from alignment.methods.pretrain_trainer import by_length

    lengths = [number % 37 + 1 for number in range(1003)]
    order = by_length(lengths, 8, "0 0")
    assert sorted(order) == list(range(1003))
    assert order != by_length(lengths, 8, "0 1")
    spread = [
        max(batch) - min(batch)
        for start in range(0, 1000, 8)
        if (batch := [lengths[row] for row in order[start : start + 8]])
    ]
    assert sum(spread) / len(spread) < 5


@pytest.mark.parametrize("name", ["dpo", "pretrain", "reward", "sft"])
def test_lora_leaves_a_whole_model(name, policy, tmp_path):
    from safetensors.numpy import load_file

    options = {"max_steps": 3, "lora_rank": 4, "learning_rate": 1e-2}
    rows = READS[METHODS[name].reads]()
    folder = tiny.run_folder(tmp_path, name, options, train=rows, base=policy)
    assert train(folder) == 0
    before = load_file(policy / "model.safetensors")
    after = load_file(folder / "model" / "model.safetensors")
    assert not [key for key in after if "lora" in key or "base_layer" in key]
    assert set(before) <= set(after) | {"lm_head.weight"}
    assert any((before[key] != after[key]).any() for key in before if key in after)
