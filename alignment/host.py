"""The process that serves a checkpoint: `python -m alignment.host FOLDER`. It knows no Django.

Reads FOLDER/run.json, and answers OpenAI-style requests by what `transformers serve` runs, on this
machine alone. The port is the system's to choose; the server's log says which.
"""

from alignment.process import be_quiet, run

be_quiet()  # before any library can be imported

import json  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

from truing.errors import Refused  # noqa: E402

LOOPBACK = "127.0.0.1"


class NoModel(Refused):
    """The files of the checkpoint are gone: there is no model where it was."""


class CannotServe(Refused):
    """Serving a checkpoint needs more packages: pip install "truing[train,serve]"."""


def host(folder: Path) -> int:
    """Serve the model of the folder until told to end."""
    given = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    place = folder / given["model"]
    if place.is_symlink() and not (place / "config.json").exists():
        raise NoModel
    try:
        import fastapi  # noqa: F401
        import uvicorn  # noqa: F401
        from transformers.cli.serve import Serve
    except ImportError as problem:
        raise CannotServe(f"{CannotServe.__doc__} ({problem})") from None
    # The class, not the command: the command asks the internet whether it is out of date.
    Serve(
        force_model=given["model"],
        host=LOOPBACK,
        port=0,
        device=given["device"],
        trust_remote_code=False,
        log_level="warning",
    )
    return 0


if __name__ == "__main__":
    place = Path(sys.argv[1])
    sys.exit(run(place, lambda: host(place)))
