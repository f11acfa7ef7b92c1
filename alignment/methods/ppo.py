"""Proximal policy optimisation: answer, let the reward model judge, and learn from its numbers."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alignment.methods import checkpoints, rows, trl_training
from alignment.methods.base import Method, Work
from alignment.methods.trl_training import (
    Diverged,
    NothingLeft,
    learning_rate_option,
    save_every_option,
    seed_option,
)
from truing.errors import Invalid
from truing.options import BadOption, option

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from alignment.methods.ppo_trainer import PPOConfig, PPOTrainer


class OtherTokenizer(Invalid):
    """The reward model reads other tokens than the base: train it from the same base."""


class NoRoom(Invalid):
    """The model has no room for prompt and answer."""


class Ppo(Method):
    label = "Proximal policy optimisation (PPO)"
    reads = "trl_prompts"
    needs_reward = True

    @dataclass(frozen=True)
    class Options:
        steps: int = option(
            50,
            "How many times to answer prompts and to learn from it.",
            min_value=1,
            max_value=10_000_000,
        )
        rollout_size: int = option(
            64, "How many prompts are answered in a step.", min_value=2, max_value=1_000_000
        )
        epochs: int = option(
            4, "How often a step learns from its answers.", min_value=1, max_value=100
        )
        minibatch_size: int = option(
            16, "How many answers are learnt from at once.", min_value=1, max_value=65_536
        )
        learning_rate: float = learning_rate_option(
            1e-5, "How large the policy's steps are, at their largest."
        )
        value_learning_rate: float = learning_rate_option(1e-5, "The same for the value model.")
        warmup_steps: int = option(
            0, "In how many steps the learning rates rise.", min_value=0, max_value=1_000_000
        )
        decay: bool = option(True, "Let both learning rates fall to zero.")
        kl_penalty: float = option(
            0.05, "What it costs to say other things than the base.", min_value=0, max_value=100
        )
        gamma: float = option(
            1.0, "How much a reward is worth one token earlier.", min_value=0, max_value=1
        )
        lam: float = option(
            0.95,
            "How far advantages trust the rewards rather than the value model.",
            min_value=0,
            max_value=1,
        )
        clip: float = option(
            0.2, "How far a token's probability may move in a step.", min_value=0.001, max_value=10
        )
        value_clip: float = option(
            0.2, "How far a value may move in a step.", min_value=0.001, max_value=1000
        )
        max_grad_norm: float = option(
            1.0, "Longer gradients are shortened to this.", min_value=1e-6, max_value=1e6
        )
        whiten_advantages: bool = option(
            True, "Shift and scale the advantages of a step to mean 0 and variance 1."
        )
        normalize_rewards: bool = option(
            True, "Shift and scale rewards so that the base's answers have mean 0 and variance 1."
        )
        temperature: float = option(
            1.0, "How freely answers are drawn.", min_value=0.01, max_value=10
        )
        max_new_tokens: int = option(
            128, "How many tokens an answer has at most.", min_value=1, max_value=100_000
        )
        missing_eos_penalty: float = option(
            1.0, "What an answer that does not come to its end loses.", min_value=0, max_value=1000
        )
        max_length: int = option(
            1024,
            "Longer prompts are left out, in tokens; so is what leaves no room for an answer.",
            min_value=8,
            max_value=1_000_000,
        )
        seed: int = seed_option()
        save_every: int = save_every_option(10)

        def __post_init__(self) -> None:
            if self.minibatch_size > self.rollout_size:
                raise BadOption("minibatch_size may not be larger than rollout_size.")
            if self.warmup_steps >= self.steps:
                raise BadOption("warmup_steps must be fewer than steps.")

    def train(self, work: Work) -> dict[str, float]:
        prompts = rows.some(work.train_file, ("prompt",))

        import torch

        from alignment.methods.loading import has_bf16, save, tokenizer_of, use_all_cores

        assert work.base is not None
        assert work.reward is not None
        use_all_cores()
        tokenizer = tokenizer_of(work.base)
        _check_same_tokens(tokenizer, tokenizer_of(work.reward))
        longest = _longest_prompt(work)
        asked = _tokenised([row["prompt"] for row in prompts], tokenizer, longest)
        trainer = _trainer(work, tokenizer, asked)
        if work.resume:
            trainer.load(work.resume)
        try:
            # Weights stay in float32; a GPU computes with them in bfloat16.
            with torch.autocast("cuda", torch.bfloat16, enabled=has_bf16()):
                ended = trainer.train(
                    lambda step, metrics: work.report(
                        step=step, total=work.options.steps, **metrics
                    ),
                    save=lambda step: _save(trainer, work.folder, step),
                    should_stop=work.is_cancelled,
                )
        except FloatingPointError:
            raise Diverged from None
        checkpoints.drop_unfinished(work.folder)
        if not ended:
            return {}
        save(trainer.policy, tokenizer, work.folder / "model")
        dropped = len(prompts) - len(asked)
        return trl_training.summary(work.folder) | {"dropped_rows": dropped}


def _trainer(
    work: Work, tokenizer: "PreTrainedTokenizerBase", prompts: list[list[int]]
) -> "PPOTrainer":
    """Policy and reference from the base, values and rewards from the reward model."""
    from alignment.methods.loading import policy_of, reward_of, to_device
    from alignment.methods.ppo_trainer import PPOTrainer, ValueModel, scores_of

    assert work.base is not None
    assert work.reward is not None
    judge = to_device(reward_of(work.reward, tokenizer))
    return PPOTrainer(
        policy=to_device(policy_of(work.base, tokenizer)),
        # Copied before the judge is frozen, so that it can learn.
        value_model=ValueModel.from_reward_model(judge),
        reference=to_device(policy_of(work.base, tokenizer)),
        reward_fn=scores_of(judge),
        tokenizer=tokenizer,
        prompts=prompts,
        config=_config(work.options),
    )


def _config(options: Any) -> "PPOConfig":
    from dataclasses import fields

    from alignment.methods.ppo_trainer import PPOConfig

    return PPOConfig(**{item.name: getattr(options, item.name) for item in fields(PPOConfig)})


def _save(trainer: "PPOTrainer", folder: Path, step: int) -> None:
    trainer.save(checkpoints.place_for_new(folder) / f"checkpoint-{step}")
    checkpoints.finish(folder, step)


def _check_same_tokens(
    tokenizer: "PreTrainedTokenizerBase", of_reward: "PreTrainedTokenizerBase"
) -> None:
    """The reward model is given the policy's tokens as they are."""
    if tokenizer.get_vocab() != of_reward.get_vocab():
        raise OtherTokenizer


def _longest_prompt(work: Work) -> int:
    """How many tokens a prompt may have, so that policy and judge can read its longest answer."""
    from alignment.methods.loading import room_of

    longest, answer = work.options.max_length, work.options.max_new_tokens
    for path in (work.base, work.reward):
        assert path is not None
        room = room_of(path)
        if room is not None and room <= answer:
            raise NoRoom(
                f"A model that reads {room} tokens has no room for a prompt and an answer of "
                f"{answer}: choose a smaller max_new_tokens."
            )
        longest = min(longest, room - answer) if room is not None else longest
    return int(longest)


def _tokenised(
    prompts: list[Any], tokenizer: "PreTrainedTokenizerBase", max_length: int
) -> list[list[int]]:
    from alignment.methods.loading import rendered

    texts = [rendered(tokenizer, prompt) for prompt in prompts]
    ids = tokenizer(texts, add_special_tokens=False)["input_ids"]
    short = [one for one in ids if len(one) <= max_length]
    if not short:
        raise NothingLeft(f"No prompt is left: all are longer than {max_length} tokens.")
    return short
