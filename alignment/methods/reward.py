"""Reward modelling: learn to give the answer that people preferred the higher number."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alignment.methods import rows, trl_training
from alignment.methods.base import Method, Work
from alignment.methods.rows import Row
from alignment.methods.trl_training import TrainingOptions, learning_rate_option
from truing.options import option

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Ids = list[int]
TEMPLATE_TAIL = 4  # how many tokens a chat template may write behind an answer's end

COLUMNS = ("prompt", "chosen", "rejected")


class Reward(Method):
    label = "Reward model"
    reads = "trl_preference"
    makes = "reward"

    @dataclass(frozen=True)
    class Options(TrainingOptions):
        learning_rate: float = learning_rate_option(1e-5)
        center: float = option(
            0.01,
            "How strongly rewards are kept around zero, which PPO likes.",
            min_value=0,
            max_value=10,
        )

    def problem_with(self, options: Any, *, has_base: bool, has_eval: bool) -> str:
        return trl_training.problem_with(options, has_eval=has_eval)

    def train(self, work: Work) -> dict[str, float]:
        train_rows = rows.some(work.train_file, COLUMNS)
        eval_rows = rows.read(work.eval_file, COLUMNS)

        from datasets import Dataset
        from transformers import set_seed
        from trl import RewardConfig, RewardTrainer

        from alignment.methods.loading import reward_of, tokenizer_of

        assert work.base is not None
        tokenizer = tokenizer_of(work.base)
        set_seed(work.options.seed)  # the new head starts at random
        trainer = RewardTrainer(
            reward_of(work.base, tokenizer, new_head=True),
            args=RewardConfig(
                **trl_training.arguments(work, eval_rows=len(eval_rows)),
                max_length=work.options.max_length,
                center_rewards_coefficient=work.options.center or None,
            ),
            train_dataset=Dataset.from_dict(_tokenised(train_rows, tokenizer)),
            eval_dataset=(
                Dataset.from_dict(_tokenised(eval_rows, tokenizer)) if eval_rows else None
            ),
            processing_class=tokenizer,
            peft_config=trl_training.adapter(work, reward=True),
        )
        dropped = len(train_rows) - trl_training.rows_left(trainer)
        return trl_training.train(trainer, work) | {"dropped_rows": dropped}


def _tokenised(pairs: list[Row], tokenizer: "PreTrainedTokenizerBase") -> dict[str, list[Ids]]:
    """Conversations as token ids, each up to the end of its answer and no further.

    The number is read at the last token. Some chat templates write a line break behind the
    end; an answer that PPO asks about has none, and would be read at another place.
    """
    return {
        f"{side}_ids": [
            _ended(ids, tokenizer.eos_token_id)
            for ids in tokenizer(
                [_written(pair["prompt"], pair[side], tokenizer) for pair in pairs],
                add_special_tokens=False,
            )["input_ids"]
        ]
        for side in ("chosen", "rejected")
    }


def _written(prompt: Any, answer: Any, tokenizer: "PreTrainedTokenizerBase") -> str:
    if isinstance(prompt, str):
        return prompt + str(answer)
    return str(tokenizer.apply_chat_template(prompt + answer, tokenize=False))


def _ended(ids: Ids, end: int) -> Ids:
    for behind in range(min(TEMPLATE_TAIL, len(ids))):
        if ids[-1 - behind] == end:
            return ids[: len(ids) - behind]
    return [*ids, end]
