"""What goes into a process's folder before it starts: run.json, and the data it reads."""

import json
import shutil
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from django.conf import settings

from alignment.models import Checkpoint, Generation, Process, Run, Serving
from annotation.exports import EXPORTS
from annotation.freeze import rows_of
from annotation.models import DatasetVersion, Prompt
from truing import home

SMOKE_PROMPTS = 4
MARK = "packed.txt"  # written last: with it, the folder is whole and is this process's


def pack(process: Process) -> None:
    """Write what the process is given. Once done it is left alone, however often it is asked."""
    folder, stamp = process.folder, _stamp(process)
    mark = folder / MARK
    if mark.exists() and mark.read_text(encoding="utf-8") == stamp:
        return
    # Half written, or left by a process of the same number in an earlier database.
    if folder.exists():
        shutil.rmtree(folder)
    home.make(settings.TRUING_HOME, mode=0o700)
    home.make(folder.parent, mode=0o700)
    home.make(folder, mode=0o700)
    if isinstance(process, Run):
        given = _pack_run(process)
    elif isinstance(process, Serving):
        given = _pack_serving(process)
    else:
        given = _pack_generation(process)
    (folder / "run.json").write_text(
        json.dumps(given, ensure_ascii=False, indent=1), encoding="utf-8"
    )
    mark.write_text(stamp, encoding="utf-8")


def _stamp(process: Process) -> str:
    return f"{process._meta.model_name} {process.pk}, asked for at {process.created_at.isoformat()}"


def _pack_run(run: Run) -> dict[str, Any]:
    versions = list(run.datasets.select_related("dataset__project").order_by("pk"))
    return {
        "method": run.method,
        "options": run.options,
        "base": _path(run.base),
        "reward": _path(run.reward),
        "train": _write_rows(run, versions, Prompt.Split.TRAIN),
        "eval": _write_rows(run, versions, Prompt.Split.EVAL),
        "smoke_prompts": list(_smoke_prompts(run)),
    }


def _path(checkpoint: Checkpoint | None) -> str | None:
    return checkpoint.path if checkpoint else None


def _write_rows(run: Run, versions: list[DatasetVersion], split: str) -> str | None:
    """Write one side of the data as the method reads it. No file where there are no rows."""
    export = EXPORTS[run.training_method.reads]
    file = run.folder / f"{split}.jsonl"
    with file.open("w", encoding="utf-8") as stream:
        found = chain.from_iterable(rows_of(version, split) for version in versions)
        for row in export.rows(found):
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
    if file.stat().st_size:
        return file.name
    file.unlink()
    return None


def _smoke_prompts(run: Run) -> Iterator[Any]:
    """A few prompts of the project that it is not trained on, where there are some."""
    prompts = Prompt.objects.filter(project=run.project)
    for side in (Prompt.Split.EVAL, Prompt.Split.TRAIN):
        found = list(prompts.on_side(side).order_by("pk")[:SMOKE_PROMPTS])
        if found:
            return (prompt.messages for prompt in found)
    return iter(())


def _pack_generation(generation: Process) -> dict[str, Any]:
    assert isinstance(generation, Generation)
    _write_prompts(generation.prompts, generation.folder / "prompts.jsonl")
    return {
        "model": generation.checkpoint.path,
        "samples": generation.samples,
        **generation.params,
    }


def _pack_serving(serving: Serving) -> dict[str, Any]:
    checkpoint = serving.checkpoint
    if checkpoint.is_on_hub:
        return {"model": checkpoint.path, "device": "auto"}
    # Its path is nobody's business. A server refuses requests for other names: so none reaches
    # another model of ours that has been given the port of this one.
    name = f"checkpoint-{checkpoint.pk}"
    (serving.folder / name).symlink_to(checkpoint.folder)
    return {"model": name, "device": "auto"}


def served_as(serving: Serving) -> str:
    """What its server calls the model."""
    given = json.loads((serving.folder / "run.json").read_text(encoding="utf-8"))
    return str(given["model"])


def _write_prompts(keys: list[int], file: Path) -> None:
    found = Prompt.objects.filter(pk__in=keys).order_by("pk").values_list("pk", "messages")
    with file.open("w", encoding="utf-8") as stream:
        for key, messages in found.iterator(chunk_size=1000):
            line = json.dumps({"id": key, "messages": messages}, ensure_ascii=False)
            stream.write(line + "\n")
