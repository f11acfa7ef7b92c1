"""Direct preference optimisation: prefer what people preferred, without a reward model."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alignment.methods import rows, trl_training
from alignment.methods.base import Method, Work
from alignment.methods.rows import Row
from alignment.methods.trl_training import NothingLeft, TrainingOptions, learning_rate_option
from truing.options import BadOption, option

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

COLUMNS = ("prompt", "chosen", "rejected")


class Dpo(Method):
    label = "Direct preference optimisation (DPO)"
    reads = "trl_preference"

    @dataclass(frozen=True)
    class Options(TrainingOptions):
        learning_rate: float = learning_rate_option(1e-6)
        beta: float = option(
            0.1, "How strongly the model is held to its base.", min_value=1e-6, max_value=100
        )
        loss: str = option(
            "sigmoid",
            "sigmoid is DPO itself; ipo holds back on pairs it has learnt; "
            "robust expects some answers of people to be wrong.",
            choices=("sigmoid", "ipo", "robust"),
        )
        label_smoothing: float = option(
            0.0,
            "What share of the answers is expected to be wrong, for the robust loss.",
            min_value=0,
            max_value=0.49,
        )

        sft_weight: float = option(
            0.0,
            "How much the preferred answer is also learnt as it is, so that it does not become "
            "rarer while the other does; 0 is plain DPO.",
            min_value=0,
            max_value=100,
        )

        def __post_init__(self) -> None:
            super().__post_init__()
            if self.label_smoothing and self.loss != "robust":
                raise BadOption("Label smoothing has an effect with the robust loss only.")

    def problem_with(self, options: Any, *, has_base: bool, has_eval: bool) -> str:
        return trl_training.problem_with(options, has_eval=has_eval)

    def train(self, work: Work) -> dict[str, float]:
        train_rows = rows.some(work.train_file, COLUMNS)
        eval_rows = rows.read(work.eval_file, COLUMNS)

        from datasets import Dataset
        from trl import DPOConfig, DPOTrainer

        from alignment.methods.loading import policy_of, tokenizer_of

        assert work.base is not None
        tokenizer = tokenizer_of(work.base)
        kept = _with_room(train_rows, tokenizer, work.options.max_length)
        if not kept:
            raise NothingLeft(
                f"No row is left to train on: all are longer than {work.options.max_length} tokens."
            )
        eval_rows = _with_room(eval_rows, tokenizer, work.options.max_length)
        weights = [1.0, work.options.sft_weight][: 2 if work.options.sft_weight else 1]
        trainer = DPOTrainer(
            policy_of(work.base, tokenizer),
            args=DPOConfig(
                **trl_training.arguments(work, eval_rows=len(eval_rows)),
                max_length=work.options.max_length,
                beta=work.options.beta,
                loss_type=[work.options.loss, "sft"][: len(weights)],
                loss_weights=weights,
                label_smoothing=work.options.label_smoothing,
                # The base is asked once for each row, not once an epoch, and is not kept.
                precompute_ref_log_probs=True,
            ),
            train_dataset=Dataset.from_list(kept),
            eval_dataset=Dataset.from_list(eval_rows) if eval_rows else None,
            processing_class=tokenizer,
            peft_config=trl_training.adapter(work),
        )
        dropped = len(train_rows) - len(kept)
        return trl_training.train(trainer, work) | {"dropped_rows": dropped}


def _with_room(
    pairs: list[Row], tokenizer: "PreTrainedTokenizerBase", max_length: int
) -> list[Row]:
    """The rows whose prompt leaves room for an answer. TRL drops the others too, but stumbles
    where none is left."""
    from alignment.methods.loading import rendered

    texts = [rendered(tokenizer, pair["prompt"]) for pair in pairs]
    ids = tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else []
    return [pair for pair, one in zip(pairs, ids, strict=True) if len(one) < max_length]
