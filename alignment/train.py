"""The training process: `python -m alignment.train FOLDER`. It knows no Django.

Reads FOLDER/run.json and its data files; leaves metrics.jsonl, checkpoints, model/, smoke.json
and result.json, or problem.txt. The same command in the same folder goes on from the last
whole checkpoint.
"""

from alignment.process import INTERRUPTED, be_quiet, heed_sigterm, run, start_fast

be_quiet()  # before any library can be imported

import json  # noqa: E402
import shutil  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from threading import Event  # noqa: E402
from typing import Any  # noqa: E402

from alignment.methods import METHODS, Method, checkpoints  # noqa: E402
from alignment.methods.base import Work  # noqa: E402
from alignment.weights import weigh  # noqa: E402
from truing.options import BadOption, build  # noqa: E402
from truing.plugins import plugin_named  # noqa: E402


def train(folder: Path, stop: Event | None = None) -> int:
    """Train what the folder asks for. Returns the exit status of the process."""
    given = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    method = plugin_named(METHODS, given["method"], "method")
    checkpoints.drop_unfinished(folder)
    for name in ("model", "model.unfinished"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in ("result.json", "smoke.json", "cancelled.txt"):
        (folder / name).unlink(missing_ok=True)
    resume = checkpoints.last_whole(folder)
    checkpoints.cut_metrics(folder, checkpoints.step_of(resume))
    if resume:
        sys.stdout.write(f"Going on from {resume.name}.\n")  # for the log
    work = Work(
        folder=folder,
        options=build(method.Options, given.get("options") or {}),
        train_file=_path(folder, given.get("train")),
        eval_file=_path(folder, given.get("eval")),
        base=Path(given["base"]) if given.get("base") else None,
        reward=Path(given["reward"]) if given.get("reward") else None,
        resume=resume,
        stop=stop or Event(),
    )
    check(method, work)
    last = method.train(work)
    if not (folder / "model").is_dir():
        return _stopped(work)
    finish(method, work, given, last)
    return 0


def check(method: Method, work: Work) -> None:
    """Refuse at once what could only fail, or have no effect, after models are loaded."""
    from alignment.methods.loading import check_model

    if method.needs_base and work.base is None:
        raise BadOption("This method needs a base model to start from.")
    if method.needs_reward and work.reward is None:
        raise BadOption("This method needs a reward model.")
    if problem := method.problem_with(
        work.options, has_base=work.base is not None, has_eval=work.eval_file is not None
    ):
        raise BadOption(problem)
    if work.base is not None:
        check_model(work.base, kind="policy")
    if work.reward is not None:
        check_model(work.reward, kind="reward")


def finish(method: Method, work: Work, given: dict[str, Any], last: dict[str, float]) -> None:
    """Try the model that was made, and write down how it went."""
    from alignment.smoke import smoke

    model = work.folder / "model"
    if method.makes == "policy":
        said = smoke(model, given.get("smoke_prompts") or [], work.train_file)
        _write(work.folder / "smoke.json", said)
    result = {name: round(value, 6) for name, value in last.items()}
    _write(work.folder / "result.json", result | _record(work, weigh(model).parameters))


def _record(work: Work, parameters: int) -> dict[str, float]:
    import time

    import torch

    seconds = round(time.time() - work.started, 1)
    return {"parameters": parameters, "seconds": seconds, "threads": torch.get_num_threads()}


def _stopped(work: Work) -> int:
    if (work.folder / "cancel").exists():
        said = "It was cancelled, and left a checkpoint.\n"
        (work.folder / "cancelled.txt").write_text(said, encoding="utf-8")
        return 0
    # Told to end by a signal, for instance because the machine goes down: not by a person.
    return INTERRUPTED


def _path(folder: Path, name: str | None) -> Path | None:
    return folder / name if name else None


def _write(file: Path, value: object) -> None:
    whole = file.with_suffix(".new")
    whole.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    whole.replace(file)


if __name__ == "__main__":
    start_fast()
    place = Path(sys.argv[1]).resolve()
    asked = heed_sigterm()
    sys.exit(run(place, lambda: train(place, asked)))
