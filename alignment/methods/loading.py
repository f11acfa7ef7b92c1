"""How models and tokenizers come from disk and go back: safetensors only, no foreign code."""

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alignment.weights import NoModel, is_hub_name, weigh

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Messages = list[dict[str, str]]

# For models that bring no chat template. The end of an answer is a token of its own, so that
# nothing comes after it that a model would have to learn.
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}{{ 'User: ' + message['content'] + '\n' }}"
    "{% elif message['role'] == 'assistant' %}"
    "{{ 'Assistant: ' + message['content'] + eos_token }}"
    "{% else %}{{ message['content'] + '\n' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)


def check_model(path: Path, *, kind: str) -> None:
    """Refuse what holds no model of this kind ("policy" or "reward")."""
    if os.environ.get("HF_HUB_OFFLINE") == "0" and not path.exists() and is_hub_name(str(path)):
        return  # whether there is such a model, the hub says
    weights = weigh(path)
    if weights.kind != kind:
        what = {"policy": "a language model", "reward": "a reward model"}[kind]
        raise NoModel(f"The model in {path} is not {what} (it is a {weights.architecture}).")


def to_device(model: "PreTrainedModel") -> "PreTrainedModel":
    """The model on the GPU, where there is one."""
    import torch

    module: torch.nn.Module = model
    module.to("cuda" if torch.cuda.is_available() else "cpu")
    return model


def has_bf16() -> bool:
    """Whether to compute in bfloat16: on a GPU that has it. CPUs stay with float32."""
    import torch

    return torch.cuda.is_available() and torch.cuda.is_bf16_supported()


def use_all_cores() -> int:
    """Let torch use every core that this process may run on, or what OMP_NUM_THREADS says."""
    import torch

    if not os.environ.get("OMP_NUM_THREADS"):
        torch.set_num_threads(len(os.sched_getaffinity(0)))
    return torch.get_num_threads()


def tokenizer_of(path: Path) -> "PreTrainedTokenizerBase":
    """The model's tokenizer, with a chat template and a padding token that is not its end."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(str(path), trust_remote_code=False)
    except Exception as error:  # the tokenizers library has no other class for a broken file
        raise NoModel(f"The tokenizer of {path} cannot be read: {_first_line(error)}") from None
    if tokenizer.eos_token is None:
        raise NoModel(f"The tokenizer of {path} has no token for the end of a text.")
    # A model whose padding is its end may learn never to end, or to say nothing.
    if tokenizer.pad_token is None or tokenizer.pad_token == tokenizer.eos_token:
        tokenizer.pad_token = _unused_token(tokenizer)
    if not tokenizer.chat_template:
        tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def _unused_token(tokenizer: "PreTrainedTokenizerBase") -> str:
    """A token that can stand for padding; a new one where there is none."""
    names = [str(token) for token in tokenizer.added_tokens_decoder.values()]
    for name in names:
        if "pad" in name.lower() and name != tokenizer.eos_token:
            return name
    if tokenizer.unk_token and tokenizer.unk_token not in (tokenizer.eos_token, None):
        return str(tokenizer.unk_token)
    tokenizer.add_special_tokens({"pad_token": "<|pad|>"})
    return "<|pad|>"


def rendered(tokenizer: "PreTrainedTokenizerBase", prompt: Messages | str) -> str:
    """The conversation as a model reads it, up to where it is to answer."""
    if isinstance(prompt, str):
        return prompt
    return str(tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True))


def room_of(path: Path) -> int | None:
    """How many tokens this model reads at most; None where nothing limits it."""
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(str(path), trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise NoModel(f"The model in {path} cannot be read: {_first_line(error)}") from None
    room = getattr(config.get_text_config(), "max_position_embeddings", None)
    return room if isinstance(room, int) and room > 0 else None


def policy_of(
    path: Path, tokenizer: "PreTrainedTokenizerBase", *, dtype: "torch.dtype | None" = None
) -> "PreTrainedModel":
    """The language model in this folder, in float32 unless said otherwise."""
    import torch
    from transformers import AutoModelForCausalLM

    check_model(path, kind="policy")
    model = _read(AutoModelForCausalLM, path, dtype=dtype or torch.float32)
    _agree(model, tokenizer)
    return model


def reward_of(
    path: Path,
    tokenizer: "PreTrainedTokenizerBase",
    *,
    dtype: "torch.dtype | None" = None,
    new_head: bool = False,
) -> "PreTrainedModel":
    """The reward model in this folder; with `new_head`, a language model made into one."""
    import torch
    from transformers import AutoModelForSequenceClassification

    check_model(path, kind="policy" if new_head else "reward")
    model = _read(
        AutoModelForSequenceClassification, path, dtype=dtype or torch.float32, num_labels=1
    )
    _agree(model, tokenizer)
    return model


def _read(auto: Any, path: Path, **settings: Any) -> "PreTrainedModel":
    from safetensors import SafetensorError

    try:
        model: PreTrainedModel = auto.from_pretrained(
            str(path), use_safetensors=True, trust_remote_code=False, **settings
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        if "memory" in str(error).lower():
            raise  # it could be read on a larger machine
        raise NoModel(f"The model in {path} cannot be read: {_first_line(error)}") from None
    return model


def _agree(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> None:
    """Give the model the tokenizer's tokens for padding and end."""
    embeddings: Any = model.get_input_embeddings()
    if len(tokenizer) > embeddings.weight.shape[0]:
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    # A reward model finds the last token of a text by it.
    model.config.pad_token_id = tokenizer.pad_token_id
    if model.can_generate():
        model.generation_config.pad_token_id = tokenizer.pad_token_id
        if model.generation_config.eos_token_id is None:
            model.generation_config.eos_token_id = tokenizer.eos_token_id


def save(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", folder: Path) -> None:
    """Leave model and tokenizer in this folder, which appears when all of it is written."""
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    model.save_pretrained(unfinished)
    tokenizer.save_pretrained(unfinished)
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
