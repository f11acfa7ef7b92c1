"""The PPO trainer: its arithmetic by hand, and tasks whose best policy is known."""

import itertools
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from alignment.methods import ppo_trainer as ppo  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
EOS, PAD = 0, 1


# The arithmetic


def test_an_answer_ends_with_its_first_end():
    answers = torch.tensor([[5, EOS, PAD, PAD], [5, 6, 7, 8], [EOS, EOS, 4, PAD]])
    assert ppo.answer_mask(answers, EOS).tolist() == [[1, 1, 0, 0], [1, 1, 1, 1], [1, 0, 0, 0]]


def test_positions_count_from_the_first_real_token():
    assert ppo.positions(torch.tensor([[0, 0, 1, 1, 1], [1, 1, 1, 1, 0]])).tolist() == [
        [0, 0, 0, 1, 2],
        [0, 1, 2, 3, 3],
    ]


def test_the_score_comes_at_the_last_token_and_the_penalty_at_each():
    mask = torch.tensor([[1.0, 1, 0], [1, 1, 1]])
    logprobs = torch.tensor([[-1.0, -2, -9], [-1, -1, -1]])
    ref_logprobs = torch.tensor([[-1.5, -2, -1], [-1, -2, -0.5]])
    rewards = ppo.token_rewards(torch.tensor([3.0, -1.0]), logprobs, ref_logprobs, mask, 0.1)
    expected = torch.tensor([[-0.05, 3.0, 0.0], [0.0, -0.1, -0.95]])
    torch.testing.assert_close(rewards, expected)


@pytest.mark.parametrize(("gamma", "lam"), [(1.0, 0.95), (0.9, 0.7), (1.0, 1.0), (0.99, 0.0)])
def test_advantages_are_the_sum_of_discounted_surprises(gamma, lam):
    """Equation 16 of the paper, summed from each token to the end of its answer."""
    torch.manual_seed(0)
    lengths = [6, 1, 4, 3]
    mask = torch.tensor([[1.0] * n + [0.0] * (6 - n) for n in lengths])
    # What stands behind an end is noise, and must not come in.
    rewards, values = torch.randn(4, 6) * mask, torch.randn(4, 6)
    advantages, returns = ppo.advantages_of(rewards, values, mask, gamma=gamma, lam=lam)
    for row, length in enumerate(lengths):
        for start in range(6):
            naive = 0.0
            for t in range(start, length):
                following = values[row, t + 1].item() if t + 1 < length else 0.0
                surprise = rewards[row, t].item() + gamma * following - values[row, t].item()
                naive += (gamma * lam) ** (t - start) * surprise
            assert advantages[row, start].item() == pytest.approx(naive, abs=1e-5)
            expected = naive + values[row, start].item() if start < length else 0.0
            assert returns[row, start].item() == pytest.approx(expected, abs=1e-5)


def test_whitened_advantages_have_mean_0_and_variance_1_where_the_mask_shows_them():
    mask = torch.tensor([[1.0, 1, 0], [1, 1, 1]])
    white = ppo.whiten(torch.tensor([[1.0, 2, 100], [3, 4, 5]]), mask)
    shown = white[mask.bool()]
    assert shown.mean().item() == pytest.approx(0, abs=1e-6)
    assert shown.var(unbiased=False).item() == pytest.approx(1, abs=1e-5)
    assert white[0, 2] == 0


def test_the_policy_loss_is_clipped_as_in_the_paper():
    # Ratios 1.5, 0.5, 1.1 and 0.9 with advantages +2, -1, +1 and -3; a fifth token is masked.
    ratio = torch.tensor([[1.5, 0.5, 1.1, 0.9, 7.0]])
    advantages = torch.tensor([[2.0, -1.0, 1.0, -3.0, 5.0]])
    mask = torch.tensor([[1.0, 1, 1, 1, 0]])
    loss, clipped = ppo.policy_loss(ratio.log(), torch.zeros(1, 5), advantages, mask, 0.2)
    # min(3, 2.4) + min(-0.5, -0.8) + min(1.1, 1.1) + min(-2.7, -2.7) = 0, by hand.
    assert loss.item() == pytest.approx(-(2.4 - 0.8 + 1.1 - 2.7) / 4, abs=1e-6)
    assert clipped.item() == 0.5


