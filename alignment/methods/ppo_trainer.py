"""Proximal policy optimisation of a language model against a reward model, top to bottom.

One step: the policy answers some prompts; the reward model gives each answer a number; every
token is charged for how far the policy has moved from the reference; a value model says what
was to be expected; then several epochs of mini-batches make better-than-expected tokens likelier.

- PPO: Schulman et al. 2017, arXiv:1707.06347. Clipped objective: section 3, equation 7.
- Advantages: Schulman et al. 2015, arXiv:1506.02438. Section 3, equation 16.
- Reward less KL penalty, value model made of the reward model, normalised rewards:
  Ziegler et al. 2019, arXiv:1909.08593, section 2.1, equation 2; Ouyang et al. 2022,
  arXiv:2203.02155, section 3.5 and appendix C.4.
- Clipped value loss and whitened advantages come from the code of OpenAI's baselines and of
  Ziegler et al.; no equation of the papers has them.

All chance in a step comes from the seed and the step's number. So a training that goes on from
a saved state is, on the same machine, the training that was never interrupted.
"""

import math
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

# The score of whole texts: token ids and their attention mask in, a number for each text out.
RewardFunction = Callable[[Tensor, Tensor], Tensor]
STATE_FILE = "ppo_state.pt"


@dataclass(frozen=True)
class PPOConfig:
    """What can be chosen. A step is one rollout and all the learning from it."""

    steps: int = 50
    rollout_size: int = 64  # answers a step
    epochs: int = 4
    minibatch_size: int = 16  # answers
    learning_rate: float = 1e-5  # of the policy
    value_learning_rate: float = 1e-5
    warmup_steps: int = 0
    decay: bool = True  # both learning rates fall to zero in a line
    kl_penalty: float = 0.05
    gamma: float = 1.0
    lam: float = 0.95
    clip: float = 0.2
    value_clip: float = 0.2
    max_grad_norm: float = 1.0
    whiten_advantages: bool = True
    normalize_rewards: bool = True
    temperature: float = 1.0
    max_new_tokens: int = 48
    missing_eos_penalty: float = 1.0  # in units of the (normalised) reward
    seed: int = 0
    save_every: int = 10


