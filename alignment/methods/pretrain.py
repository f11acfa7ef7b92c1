"""Pretraining: learn a language from text, from nothing or from where another model stands."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alignment.methods import new_model, rows, trl_training
from alignment.methods.base import Method, Work
from alignment.methods.trl_training import TrainingOptions, learning_rate_option
from truing.options import option

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedTokenizerBase

SIZES = ("vocabulary", "hidden_size", "layers", "heads", "feed_forward", "context")


class Pretrain(Method):
    label = "Pretraining (language modelling)"
    reads = "trl_language_modeling"
    needs_base = False

    @dataclass(frozen=True)
    class Options(TrainingOptions):
        learning_rate: float = learning_rate_option(1e-3)
        batch_size: int = option(
            32, "How many rows are computed at once.", min_value=1, max_value=65_536
        )
        max_length: int = option(
            512, "Longer texts are cut into pieces of so many tokens.", min_value=8, max_value=10**6
        )
        adam_beta2: float = option(
            0.98,
            "How long the optimiser remembers how large gradients were.",
            min_value=0.5,
            max_value=0.99999,
        )
        packing: bool = option(
            False, "Join texts end to end before they are cut, so that no token is padding."
        )
        vocabulary: int = option(
            2048, "How many tokens a new tokenizer knows.", min_value=258, max_value=1_000_000
        )
        hidden_size: int = option(256, "How wide a new model is.", min_value=8, max_value=65_536)
        layers: int = option(4, "How many layers a new model has.", min_value=1, max_value=1000)
        heads: int = option(
            4, "How many attention heads a layer of a new model has.", min_value=1, max_value=1000
        )
        feed_forward: int = option(
            0,
            "How wide the inside of a new model's layers is; 0 is three times hidden_size.",
            min_value=0,
            max_value=1_000_000,
        )
        context: int = option(
            512, "How many tokens a new model can read at once.", min_value=16, max_value=10**6
        )

        def __post_init__(self) -> None:
            super().__post_init__()
            new_model.check_size(self.hidden_size, self.heads)

    def problem_with(self, options: Any, *, has_base: bool, has_eval: bool) -> str:
        if has_base:
            for item in fields(options):
                if item.name in SIZES and getattr(options, item.name) != item.default:
                    return f"The base model decides its own size, so {item.name} has no effect."
        elif options.max_length > options.context:
            return f"max_length may not be longer than the context of {options.context} tokens."
        elif options.lora_rank:
            return "A new model has no weights yet, so it cannot be trained beside them with LoRA."
        return trl_training.problem_with(options, has_eval=has_eval)

    def train(self, work: Work) -> dict[str, float]:
        train_rows = rows.some_text(work.train_file)
        eval_rows = rows.text(work.eval_file)
        base = work.base or _start(work, train_rows)

        from trl import SFTConfig

        from alignment.methods.loading import policy_of, tokenizer_of
        from alignment.methods.pretrain_trainer import PretrainTrainer

        tokenizer = tokenizer_of(base)
        eval_dataset = _tokenised(eval_rows, tokenizer, work.options)
        trainer = PretrainTrainer(
            policy_of(base, tokenizer),
            args=SFTConfig(
                **trl_training.arguments(work, eval_rows=len(eval_dataset)),
                max_length=None,  # the rows are cut already
                adam_beta2=work.options.adam_beta2,
            ),
            train_dataset=_tokenised(train_rows, tokenizer, work.options),
            eval_dataset=eval_dataset if len(eval_dataset) else None,
            processing_class=tokenizer,
            peft_config=trl_training.adapter(work),
        )
        return trl_training.train(trainer, work)


def _start(work: Work, train_rows: list[Any]) -> Path:
    """A new model, made once: an attempt that goes on must start from the same."""
    from transformers import set_seed

    from alignment.methods.loading import save

    folder = work.folder / "start"
    if not folder.is_dir():
        options = work.options
        bare = new_model.new_tokenizer([], options.vocabulary)
        texts = (_rendered(row, bare).replace(new_model.END, "\n") for row in train_rows)
        tokenizer = new_model.new_tokenizer(texts, options.vocabulary)
        set_seed(options.seed)
        model = new_model.new_llama(
            tokenizer,
            hidden_size=options.hidden_size,
            layers=options.layers,
            heads=options.heads,
            feed_forward=options.feed_forward,
            context=options.context,
        )
        save(model, tokenizer, folder)
    return folder


def _rendered(row: Any, tokenizer: "PreTrainedTokenizerBase") -> str:
    """A row as text: a conversation goes through the chat template."""
    if isinstance(row, str):
        return row
    return str(tokenizer.apply_chat_template(row, tokenize=False))


def _tokenised(texts: list[Any], tokenizer: "PreTrainedTokenizerBase", options: Any) -> "Dataset":
    """The rows that are trained on: pieces of at most max_length tokens, nothing thrown away."""
    from datasets import Dataset

    written = [_rendered(row, tokenizer) for row in texts]
    ids = tokenizer(written, add_special_tokens=False)["input_ids"] if written else []
    end = tokenizer.eos_token_id
    ended = [one if one and one[-1] == end else [*one, end] for one in ids]
    if options.packing:
        ended = [[token for one in ended for token in one]]
    size = options.max_length
    pieces = [one[at : at + size] for one in ended for at in range(0, len(one), size)]
    # A piece of one token has nothing to predict.
    pieces = [piece for piece in pieces if len(piece) > 1]
    return Dataset.from_dict({"input_ids": pieces, "labels": pieces})