def test_a_clipped_token_teaches_nothing():
    logprobs = torch.tensor([[1.5, 1.1]]).log().requires_grad_()
    loss, _ = ppo.policy_loss(logprobs, torch.zeros(1, 2), torch.ones(1, 2), torch.ones(1, 2), 0.2)
    loss.backward()
    assert logprobs.grad[0, 0] == 0
    assert logprobs.grad[0, 1].item() == pytest.approx(-1.1 / 2)


def test_the_value_loss_takes_the_worse_of_two_errors():
    values, old = torch.tensor([[1.0, 0.1, 9.0]]), torch.tensor([[0.0, 0.0, 0.0]])
    returns, mask = torch.tensor([[1.0, 1.0, 0.0]]), torch.tensor([[1.0, 1, 0]])
    # The first is right but moved too far: (0.2 - 1)^2 counts. The second: (0.1 - 1)^2.
    loss = ppo.value_loss(values, old, returns, mask, 0.2)
    assert loss.item() == pytest.approx(0.5 * (0.64 + 0.81) / 2)


def test_explained_variance_is_1_for_a_prophet_and_0_for_a_constant():
    returns, mask = torch.tensor([[1.0, 2, 3, 50]]), torch.tensor([[1.0, 1, 1, 0]])
    assert ppo.explained_variance(returns, returns, mask) == pytest.approx(1)
    assert ppo.explained_variance(torch.full((1, 4), 2.0), returns, mask) == pytest.approx(0)


# Tasks with a known optimum


class Letters:
    """As much of a tokenizer as the trainer asks for."""

    eos_token_id, pad_token_id = EOS, PAD


def tiny(vocabulary, seed=0):
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=2,
            max_position_embeddings=32,
            initializer_range=0.3,
            bos_token_id=None,
            eos_token_id=EOS,
            pad_token_id=PAD,
        )
    )


def trainer_for(score, *, vocabulary=6, prompts=((2, 3),), **config):
    policy, reference = tiny(vocabulary), tiny(vocabulary)
    return ppo.PPOTrainer(
        policy,
        ppo.ValueModel.with_new_head(tiny(vocabulary, seed=1)),
        reference,
        score,
        Letters(),
        [list(prompt) for prompt in prompts],
        ppo.PPOConfig(**config),
    )


def train(trainer):
    lines = []
    assert trainer.train(lambda step, metrics: lines.append({"step": step, **metrics}))
    return lines


@torch.no_grad()
def chances(model, prompt, length):
    """How likely each answer is, of all answers that end or are of this length."""
    found = {}

    def extend(answer, logprob):
        if len(answer) == length or (answer and answer[-1] == EOS):
            found[tuple(answer)] = logprob
            return
        ids = torch.tensor([[*prompt, *answer]])
        following = torch.log_softmax(model(input_ids=ids).logits[0, -1], -1)
        for token, more in enumerate(following.tolist()):
            extend([*answer, token], logprob + more)

    extend([], 0.0)
    return torch.tensor(list(found.values())).exp(), list(found)


def divergence(p, q):
    return float((p * (p / q).log()).sum())


@pytest.mark.parametrize("beta", [0.3, 0.6])
def test_one_token_comes_to_the_optimum_that_theory_gives(beta):
    """With a penalty beta the best policy is the reference times exp(reward / beta)."""
    worth = torch.tensor([0.0, -0.5, 1.0, 0.5, -1.0, 0.2])
    trainer = trainer_for(
        lambda ids, attention: worth[ids[:, -1]],
        steps=80,
        rollout_size=256,
        minibatch_size=128,
        epochs=2,
        learning_rate=1e-2,
        value_learning_rate=1e-2,
        kl_penalty=beta,
        max_new_tokens=1,
        missing_eos_penalty=0,
        normalize_rewards=False,
    )
    start, _ = chances(trainer.reference, (2, 3), 1)
    best = start * (worth / beta).exp()
    best /= best.sum()
    train(trainer)
    found, _ = chances(trainer.policy, (2, 3), 1)
    assert divergence(start, best) > 0.1, "the task must ask for something"
    assert divergence(found, best) < 0.01


