"""The demo's numbers: how much there is of everything, and how each method is run."""

from dataclasses import dataclass, field
from typing import Any

from alignment.demo.world import Sizes


@dataclass(frozen=True)
class Recipe:
    seed: int = 0
    sizes: Sizes = Sizes(transcripts=8000, demonstrations=40, prompts=1500)
    train_prompts: int = 350  # how many of them are answered and ranked
    eval_prompts: int = 50  # and how many of those held out, for the numbers on the runs' pages
    samples: int = 4
    overlap: int = 2
    left_for_people: int = 40  # prompts whose answers nobody has judged yet
    sampling: dict[str, Any] = field(
        default_factory=lambda: {"temperature": 1.0, "max_new_tokens": 64}
    )
    preferences: dict[str, Any] = field(default_factory=lambda: {"aggregator": "majority"})
    options: dict[str, dict[str, Any]] = field(default_factory=lambda: OPTIONS)


# Found by trying on three seeds: docs/decisions.md. A model of 1.1 million parameters learns the
# manners in so many steps; with a few demonstrations it speaks, and still has much to learn.
OPTIONS: dict[str, dict[str, Any]] = {
    "pretrain": {
        "vocabulary": 768,
        "hidden_size": 160,
        "layers": 3,
        "heads": 4,
        "context": 512,
        "max_length": 128,
        "learning_rate": 4e-3,
        "schedule": "linear",
        "batch_size": 32,
        "max_steps": 650,
    },
    "sft": {"learning_rate": 3e-4, "epochs": 1, "batch_size": 8},
    "reward": {"learning_rate": 5e-4, "epochs": 2, "batch_size": 16},
    # An adapter and a strong hold: DPO on answers that mean nothing then does little harm.
    "dpo": {
        "lora_rank": 4,
        "learning_rate": 1e-3,
        "epochs": 2,
        "batch_size": 8,
        "beta": 1.0,
        "sft_weight": 0.5,
    },
    "ppo": {
        "learning_rate": 3e-4,
        "value_learning_rate": 5e-4,
        "steps": 24,
        "rollout_size": 64,
        "minibatch_size": 32,
        "epochs": 3,
        "max_new_tokens": 48,
    },
}
