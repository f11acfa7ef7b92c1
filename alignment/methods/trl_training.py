"""What the methods have in common, most of them trained by TRL: options, reports, the end."""

import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alignment.methods import checkpoints
from alignment.methods.base import Work
from truing.errors import Refused
from truing.options import BadOption, option

if TYPE_CHECKING:
    from peft import PeftConfig
    from transformers import Trainer, TrainerCallback

SCHEDULES = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}


class Diverged(Refused):
    """The loss is not a number any more: try a lower learning rate."""


class NothingLeft(Refused):
    """No row is short enough to be trained on."""


# Options of every method; each has its own usual value.


def learning_rate_option(
    usual: float, help: str = "How large the steps are, at their largest."
) -> Any:
    return option(usual, help, min_value=1e-9, max_value=1)


def seed_option() -> Any:
    help = "The same seed gives the same losses."
    return option(0, help, min_value=0, max_value=2**31 - 1)


def save_every_option(usual: int) -> Any:
    help = "After how many steps a checkpoint is written."
    return option(usual, help, min_value=1, max_value=100_000_000)


@dataclass(frozen=True)
class TrainingOptions:
    """The options that every method trained by gradient steps over rows has."""

    learning_rate: float = learning_rate_option(2e-5)
    epochs: float = option(
        1.0, "How often to go through all rows.", min_value=0.001, max_value=10_000
    )
    max_steps: int = option(
        0, "How many steps to train; 0 goes by epochs.", min_value=0, max_value=100_000_000
    )
    batch_size: int = option(
        8, "How many rows are computed at once.", min_value=1, max_value=65_536
    )
    gradient_accumulation: int = option(
        1, "How many batches make one step.", min_value=1, max_value=65_536
    )
    max_length: int = option(
        1024, "How many tokens of a row are used at most.", min_value=8, max_value=1_000_000
    )
    warmup: float = option(
        0.05, "In what share of the steps the learning rate rises.", min_value=0, max_value=0.99
    )
    schedule: str = option(
        "cosine", "How the learning rate falls after that.", choices=list(SCHEDULES)
    )
    weight_decay: float = option(
        0.0, "How strongly weights are pulled to zero.", min_value=0, max_value=1
    )
    seed: int = seed_option()
    save_every: int = save_every_option(200)
    eval_every: int = option(
        0,
        "After how many steps the eval rows are measured; 0 measures them once, at the end.",
        min_value=0,
        max_value=100_000_000,
    )
    lora_rank: int = option(
        0,
        "Train small matrices of this rank beside the weights, and add them at the end; "
        "0 trains the weights themselves.",
        min_value=0,
        max_value=1024,
    )

    def __post_init__(self) -> None:
        [usual] = [item.default for item in fields(self) if item.name == "epochs"]
        if self.max_steps and self.epochs != usual:
            raise BadOption("Epochs have no effect beside max_steps: give one of the two.")


def problem_with(options: TrainingOptions, *, has_eval: bool) -> str:
    if options.eval_every and not has_eval:
        return "The dataset has no rows on its eval side, so eval_every has no effect."
    return ""


def arguments(work: Work, *, eval_rows: int) -> dict[str, Any]:
    """The settings that the configs of all TRL's trainers share."""
    from alignment.methods.loading import has_bf16, use_all_cores

    options: TrainingOptions = work.options
    use_all_cores()
    bf16 = has_bf16()
    return {
        "output_dir": str(checkpoints.place_for_new(work.folder)),
        "learning_rate": options.learning_rate,
        "num_train_epochs": options.epochs,
        "max_steps": options.max_steps or -1,
        "per_device_train_batch_size": options.batch_size,
        "per_device_eval_batch_size": even_batch(eval_rows, 2 * options.batch_size),
        "gradient_accumulation_steps": options.gradient_accumulation,
        "warmup_steps": options.warmup,
        "lr_scheduler_type": SCHEDULES[options.schedule],
        "weight_decay": options.weight_decay,
        "seed": options.seed,
        "save_strategy": "steps",
        "save_steps": options.save_every,
        "eval_strategy": "steps" if eval_rows and options.eval_every else "no",
        "eval_steps": options.eval_every or None,
        "logging_strategy": "steps",
        "logging_steps": 1,
        "logging_nan_inf_filter": False,  # or a broken loss would be shown as a good one
        "report_to": "none",
        "disable_tqdm": True,
        "bf16": bf16,
        # Only a GPU is short of memory enough to pay for it with a fifth of the speed.
        "gradient_checkpointing": bf16,
        "dataloader_pin_memory": bf16,
    }