def test_several_tokens_come_to_the_optimum_that_theory_gives():
    """The reward depends on the whole answer, so the first token must learn from the last."""
    beta, length, prompt = 0.5, 2, (2, 3)
    worth = torch.zeros(5, 5)
    worth[3, 4], worth[4, 3], worth[2, EOS] = 1.5, -1.0, 1.0

    def score(ids, attention):
        return worth[ids[:, -2], ids[:, -1].where(ids[:, -2] != EOS, EOS)]

    trainer = trainer_for(
        score,
        vocabulary=5,
        steps=120,
        rollout_size=384,
        minibatch_size=192,
        epochs=2,
        learning_rate=1e-2,
        value_learning_rate=1e-2,
        kl_penalty=beta,
        max_new_tokens=length,
        missing_eos_penalty=0,
        normalize_rewards=False,
    )
    start, answers = chances(trainer.reference, prompt, length)
    rewards = torch.tensor(
        [0.0 if answer == (EOS,) else worth[answer[0], answer[1]].item() for answer in answers]
    )
    best = start * (rewards / beta).exp()
    best /= best.sum()
    train(trainer)
    found, _ = chances(trainer.policy, prompt, length)
    assert divergence(start, best) > 0.1, "the task must ask for something"
    assert divergence(found, best) < 0.02


def test_an_answer_without_an_end_is_charged_for_it():
    trainer = trainer_for(
        lambda ids, attention: torch.zeros(len(ids)),
        steps=60,
        rollout_size=64,
        minibatch_size=64,
        learning_rate=1e-2,
        value_learning_rate=1e-2,
        kl_penalty=0.01,
        max_new_tokens=4,
        missing_eos_penalty=1.0,
        normalize_rewards=False,
    )
    lines = train(trainer)
    assert lines[0]["ended"] < 0.8
    assert lines[-1]["ended"] > 0.95


def test_the_metrics_say_what_happened():
    trainer = trainer_for(
        lambda ids, attention: (ids == 3).float().sum(-1) * 10 + 100,
        steps=25,
        rollout_size=64,
        minibatch_size=16,
        learning_rate=5e-3,
        value_learning_rate=5e-3,
        max_new_tokens=4,
    )
    lines = train(trainer)
    first, last = lines[0], lines[-1]
    assert first["kl"] == pytest.approx(0, abs=1e-4), "the policy starts as the reference"
    assert last["kl"] > 0.1
    assert last["reward"] > first["reward"] + 5
    assert last["non_score_reward"] == pytest.approx(-0.05 * last["kl"])
    # Normalised, a reward of a hundred and more is a number that a value model can foresee.
    assert abs(first["objective"]) < 3
    assert last["explained_variance"] > first["explained_variance"]
    assert 0 < max(line["clip_fraction"] for line in lines) < 0.6
    assert 1 <= last["length"] <= 4
    assert last["entropy"] < first["entropy"]


def test_the_value_model_starts_as_the_reward_model():
    from transformers import LlamaForSequenceClassification

    config = tiny(6).config
    config.num_labels = 1
    reward_model = LlamaForSequenceClassification(config)
    ids = torch.tensor([[PAD, 2, 3, 4], [2, 3, 4, EOS]])
    attention = (ids != PAD).long()
    scores = ppo.scores_of(reward_model)(ids, attention)
    values = ppo.ValueModel.from_reward_model(reward_model)(ids, attention)
    torch.testing.assert_close(values[:, -1], scores)


