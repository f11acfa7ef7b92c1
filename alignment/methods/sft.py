"""Supervised fine-tuning: learn to answer as the demonstrations do."""

from dataclasses import dataclass
from typing import Any

from alignment.methods import rows, trl_training
from alignment.methods.base import Method, Work
from alignment.methods.trl_training import TrainingOptions, learning_rate_option

COLUMNS = ("prompt", "completion")


class Sft(Method):
    label = "Supervised fine-tuning (SFT)"
    reads = "trl_sft"

    @dataclass(frozen=True)
    class Options(TrainingOptions):
        learning_rate: float = learning_rate_option(2e-5)

    def problem_with(self, options: Any, *, has_base: bool, has_eval: bool) -> str:
        return trl_training.problem_with(options, has_eval=has_eval)

    def train(self, work: Work) -> dict[str, float]:
        train_rows = rows.some(work.train_file, COLUMNS)
        eval_rows = rows.read(work.eval_file, COLUMNS)

        from datasets import Dataset
        from trl import SFTConfig, SFTTrainer

        from alignment.methods.loading import policy_of, tokenizer_of

        assert work.base is not None
        tokenizer = tokenizer_of(work.base)
        trainer = SFTTrainer(
            policy_of(work.base, tokenizer),
            args=SFTConfig(
                **trl_training.arguments(work, eval_rows=len(eval_rows)),
                max_length=work.options.max_length,
                completion_only_loss=True,  # the prompt is given, not learnt
            ),
            train_dataset=Dataset.from_list(train_rows),
            eval_dataset=Dataset.from_list(eval_rows) if eval_rows else None,
            processing_class=tokenizer,
            peft_config=trl_training.adapter(work),
        )
        return trl_training.train(trainer, work)