def even_batch(rows: int, at_most: int) -> int:
    """The batch size that makes batches nearly equal.

    TRL's eval metrics are means over batches, and a short last one would count for too much.
    """
    return math.ceil(rows / math.ceil(rows / at_most)) if rows else at_most


def adapter(work: Work, *, reward: bool = False) -> "PeftConfig | None":
    """What LoRA trains, when the options ask for it."""
    if not work.options.lora_rank:
        return None
    from peft import LoraConfig

    rank = work.options.lora_rank
    return LoraConfig(
        r=rank,
        lora_alpha=2 * rank,
        target_modules="all-linear",
        task_type="SEQ_CLS" if reward else "CAUSAL_LM",
        modules_to_save=["score"] if reward else None,
    )


def train(trainer: "Trainer", work: Work) -> dict[str, float]:
    """Train to the end and save the model, or stop with a checkpoint when it is cancelled."""
    from transformers import IntervalStrategy, PrinterCallback

    if not rows_left(trainer):
        raise NothingLeft(
            f"No row is left to train on: all are longer than {work.options.max_length} tokens."
        )
    eval_dataset: Any = trainer.eval_dataset
    if eval_dataset is not None and not len(eval_dataset):
        trainer.eval_dataset = None  # all of them were too long
        trainer.args.eval_strategy = IntervalStrategy.NO
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(_reporting(work))
    trainer.train(resume_from_checkpoint=str(work.resume) if work.resume else None)
    checkpoints.drop_unfinished(work.folder)
    if work.is_cancelled() and trainer.state.global_step < trainer.state.max_steps:
        return {}
    _save(trainer, work.folder / "model")
    if trainer.eval_dataset is not None and not work.options.eval_every:
        trainer.evaluate()
    return summary(work.folder)


def rows_left(trainer: "Trainer") -> int:
    """How many rows the trainer has not dropped as too long."""
    dataset: Any = trainer.train_dataset
    return len(dataset)


def _save(trainer: "Trainer", folder: Path) -> None:
    from alignment.methods.loading import save

    model: Any = trainer.model
    tokenizer: Any = trainer.processing_class
    if trainer.args.bf16:
        model.gradient_checkpointing_disable()
    if hasattr(model, "merge_and_unload"):
        model = model.merge_and_unload()
    model.config.use_cache = True
    save(model, tokenizer, folder)


def summary(folder: Path) -> dict[str, float]:
    """What a finished run says in result.json: its mean loss, and its last metrics."""
    lines = checkpoints.metrics(folder)
    losses = [line["loss"] for line in lines if "loss" in line]
    last: dict[str, float] = {}
    for line in lines:
        last |= line
    found = {name: value for name, value in last.items() if name not in ("at", "total")}
    if losses:
        found["train_loss"] = sum(losses) / len(losses)
    return found


def _reporting(work: Work) -> "TrainerCallback":
    from transformers import TrainerCallback

    # TRL counts tokens from zero again when it resumes.
    before = summary(work.folder).get("num_tokens", 0)

    class Reporting(TrainerCallback):
        """Between the trainer and the run's folder: metrics out, the wish to stop in."""

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step >= state.max_steps:
                control.should_save = False  # the model itself is about to be saved
            elif work.is_cancelled():
                control.should_save = control.should_training_stop = True

        def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            checkpoints.finish(work.folder, state.global_step)

        def on_log(
            self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any
        ) -> None:
            if "train_runtime" in logs:
                return
            metrics = {name: float(value) for name, value in logs.items() if _is_wanted(name)}
            for name in ("loss", "grad_norm"):
                if not math.isfinite(metrics.get(name, 0.0)):
                    raise Diverged(
                        f"The {name.replace('_', ' ')} is not a number any more at step "
                        f"{state.global_step}: try a lower learning rate."
                    )
            if "num_tokens" in metrics:
                metrics["num_tokens"] += before
            work.report(step=state.global_step, total=state.max_steps, **metrics)

    return Reporting()


def _is_wanted(name: str) -> bool:
    """Not the trainer's own speed, which depends on the machine and confuses a curve."""
    return not name.endswith(("_runtime", "_per_second", "eval_num_tokens", "total_flos"))