def test_prompts_of_other_lengths_beside_it_change_nothing_for_an_answer():
    trainer = trainer_for(lambda ids, attention: torch.zeros(len(ids)))
    answer = [4, 5, EOS]
    alone = torch.tensor([[2, 3, *answer]])
    padded = torch.tensor([[PAD, PAD, 2, 3, *answer]])
    for ids in (alone, padded):
        attention = (ids != PAD).long()
        logprobs, _ = trainer._logprobs(trainer.policy, ids, attention, 3)
        values = trainer._values(ids, attention, 3)
        if ids is alone:
            expected = logprobs, values
    torch.testing.assert_close(logprobs, expected[0], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(values, expected[1], atol=1e-5, rtol=1e-4)


def test_answers_are_drawn_from_what_is_trained_whatever_the_model_says_of_drawing():
    drawn = []
    its_own = {"no_repeat_ngram_size": 1, "repetition_penalty": 9.0, "suppress_tokens": [4]}
    for said in ({}, its_own):
        trainer = trainer_for(lambda ids, attention: torch.zeros(len(ids)), max_new_tokens=8)
        trainer.policy.generation_config.update(**said)
        torch.manual_seed(0)
        drawn.append(trainer._answer([[2, 3]] * 32)[0].tolist())
        for name, value in said.items():
            assert getattr(trainer.policy.generation_config, name) == value, "for who uses it later"
    assert drawn[0] == drawn[1]


def test_every_prompt_comes_once_before_one_comes_again():
    prompts = [(2, number) for number in range(2, 6)]
    trainer = trainer_for(
        lambda ids, attention: torch.zeros(len(ids)), prompts=prompts, rollout_size=6
    )
    seen = [tuple(prompt) for step in range(4) for prompt in trainer._next_prompts(step)]
    for start in range(0, 24, 4):
        assert sorted(seen[start : start + 4]) == sorted(prompts)
    assert seen[:4] != seen[4:8] or seen[4:8] != seen[8:12], "the order is drawn anew"


# Going on

SCRIPT = textwrap.dedent(
    """
    import json, sys
    from pathlib import Path
    import torch
    sys.path[:0] = [{root!r}, {platform!r}]
    from tests.alignment import test_ppo
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    trainer = test_ppo.trainer_for(
        lambda ids, attention: (ids == 3).float().sum(-1),
        prompts=[(2, 3), (4, 3, 2), (5,)], steps=12, rollout_size=12, minibatch_size=4,
        learning_rate=3e-3, value_learning_rate=3e-3, max_new_tokens=5, save_every=1,
    )
    saved = sorted(folder.glob("checkpoint-??"))
    if saved:
        trainer.load(saved[-1])
    def on_step(step, metrics):
        with (folder / "metrics.jsonl").open("a") as file:
            file.write(json.dumps({{"step": step, **metrics}}) + "\\n")
    trainer.train(on_step, save=lambda step: trainer.save(folder / f"checkpoint-{{step:02}}"))
    """
).format(root=str(ROOT), platform=str(ROOT / "platform"))


def lines_of(folder):
    import json

    file = folder / "metrics.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_killed_and_continued_it_ends_with_the_same_numbers(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    command = [sys.executable, str(script)]
    subprocess.run([*command, str(whole)], check=True)
    process = subprocess.Popen([*command, str(killed)])
    while len(lines_of(killed)) < 5 and process.poll() is None:
        pass
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it was to be killed in the middle"
    subprocess.run([*command, str(killed)], check=True)

    assert [line["step"] for line in lines_of(whole)] == list(range(1, 13))
    continued = {line["step"]: line for line in lines_of(killed)}  # the later of two lines
    for line in lines_of(whole):
        for name, value in line.items():
            assert continued[line["step"]][name] == pytest.approx(value, rel=1e-6, abs=1e-9), name
    # Where one more step was counted than saved, it was done again, and came out the same.
    state = [torch.load(folder / "checkpoint-12" / ppo.STATE_FILE) for folder in (whole, killed)]
    for name, tensor in state[0]["weights"].items():
        torch.testing.assert_close(tensor, state[1]["weights"][name])


def test_asked_to_stop_it_saves_first(tmp_path):
    trainer = trainer_for(
        lambda ids, attention: torch.zeros(len(ids)), steps=9, rollout_size=4, max_new_tokens=2
    )
    steps = []
    finished = trainer.train(
        lambda step, metrics: steps.append(step),
        save=lambda step: trainer.save(tmp_path / str(step)),
        should_stop=lambda: len(steps) == 3,
    )
    assert not finished
    assert [path.name for path in tmp_path.iterdir()] == ["3"]


def test_the_state_of_another_model_is_refused(tmp_path):
    trainer_for(lambda ids, attention: torch.zeros(len(ids))).save(tmp_path / "state")
    other = trainer_for(lambda ids, attention: torch.zeros(len(ids)))
    other.trained[0].popitem()
    with pytest.raises(ValueError, match="another model"):
        other.load(tmp_path / "state")


def test_only_training_loads_torch():
    program = "import sys; import alignment.methods; sys.exit('torch' in sys.modules)"
    path = os.pathsep.join([str(ROOT), str(ROOT / "platform")])
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": path})


def test_the_chances_of_all_answers_add_up():
    """The measure by which the optimum is found is itself a measure."""
    found, answers = chances(tiny(5), (2, 3), 2)
    assert len(answers) == 1 + 4 * 5 == len(set(answers))
    assert found.sum().item() == pytest.approx(1, abs=1e-5)
    assert all(len(answer) == 2 for answer in answers if answer != (EOS,))
    assert set(itertools.chain(*answers)) == set(range(5))
