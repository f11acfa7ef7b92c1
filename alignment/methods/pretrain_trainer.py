"""TRL's trainer for language modelling, quicker where a model is small."""

from collections.abc import Iterator
from random import Random
from typing import Any

from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils.data import Sampler
from trl import SFTTrainer

# Up to so many logits are made at once. TRL makes them in pieces, and again for the gradient:
# that saves memory where there are very many, and costs a sixth of the time where there are few.
FEW_LOGITS = 2**25


class PretrainTrainer(SFTTrainer):
    """Batches of rows of like length, so that little is computed for padding."""

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler:
        dataset: Any = train_dataset or self.train_dataset
        lengths = [len(ids) for ids in dataset["input_ids"]]
        batch = self.args.train_batch_size * self.args.gradient_accumulation_steps
        return ByLength(lengths, batch, self.args.seed)

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        vocabulary = self.accelerator.unwrap_model(model).config.vocab_size
        if inputs["labels"].numel() * vocabulary > FEW_LOGITS:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        mask = inputs["attention_mask"]
        outputs = model(input_ids=inputs["input_ids"], attention_mask=mask, use_cache=False)
        logits = outputs.logits[:, :-1].flatten(0, 1).float()
        labels = inputs["labels"][:, 1:].flatten()
        learnt = (labels != -100).sum()
        total = learnt if num_items_in_batch is None else num_items_in_batch
        loss = cross_entropy(logits, labels, ignore_index=-100, reduction="sum") / total
        self._count(model.training, mask, (logits.argmax(-1) == labels).sum() / learnt)
        return (loss, outputs) if return_outputs else loss

    def _count(self, training: bool, mask: Tensor, accuracy: Tensor) -> None:
        """What TRL's own loss would have noted."""
        noted = self._metrics["train" if training else "eval"]
        noted["mean_token_accuracy"].append(accuracy.item())
        if training:
            self._total_train_tokens += int(mask.sum())
        noted["num_tokens"] = [self._total_train_tokens]


class ByLength(Sampler):
    """transformers has such a sampler, but its order changes when a run is resumed."""

    def __init__(self, lengths: list[int], batch: int, seed: int) -> None:
        self.lengths, self.batch, self.seed, self.epoch = lengths, batch, seed, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        return iter(by_length(self.lengths, self.batch, f"{self.seed} {self.epoch}"))


def by_length(lengths: list[int], batch: int, seed: str) -> list[int]:
    """A shuffled order of all rows in which those of one batch are of like length."""
    rng = Random(seed)
    order = list(range(len(lengths)))
    rng.shuffle(order)
    batches = []
    for start in range(0, len(order), 16 * batch):
        near = sorted(order[start : start + 16 * batch], key=lengths.__getitem__)
        batches += [near[at : at + batch] for at in range(0, len(near), batch)]
    last = [batches.pop()] if batches and len(batches[-1]) < batch else []  # stays the last
    rng.shuffle(batches)
    return [row for one in batches + last for row in one]
