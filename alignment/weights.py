"""What a model's folder says of itself. Nothing is loaded, and no code of its own is ever run."""

import json
import re
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from truing.errors import Invalid

HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
HEADER_LIMIT = 100_000_000  # bytes, as the safetensors library has it


class NoModel(Invalid):
    """There is no model there."""


@dataclass(frozen=True)
class Weights:
    """What is known of a model without loading it."""

    kind: str  # "policy" or "reward"
    architecture: str
    parameters: int
    size_bytes: int


def is_hub_name(path: str) -> bool:
    """Whether this reads like a name on the Hugging Face hub, such as owner/model."""
    return bool(HUB_NAME.fullmatch(path)) and ".." not in path and "--" not in path


def kind_of(architecture: str) -> str:
    """What such a model is for; nothing when it is neither."""
    if architecture.endswith(("ForCausalLM", "LMHeadModel")):
        return "policy"
    return "reward" if architecture.endswith("ForSequenceClassification") else ""


def weigh(folder: Path) -> Weights:
    """Read a model's folder. Raises NoModel with one sentence when it is none."""
    if not folder.is_dir():
        raise NoModel(f"There is no model at {folder}.")
    config = _config(folder / "config.json")
    if config.get("auto_map"):
        raise NoModel(
            f"The model in {folder} needs code of its own (“auto_map”), which is never run."
        )
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise NoModel(f"The model in {folder} has no safetensors weights, and no other are read.")
    names = config.get("architectures") or [""]
    architecture = str(names[0]) if isinstance(names, list) else ""
    kind = kind_of(architecture)
    if not kind:
        raise NoModel(
            f"The model in {folder} is a {architecture or 'model without a name'}: it is neither "
            "a language model (…ForCausalLM) nor a reward model (…ForSequenceClassification)."
        )
    return Weights(
        kind=kind,
        architecture=architecture,
        parameters=sum(_parameters(file) for file in files),
        size_bytes=sum(file.stat().st_size for file in folder.iterdir() if file.is_file()),
    )


def _config(file: Path) -> dict[str, Any]:
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NoModel(f"{file.parent} holds no model: it has no config.json.") from None
    except (OSError, ValueError):
        config = None
    if not isinstance(config, dict):
        raise NoModel(f"{file} cannot be read as a model's configuration.")
    return config


def _parameters(file: Path) -> int:
    """How many numbers are in a file, as its header says."""
    try:
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if length > HEADER_LIMIT:
                raise ValueError
            header = json.loads(stream.read(length))
            tensors = [value for name, value in header.items() if name != "__metadata__"]
            return sum(prod(tensor["shape"]) for tensor in tensors)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise NoModel(f"{file} cannot be read as safetensors.") from None
