"""Whether a model that was just made says anything at all, before people are asked to look."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from truing.errors import Refused

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

PROMPTS = 4
MAX_NEW_TOKENS = 64


class SaysNothing(Refused):
    """The trained model gives an empty answer to every prompt: it is not fit to be shown."""


class Broken(Refused):
    """The trained model computes no numbers any more: try a lower learning rate."""


def smoke(model_folder: Path, prompts: list[Any], train_file: Path | None) -> list[dict[str, Any]]:
    """Let the model answer a few prompts. Refuses one that is broken or says nothing."""
    import torch

    from alignment.methods.loading import policy_of, to_device, tokenizer_of
    from alignment.sample import Sampling, complete

    tokenizer = tokenizer_of(model_folder)
    model = to_device(policy_of(model_folder, tokenizer)).eval()
    asked = prompts[:PROMPTS] or _first_prompts(train_file)
    if not _is_finite(model, tokenizer):
        raise Broken
    torch.manual_seed(0)
    options = Sampling(temperature=0.7, max_new_tokens=MAX_NEW_TOKENS)
    answers = complete(model, tokenizer, asked, options)
    said = [
        {"prompt": prompt, "text": texts[0]} for prompt, texts in zip(asked, answers, strict=True)
    ]
    if not any(item["text"] for item in said):
        raise SaysNothing
    return said


def _is_finite(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> bool:
    import torch

    asked = torch.tensor([[tokenizer.eos_token_id] * 2], device=model.device)
    with torch.inference_mode():
        return bool(torch.isfinite(model(input_ids=asked).logits).all())


def _first_prompts(train_file: Path | None) -> list[list[dict[str, str]]]:
    """The prompts of the first training rows, for a run that names none."""
    found: list[list[dict[str, str]]] = []
    if train_file is not None:
        with train_file.open(encoding="utf-8") as lines:
            for line in lines:
                if len(found) == PROMPTS:
                    break
                if prompt := _prompt_of(json.loads(line)):
                    found.append(prompt)
    return found or [[{"role": "user", "content": "Hello"}]]


def _prompt_of(row: dict[str, Any]) -> list[dict[str, str]]:
    if isinstance(row.get("prompt"), str):
        return [{"role": "user", "content": row["prompt"]}]
    if "prompt" in row:
        return list(row["prompt"])
    messages = row.get("messages") or []
    turns = [number for number, message in enumerate(messages) if message["role"] == "user"]
    return messages[: turns[0] + 1] if turns else []
