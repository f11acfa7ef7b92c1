"""The scoring process: `python -m alignment.score FOLDER`. It knows no Django.

Reads FOLDER/run.json ({"model": folder of a reward model}) and rows.jsonl ({"id", "messages"},
the last message being the answer); leaves scores.jsonl ({"id", "score"}), higher being better.
"""

from alignment.process import be_quiet, run

be_quiet()  # before any library can be imported

import json  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

BATCH_ROWS = 64


def score(folder: Path) -> int:
    """Score every row of the folder. Returns the exit status of the process."""
    import torch

    from alignment.methods.loading import (
        check_model,
        reward_of,
        to_device,
        tokenizer_of,
        use_all_cores,
    )

    given = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    path = Path(given["model"])
    check_model(path, kind="reward")
    use_all_cores()
    tokenizer = tokenizer_of(path)
    tokenizer.padding_side = "right"
    model = to_device(reward_of(path, tokenizer)).eval()
    # Line by line: splitlines() would also cut at separators that stand inside a text.
    with (folder / "rows.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    with (folder / "scores.jsonl").open("w", encoding="utf-8") as file, torch.inference_mode():
        for start in range(0, len(rows), BATCH_ROWS):
            batch = rows[start : start + BATCH_ROWS]
            texts = [
                str(tokenizer.apply_chat_template(row["messages"], tokenize=False)) for row in batch
            ]
            read = tokenizer(
                texts,
                return_tensors="pt",
                padding=True,
                add_special_tokens=False,
                return_token_type_ids=False,
            ).to(model.device)
            for row, value in zip(batch, model(**read).logits[:, 0].tolist(), strict=True):
                file.write(json.dumps({"id": row["id"], "score": value}) + "\n")
    return 0


if __name__ == "__main__":
    place = Path(sys.argv[1]).resolve()
    sys.exit(run(place, lambda: score(place)))
