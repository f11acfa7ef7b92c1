"""What the processes without Django share: silence, the wish to stop, one sentence at the end."""

import ctypes
import errno
import os
import shutil
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event
from types import FrameType

from truing.errors import Refused

# What is written here is given back when the disk is full, so that the sentence finds room.
RESERVE_BYTES = 64 * 1024
FULL = "The disk is full: make room, and start the run again. Its checkpoints are kept."
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # glibc's numbers
INTERRUPTED = 128 + signal.SIGTERM


def be_quiet() -> None:
    """No library sends anything anywhere, nor draws progress bars. Before they are imported."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["DO_NOT_TRACK"] = "1"
    os.environ["HF_HUB_OFFLINE"] = "0" if os.environ.get("TRUING_ALLOW_HUB") == "1" else "1"
    os.environ["WANDB_DISABLED"] = "true"
    os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    os.environ["HF_DATASETS_DISABLE_PROGRESS_BARS"] = "1"
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    os.environ["TQDM_DISABLE"] = "1"
    # A process computes on one GPU; TRL refuses to start where it sees several.
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")
    # What will change in a library some day is not for the person who reads the log.
    warnings.simplefilter("ignore", FutureWarning)


def start_fast() -> None:
    """Leave out what only costs time at the start. For a process that does nothing else."""
    # transformers imports it, where it is, for models that find objects in pictures.
    sys.modules["scipy"] = None  # type: ignore[assignment]


def keep_memory() -> None:
    """Have glibc keep freed memory, and not map each large tensor anew: a seventh of the time.

    A step on a CPU asks for the same blocks as the one before, and the kernel would have to
    clear each page again.
    """
    with suppress(OSError, AttributeError):  # another C library has no such setting
        library = ctypes.CDLL(None)
        library.mallopt(M_MMAP_THRESHOLD, 2**30)
        library.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def heed_sigterm() -> Event:
    """An event that is set when this process is told to end, which it then does by itself."""
    asked = Event()

    def ask(number: int, frame: FrameType | None) -> None:
        asked.set()

    signal.signal(signal.SIGTERM, ask)
    return asked


def run(folder: Path, work: Callable[[], int]) -> int:
    """Do the work and return its exit status; leave a sentence in problem.txt when it fails."""
    keep_memory()
    reserve, problem = folder / ".reserve", folder / "problem.txt"
    problem.unlink(missing_ok=True)
    try:
        reserve.write_bytes(bytes(RESERVE_BYTES))
        return work()
    except Exception as error:
        sentence = FULL if _is_full(folder) else sentence_for(error)
        with suppress(OSError):  # the log may be on the full disk too
            traceback.print_exc()
        for leftover in _half_written(folder):
            shutil.rmtree(leftover, ignore_errors=True)
        reserve.unlink(missing_ok=True)
        problem.write_text(sentence + "\n", encoding="utf-8")
        return 1
    finally:
        reserve.unlink(missing_ok=True)
        sys.stdout.flush()


def _is_full(folder: Path) -> bool:
    """Torch does not always say so, but goes on after a failed write and stumbles later."""
    return shutil.disk_usage(folder).free < RESERVE_BYTES


def _half_written(folder: Path) -> Iterator[Path]:
    yield folder / "checkpoints" / "unfinished"
    yield folder / "model.unfinished"


def sentence_for(error: BaseException) -> str:
    """What a person should read about this error."""
    if isinstance(error, Refused):
        return str(error)
    seen = list(_chain(error))
    text = " ".join(str(item) for item in seen)
    if any(isinstance(item, OSError) and item.errno in _FULL for item in seen) or any(
        words in text for words in _FULL_WORDS
    ):
        return FULL
    if any(isinstance(item, MemoryError) for item in seen) or any(
        words in text.lower() for words in _MEMORY_WORDS
    ):
        return (
            "There is not enough memory: try a smaller batch_size, with more "
            "gradient_accumulation, or a smaller max_length."
        )
    kind = type(error).__name__
    first = next(iter(str(error).strip().splitlines()), "")
    return f"It ended with an error that nobody foresaw ({kind}: {first[:200]}); see the log."


_FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
# What torch and safetensors say instead of raising an OSError.
_FULL_WORDS = (
    "No space left on device",
    "File too large",
    "Disk quota",
    "file write failed",
    "unexpected pos",
)
_MEMORY_WORDS = ("out of memory", "can't allocate memory", "cannot allocate memory", "bad_alloc")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