class ValueModel(nn.Module):
    """What a transformer expects the reward to be, at each token."""

    def __init__(self, backbone: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.backbone, self.head = backbone, head
        self.mean, self.std = 0.0, 1.0  # of the rewards that its head was made for

    @classmethod
    def from_reward_model(cls, reward_model: PreTrainedModel) -> "ValueModel":
        """A copy of a reward model that speaks at every token, not only at the last."""
        backbone = getattr(reward_model, reward_model.base_model_prefix)
        return cls(deepcopy(backbone), deepcopy(reward_model.get_submodule("score")))

    @classmethod
    def with_new_head(cls, model: PreTrainedModel) -> "ValueModel":
        """A copy of a language model with a head that expects nothing yet."""
        head = nn.Linear(model.config.get_text_config().hidden_size, 1, bias=False)
        nn.init.zeros_(head.weight)
        return cls(deepcopy(getattr(model, model.base_model_prefix)), head.to(model.device))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        hidden = self.backbone(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=positions(attention_mask),
            use_cache=False,
        ).last_hidden_state
        values: Tensor = self.head(hidden).squeeze(-1).float()
        return (values - self.mean) / self.std


def scores_of(reward_model: PreTrainedModel) -> RewardFunction:
    """The reward function that a sequence classifier with one label is."""
    reward_model.eval().requires_grad_(False)

    def score(input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        logits: Tensor = reward_model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=positions(attention_mask),
        ).logits
        return logits.squeeze(-1).float()

    return score


@dataclass(frozen=True)
class Rollout:
    """Answers and what was thought of them before learning: one row each, R tokens wide."""

    input_ids: Tensor  # prompt (padded left) and answer (padded right)
    attention_mask: Tensor
    mask: Tensor  # 1 where an answer has a token, its end included
    logprobs: Tensor
    values: Tensor
    advantages: Tensor
    returns: Tensor


def positions(attention_mask: Tensor) -> Tensor:
    """Count tokens from the first real one, so that padding on the left moves nothing."""
    return (attention_mask.cumsum(-1) - 1).clamp(min=0)


def answer_mask(answers: Tensor, eos_token_id: int) -> Tensor:
    """1 for each token of an answer up to its first end, which counts; 0 behind it."""
    ended = (answers == eos_token_id).int()
    return ((ended.cumsum(-1) - ended) == 0).float()


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    return (values * mask).sum() / mask.sum()


def whiten(values: Tensor, mask: Tensor) -> Tensor:
    """Shift and scale what the mask shows to mean 0 and variance 1."""
    mean = masked_mean(values, mask)
    variance = masked_mean((values - mean) ** 2, mask)
    return (values - mean) * torch.rsqrt(variance + 1e-8) * mask


def token_rewards(
    scores: Tensor, logprobs: Tensor, ref_logprobs: Tensor, mask: Tensor, kl_penalty: float
) -> Tensor:
    """The KL penalty at every token, and the score at the last one (Ziegler, equation 2)."""
    rewards = -kl_penalty * (logprobs - ref_logprobs) * mask
    last = mask.sum(-1).long() - 1
    rewards[torch.arange(len(rewards), device=rewards.device), last] += scores
    return rewards


def advantages_of(
    rewards: Tensor, values: Tensor, mask: Tensor, *, gamma: float, lam: float
) -> tuple[Tensor, Tensor]:
    """Generalised advantage estimates, and the returns that the values should have been.

    An answer ends with its mask: nothing is expected behind it.
    """
    advantages = torch.zeros_like(rewards)
    following_value = following_advantage = torch.zeros_like(rewards[:, 0])
    for t in reversed(range(rewards.shape[1])):
        delta = rewards[:, t] + gamma * following_value - values[:, t]
        advantages[:, t] = (delta + gamma * lam * following_advantage) * mask[:, t]
        following_advantage, following_value = advantages[:, t], values[:, t] * mask[:, t]
    return advantages, (advantages + values) * mask


def policy_loss(
    logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, mask: Tensor, clip: float
) -> tuple[Tensor, Tensor]:
    """The clipped objective (equation 7 of PPO), and the share of tokens that it clips."""
    ratio = torch.exp(logprobs - old_logprobs)
    plain, clipped = -advantages * ratio, -advantages * ratio.clamp(1 - clip, 1 + clip)
    loss = masked_mean(torch.maximum(plain, clipped), mask)
    return loss, masked_mean((clipped > plain).float(), mask)


def value_loss(
    values: Tensor, old_values: Tensor, returns: Tensor, mask: Tensor, clip: float
) -> Tensor:
    """Half the squared error, where a value that moved further than `clip` gains nothing."""
    near = old_values + (values - old_values).clamp(-clip, clip)
    worse = torch.maximum((values - returns) ** 2, (near - returns) ** 2)
    return 0.5 * masked_mean(worse, mask)


def explained_variance(values: Tensor, returns: Tensor, mask: Tensor) -> float:
    """1 when the values foresee the returns, 0 when a constant would do as well."""
    shown = mask.bool()
    total = returns[shown].var(unbiased=False)
    left = (returns - values)[shown].var(unbiased=False)
    return float(1 - left / total) if total > 0 else 0.0


class PPOTrainer:
    """Trains `policy` and `value_model`, in place. Prompts are token ids."""

    def __init__(
        self,
        policy: PreTrainedModel,
        value_model: ValueModel,
        reference: PreTrainedModel,
        reward_fn: RewardFunction,
        tokenizer: PreTrainedTokenizerBase,
        prompts: Sequence[Sequence[int]],
        config: PPOConfig,
    ) -> None:
        self.policy, self.value_model, self.reference = policy, value_model, reference
        self.reward_fn, self.prompts, self.config = reward_fn, prompts, config
        self.eos, self.pad = int(tokenizer.eos_token_id), int(tokenizer.pad_token_id)
        if self.eos == self.pad:
            raise ValueError("The padding token must not be the end token.")
        self.device = policy.device
        reference.requires_grad_(False)
        # Dropout would make the policy differ from itself, and the first ratios from 1.
        for model in (policy, value_model, reference):
            model.eval()
        self.trained = [
            {f"policy.{name}": p for name, p in policy.named_parameters() if p.requires_grad},
            {f"value.{name}": p for name, p in value_model.named_parameters() if p.requires_grad},
        ]
        self.optimizer = torch.optim.AdamW(
            [{"params": list(group.values())} for group in self.trained], eps=1e-5, weight_decay=0
        )
        self.step = 0
        self.reward_mean, self.reward_std = 0.0, 1.0

    def train(
        self,
        on_step: Callable[[int, dict[str, float]], None],
        *,
        save: Callable[[int], None] | None = None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Train to the last step, or until told to stop. True when it is the last."""
        if self.step == 0 and self.config.normalize_rewards:
            self._measure_rewards()
        while self.step < self.config.steps:
            metrics = self._one_step()
            self.step += 1
            on_step(self.step, metrics)
            done = self.step == self.config.steps
            stopping = not done and should_stop()
            if save and (stopping or self.step % self.config.save_every == 0):
                save(self.step)
            if stopping:
                return False
        return True

    def save(self, folder: Path) -> None:
        """Write all that a training needs to go on. The folder appears when it is whole."""
        unfinished = folder.with_name(folder.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        with (unfinished / STATE_FILE).open("wb") as file:
            torch.save(
                {
                    "step": self.step,
                    "reward_mean": self.reward_mean,
                    "reward_std": self.reward_std,
                    "weights": self.trained[0] | self.trained[1],
                    "optimizer": self.optimizer.state_dict(),
                },
                file,
            )
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(folder)

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote."""
        state = torch.load(folder / STATE_FILE, map_location=self.device, weights_only=True)
        own = self.trained[0] | self.trained[1]
        if own.keys() != state["weights"].keys():
            raise ValueError(f"{folder} is the state of another model.")
        with torch.no_grad():
            for name, parameter in own.items():
                parameter.copy_(state["weights"][name])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
        self._normalize(state["reward_mean"], state["reward_std"])

    def _one_step(self) -> dict[str, float]:
        torch.manual_seed(self._seed(self.step))
        self._set_learning_rates()
        rollout, metrics = self._rollout()
        return metrics | self._learn(rollout)

    def _seed(self, step: int) -> int:
        return (self.config.seed * 1_000_003 + step + 1) % 2**63

    def _set_learning_rates(self) -> None:
        config = self.config
        share = min(1.0, (self.step + 1) / (config.warmup_steps + 1))
        if config.decay:
            share *= 1 - self.step / config.steps
        rates = (config.learning_rate, config.value_learning_rate)
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * share

    def _next_prompts(self, step: int) -> list[Sequence[int]]:
        """The prompts of a step: all come once, in an order drawn anew, before one comes again."""
        chosen: list[Sequence[int]] = []
        for place in range(step * self.config.rollout_size, (step + 1) * self.config.rollout_size):
            epoch, index = divmod(place, len(self.prompts))
            if not chosen or index == 0:
                generator = torch.Generator().manual_seed(self._seed(epoch))
                order = torch.randperm(len(self.prompts), generator=generator).tolist()
            chosen.append(self.prompts[order[index]])
        return chosen

    @torch.no_grad()
    def _measure_rewards(self) -> None:
        """Find mean and deviation of the score before training: they become 0 and 1."""
        torch.manual_seed(self._seed(-1))
        scores, _ = self._score(*self._answer(self._next_prompts(0)))
        mean, std = float(scores.mean()), float(scores.std(unbiased=False))
        self._normalize(mean, max(std, 1e-6))

    def _normalize(self, mean: float, std: float) -> None:
        self.reward_mean, self.reward_std = mean, std
        # It starts as the reward model, and must go on to speak of the same numbers.
        self.value_model.mean, self.value_model.std = mean, std

    def _answer(self, prompts: list[Sequence[int]]) -> tuple[Tensor, Tensor, Tensor]:
        """Let the policy answer: ids of prompt and answer, their mask, and the answers' mask."""
        width = max(len(prompt) for prompt in prompts)
        padded = [[self.pad] * (width - len(prompt)) + list(prompt) for prompt in prompts]
        input_ids = torch.tensor(padded, device=self.device)
        lengths = torch.tensor([len(prompt) for prompt in prompts], device=self.device)
        columns = torch.arange(width, device=self.device)
        prompt_mask = (columns >= width - lengths.unsqueeze(-1)).long()
        generate: Any = self.policy.generate
        with self._drawing():
            sequences: Tensor = generate(input_ids=input_ids, attention_mask=prompt_mask)
        mask = answer_mask(sequences[:, width:], self.eos)
        return sequences, torch.cat([prompt_mask, mask.long()], dim=1), mask

    @contextmanager
    def _drawing(self) -> Iterator[None]:
        """Draw from what is trained and nothing else: the model's own settings are put aside.

        A penalty for repetition, say, would make likely what the policy does not say. They are
        put aside, not overruled: `generate` fills what it is not told from them.
        """
        own = self.policy.generation_config
        self.policy.generation_config = GenerationConfig(
            do_sample=True,
            temperature=self.config.temperature,
            top_k=0,
            top_p=1.0,
            max_new_tokens=self.config.max_new_tokens,
            eos_token_id=self.eos,
            pad_token_id=self.pad,
        )
        try:
            yield
        finally:
            self.policy.generation_config = own

    def _score(self, ids: Tensor, attention: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The reward model's score, and which answers came to their end."""
        size = self.config.minibatch_size
        pairs = zip(ids.split(size), attention.split(size), strict=True)
        scores = torch.cat([self.reward_fn(*pair) for pair in pairs])
        ended = ((ids[:, -mask.shape[1] :] == self.eos) * mask).any(-1)
        return scores, ended

    @torch.no_grad()
    def _rollout(self) -> tuple[Rollout, dict[str, float]]:
        config = self.config
        ids, attention, mask = self._answer(self._next_prompts(self.step))
        scores, ended = self._score(ids, attention, mask)
        normal = (scores - self.reward_mean) / self.reward_std
        normal = normal - config.missing_eos_penalty * (~ended).float()
        width, size = mask.shape[1], config.minibatch_size
        parts = [
            (
                self._logprobs(self.policy, ids[part], attention[part], width)[0],
                self._logprobs(self.reference, ids[part], attention[part], width)[0],
                self._values(ids[part], attention[part], width),
            )
            for part in _slices(len(ids), size)
        ]
        logprobs, ref_logprobs, values = (
            torch.cat(tensors) for tensors in zip(*parts, strict=True)
        )
        rewards = token_rewards(normal, logprobs, ref_logprobs, mask, config.kl_penalty)
        advantages, returns = advantages_of(
            rewards, values, mask, gamma=config.gamma, lam=config.lam
        )
        kl = ((logprobs - ref_logprobs) * mask).sum(-1)
        metrics = {
            "reward": float(scores.mean()),
            "reward_std": float(scores.std(unbiased=False)),
            "kl": float(kl.mean()),
            "non_score_reward": float(-config.kl_penalty * kl.mean()),
            "objective": float(rewards.sum(-1).mean()),
            "length": float(mask.sum(-1).mean()),
            "ended": float(ended.float().mean()),
            "explained_variance": explained_variance(values, returns, mask),
        }
        if config.whiten_advantages:
            advantages = whiten(advantages, mask)
        rollout = Rollout(ids, attention, mask, logprobs, values, advantages, returns)
        return rollout, metrics

    def _learn(self, rollout: Rollout) -> dict[str, float]:
        """Several epochs of mini-batches over one rollout."""
        sums: dict[str, float] = {}
        count = 0
        for _ in range(self.config.epochs):
            order = torch.randperm(len(rollout.input_ids))
            for part in order.split(self.config.minibatch_size):
                for name, value in self._learn_from(rollout, part.to(self.device)).items():
                    sums[name] = sums.get(name, 0.0) + value
                count += 1
        learnt = {name: value / count for name, value in sums.items()}
        if not all(math.isfinite(value) for value in learnt.values()):
            raise FloatingPointError(f"The loss is not a number any more: {learnt}")
        return learnt | {"learning_rate": self.optimizer.param_groups[0]["lr"]}

    def _learn_from(self, rollout: Rollout, part: Tensor) -> dict[str, float]:
        ids, attention, mask = (
            tensor[part] for tensor in (rollout.input_ids, rollout.attention_mask, rollout.mask)
        )
        logprobs, entropy = self._logprobs(self.policy, ids, attention, mask.shape[1])
        values = self._values(ids, attention, mask.shape[1])
        loss, clipped = policy_loss(
            logprobs, rollout.logprobs[part], rollout.advantages[part], mask, self.config.clip
        )
        error = value_loss(
            values, rollout.values[part], rollout.returns[part], mask, self.config.value_clip
        )
        self.optimizer.zero_grad()
        # The two share no weight, so the sum of the losses needs no factor between them.
        (loss + error).backward()
        norms = [
            nn.utils.clip_grad_norm_(group.values(), self.config.max_grad_norm)
            for group in self.trained
        ]
        self.optimizer.step()
        loss, error, logprobs = loss.detach(), error.detach(), logprobs.detach()
        moved = rollout.logprobs[part] - logprobs
        return {
            "loss": float(loss + error),
            "policy_loss": float(loss),
            "value_loss": float(error),
            "clip_fraction": float(clipped),
            # Schulman's estimate of how far this step has moved so far: never negative.
            "step_kl": float(masked_mean(torch.expm1(moved) - moved, mask)),
            "entropy": float(masked_mean(entropy, mask)),
            "grad_norm": float(norms[0]),
        }

    def _logprobs(
        self, model: PreTrainedModel, ids: Tensor, attention: Tensor, width: int
    ) -> tuple[Tensor, Tensor]:
        """What the model gives to each token of the answer, and the entropy it was drawn from."""
        logits = model(
            input_ids=ids,
            attention_mask=attention,
            position_ids=positions(attention),
            use_cache=False,
            logits_to_keep=width + 1,  # each token is foretold one place before it
        ).logits[:, :-1]
        logprobs = torch.log_softmax(logits.float() / self.config.temperature, dim=-1)
        chosen = logprobs.gather(-1, ids[:, -width:].unsqueeze(-1)).squeeze(-1)
        with torch.no_grad():
            entropy = -(logprobs.exp() * logprobs).sum(-1)
        return chosen, entropy

    def _values(self, ids: Tensor, attention: Tensor, width: int) -> Tensor:
        """What is expected before each token of the answer is chosen."""
        values: Tensor = self.value_model(ids, attention)
        return values[:, -width - 1 : -1]


def _slices(count: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, count, size))
