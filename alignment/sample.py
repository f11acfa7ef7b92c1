"""The sampling process: `python -m alignment.sample FOLDER`. It knows no Django.

Reads FOLDER/run.json and prompts.jsonl; appends the answers to outputs.jsonl, whole lines at a
time. The same command in the same folder goes on after the last one, with the same answers as
without the interruption: each batch has a seed of its own.
"""

from alignment.process import INTERRUPTED, be_quiet, heed_sigterm, run, start_fast

be_quiet()  # before any library can be imported

import json  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from pathlib import Path  # noqa: E402
from threading import Event  # noqa: E402
from typing import TYPE_CHECKING, Any  # noqa: E402

from truing.options import build, option  # noqa: E402

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Messages = list[dict[str, str]]


@dataclass(frozen=True)
class Sampling:
    """How answers are drawn from a model."""

    samples: int = option(1, "How many answers a prompt gets.", min_value=1, max_value=64)
    temperature: float = option(
        1.0,
        "How freely words are drawn; 0 always takes the likeliest.",
        min_value=0,
        max_value=10,
    )
    top_p: float = option(
        1.0, "Draw from the likeliest words that make up this share.", min_value=0.01, max_value=1
    )
    max_new_tokens: int = option(
        256, "How many tokens an answer has at most.", min_value=1, max_value=100_000
    )
    seed: int = option(0, "The same seed gives the same answers.", min_value=0, max_value=2**31 - 1)
    batch_size: int = option(
        128, "How many answers are written at once.", min_value=1, max_value=65_536
    )


def sample(folder: Path, stop: Event | None = None) -> int:
    """Answer every prompt of the folder. Returns the exit status of the process."""
    from alignment.methods.loading import check_model, has_bf16, policy_of, to_device, tokenizer_of

    stop = stop or Event()
    given = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    path = Path(given.pop("model"))
    options = build(Sampling, given)
    check_model(path, kind="policy")
    (folder / "cancelled.txt").unlink(missing_ok=True)
    # Line by line: splitlines() would also cut at separators that stand inside a prompt.
    with (folder / "prompts.jsonl").open(encoding="utf-8") as lines:
        prompts = [json.loads(line) for line in lines]
    done = _already_answered(folder / "outputs.jsonl")
    if all(prompt["id"] in done for prompt in prompts):
        return 0

    import torch

    from alignment.methods.loading import use_all_cores

    use_all_cores()
    tokenizer = tokenizer_of(path)
    model = policy_of(path, tokenizer, dtype=torch.bfloat16 if has_bf16() else torch.float32)
    to_device(model).eval()
    for number, batch in enumerate(_batches(prompts, options)):
        if stop.is_set() or (folder / "cancel").exists():
            return _stopped(folder)
        missing = [prompt for prompt in batch if prompt["id"] not in done]
        if missing:
            # From the seed and the batch alone, so that it does not matter what came before.
            torch.manual_seed(options.seed * 1_000_003 + number)
            texts = complete(model, tokenizer, [prompt["messages"] for prompt in batch], options)
            _append(folder, batch, texts, done)
        _report(folder, done=len(done), total=len(prompts))
    return 0


def complete(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    prompts: list[Messages],
    options: Sampling,
) -> list[list[str]]:
    """The model's answers to each of these conversations, as many as are asked for."""
    import torch

    from alignment.methods.loading import rendered

    texts = [rendered(tokenizer, prompt) for prompt in prompts]
    room = getattr(model.config, "max_position_embeddings", None) or 1_000_000
    tokenizer.padding_side = tokenizer.truncation_side = "left"  # the end of a prompt is asked
    asked = tokenizer(
        texts,
        return_tensors="pt",
        padding=True,
        truncation=True,
        # A prompt keeps half of the room at least: an answer to its last word is none.
        max_length=room - min(options.max_new_tokens, room // 2),
        add_special_tokens=False,
        return_token_type_ids=False,
    ).to(model.device)
    width = asked["input_ids"].shape[1]
    with torch.inference_mode():
        model.generation_config = _drawing(model, tokenizer, options, room - width)
        generate: Any = model.generate
        written = generate(**asked)
    answers = tokenizer.batch_decode(written[:, width:], skip_special_tokens=True)
    each = len(answers) // len(prompts)
    copies = options.samples // each  # the likeliest answer is always the same
    return [
        [answer.strip() for answer in answers[start : start + each]] * copies
        for start in range(0, len(answers), each)
    ]


def _drawing(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", options: Sampling, room: int
) -> Any:
    """How to draw, and nothing else: a model's own settings (a top_k, say) do not mix in."""
    from transformers import GenerationConfig

    ends = model.generation_config.eos_token_id
    settings: dict[str, Any] = {"do_sample": False}
    if options.temperature:
        settings = {
            "do_sample": True,
            "temperature": options.temperature,
            "top_p": options.top_p,
            "top_k": 0,
            "num_return_sequences": options.samples,
        }
    return GenerationConfig(
        **settings,
        max_new_tokens=min(options.max_new_tokens, room),
        eos_token_id=tokenizer.eos_token_id if ends is None else ends,
        pad_token_id=tokenizer.pad_token_id,
    )


def _batches(prompts: list[dict[str, Any]], options: Sampling) -> list[list[dict[str, Any]]]:
    """Prompts of like length together, so that little is computed for padding."""

    def length(prompt: dict[str, Any]) -> int:
        return sum(len(message["content"]) for message in prompt["messages"])

    ordered = sorted(prompts, key=length)
    size = max(1, options.batch_size // options.samples)
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


def _already_answered(file: Path) -> set[Any]:
    """The ids that have answers. A last line that was cut in two is deleted."""
    if not file.exists():
        return set()
    content = file.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        file.write_bytes(whole)
    return {json.loads(line)["id"] for line in whole.splitlines()}


def _append(
    folder: Path, batch: list[dict[str, Any]], texts: list[list[str]], done: set[Any]
) -> None:
    lines = [
        json.dumps({"id": prompt["id"], "texts": answers}, ensure_ascii=False) + "\n"
        for prompt, answers in zip(batch, texts, strict=True)
        if prompt["id"] not in done
    ]
    with (folder / "outputs.jsonl").open("a", encoding="utf-8") as file:
        file.write("".join(lines))
    done.update(prompt["id"] for prompt in batch)


def _report(folder: Path, *, done: int, total: int) -> None:
    line = {"step": done, "total": total, "at": round(time.time(), 3)}
    with (folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def _stopped(folder: Path) -> int:
    if (folder / "cancel").exists():
        said = "It was cancelled; the answers so far are kept.\n"
        (folder / "cancelled.txt").write_text(said, encoding="utf-8")
        return 0
    return INTERRUPTED


if __name__ == "__main__":
    start_fast()
    place = Path(sys.argv[1]).resolve()
    asked = heed_sigterm()
    sys.exit(run(place, lambda: sample(place, asked)))
