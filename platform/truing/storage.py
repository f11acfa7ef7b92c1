"""Files that never change, named by what they contain."""

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from truing.errors import Refused

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class DiskFull(Refused):
    """There is no room left on the disk. Nothing was kept."""

    status = 507


class FileMissing(Refused):
    """A file of this installation is missing on the disk."""

    status = 500


@contextmanager
def room_or_refusal() -> Iterator[None]:
    """Turn "no space left" into a refusal."""
    try:
        yield
    except OSError as problem:
        if problem.errno in NO_ROOM:
            raise DiskFull from problem
        raise


@contextmanager
def draft() -> Iterator[Path]:
    """A place to write a file before it is kept. Whatever is left there afterwards is deleted."""
    with room_or_refusal():
        drafts = _folder("drafts")
        path = drafts / f"{os.getpid()}-{secrets.token_hex(8)}"
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)


def keep(written: Path, *, suffix: str = "") -> str:
    """Move a finished draft to its place, and return its name: the SHA-256 of the content."""
    with room_or_refusal():
        with written.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        name = digest + suffix
        path = path_of(name)
        _folder(name[:2])
        written.chmod(0o600)
        written.replace(path)
        _sync_folder(path.parent)
    return name


def keep_bytes(content: bytes, *, suffix: str = "") -> str:
    with draft() as path:
        path.write_bytes(content)
        return keep(path, suffix=suffix)


def path_of(name: str) -> Path:
    """Where the file of that name stands."""
    return Path(settings.FILES) / name[:2] / name


def existing(name: str) -> Path:
    """The same, for reading; refused when somebody has taken the file away."""
    path = path_of(name)
    if not path.is_file():
        raise FileMissing(f"The file {name} is missing under {settings.FILES}.")
    return path


def _folder(name: str) -> Path:
    folder = Path(settings.FILES) / name
    for path in (folder.parent, folder):
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
