"""A tiny model made on the spot, and the folder of a run, so that training is tested for real."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ANIMALS = ("cat", "dog", "owl", "fox", "hen", "bee", "cow", "pig", "ant", "eel", "ape", "emu")

TINY = {"vocabulary": 300, "hidden_size": 32, "layers": 1, "heads": 2, "context": 128}


def asked(animal):
    return [{"role": "user", "content": f"What does the {animal} say?"}]


def answered(text):
    return [{"role": "assistant", "content": text}]


def preferences(count=48):
    """Short answers are preferred to shouted ones."""
    return [
        {
            "prompt": asked(animal := ANIMALS[number % len(ANIMALS)]),
            "chosen": answered(f"The {animal} says {number % 7}."),
            "rejected": answered(f"WHO CARES ABOUT THE {animal.upper()}!"),
        }
        for number in range(count)
    ]


def demonstrations(count=48):
    return [{"prompt": row["prompt"], "completion": row["chosen"]} for row in preferences(count)]


def conversations(count=48):
    return [{"messages": row["prompt"] + row["chosen"]} for row in preferences(count)]


def write_lines(file, rows):
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def run_folder(
    folder, method, options=None, *, train=None, eval=None, base=None, reward=None, smoke=None
):
    """The folder as the platform prepares it for `python -m alignment.train`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("train", train), ("eval", eval)):
        if rows is not None:
            write_lines(folder / f"{name}.jsonl", rows)
    given = {
        "method": method,
        "options": options or {},
        "base": str(base) if base else None,
        "reward": str(reward) if reward else None,
        "train": "train.jsonl" if train is not None else None,
        "eval": "eval.jsonl" if eval is not None else None,
        "smoke_prompts": smoke or [],
    }
    (folder / "run.json").write_text(json.dumps(given))
    return folder


def environment(**more):
    """What a backend gives such a process: no database, no secrets, one thread."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    paths = os.pathsep.join([str(ROOT), str(ROOT / "platform")])
    return kept | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"} | more


def start(module, folder, **more):
    """Start the process as a backend does: in its folder, its output in log.txt."""
    with (folder / "log.txt").open("a") as log:
        return subprocess.Popen(
            [sys.executable, "-m", f"alignment.{module}", str(folder)],
            cwd=folder,
            env=environment(**more),
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def run(module, folder, **more):
    """Run the process to its end and return its exit status."""
    return start(module, folder, **more).wait(timeout=300)


def lines(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def make_policy(folder):
    """A tiny model with random weights that knows the tests' language."""
    from transformers import set_seed

    from alignment.methods.loading import save
    from alignment.methods.new_model import new_llama, new_tokenizer

    texts = [message["content"] for row in conversations() for message in row["messages"]]
    tokenizer = new_tokenizer([*texts, "User: Assistant: WHO CARES ABOUT THE"], 300)
    set_seed(0)
    model = new_llama(tokenizer, hidden_size=32, layers=1, heads=2, feed_forward=64, context=128)
    save(model, tokenizer, folder)
    return folder


def make_reward(folder):
    """A tiny reward model with random weights and the same tokenizer."""
    from transformers import set_seed

    from alignment.methods.loading import reward_of, save, tokenizer_of

    policy = make_policy(folder.with_name("its-policy"))
    tokenizer = tokenizer_of(policy)
    set_seed(1)
    save(reward_of(policy, tokenizer, new_head=True), tokenizer, folder)
    return folder


def prompts(count=48):
    return [{"prompt": row["prompt"]} for row in preferences(count)]


# A few steps of each method, with a checkpoint on the way.
FEW_STEPS = {
    "pretrain": TINY | {"max_length": 128, "max_steps": 6, "batch_size": 8},
    "sft": {"max_steps": 6, "learning_rate": 1e-3},
    "reward": {"max_steps": 6, "learning_rate": 1e-3},
    "dpo": {"max_steps": 6, "learning_rate": 1e-3},
    "ppo": {
        "steps": 5,
        "rollout_size": 16,
        "minibatch_size": 8,
        "epochs": 2,
        "max_new_tokens": 12,
        "learning_rate": 1e-3,
    },
}
READS = {
    "pretrain": conversations,
    "sft": demonstrations,
    "reward": preferences,
    "dpo": preferences,
    "ppo": prompts,
}


def method_folder(folder, name, policy, reward, *, eval=False, **options):
    """A short run of this method."""
    rows = READS[name]()
    return run_folder(
        folder,
        name,
        FEW_STEPS[name] | {"save_every": 4} | options,
        train=rows,
        eval=rows[:7] if eval else None,
        base=None if name == "pretrain" else policy,
        reward=reward if name == "ppo" else None,
    )


def losses(folder):
    """What was learnt at each step, without the times at which it was written."""
    return [
        {key: value for key, value in line.items() if key != "at"}
        for line in lines(folder / "metrics.jsonl")
    ]


def steps(name, count, save_every):
    """The options that let this method take so many steps, with a checkpoint now and then."""
    return {"steps" if name == "ppo" else "max_steps": count, "save_every": save_every}
