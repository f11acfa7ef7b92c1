"""Where everything that is not in the database lives, and the embedded database itself.

`TRUING_HOME`, else `/var/lib/truing` for root, else `~/.local/share/truing` (`XDG_DATA_HOME`).
"""

import os
import secrets
import stat
from pathlib import Path

# Root's data can lie where no other user may look; the embedded server, which never runs as
# root, finds its files here.
OF_ROOT = Path("/var/lib/truing")


def home() -> Path:
    """The folder of this installation; it may not be there yet."""
    chosen = os.environ.get("TRUING_HOME", "")
    if chosen:
        return Path(os.path.abspath(Path(chosen).expanduser()))  # noqa: PTH100  links stay links
    if os.geteuid() == 0:
        return OF_ROOT
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser() / "truing"


def folder(*names: str) -> Path:
    """A folder in there, made for its owner alone if it is missing."""
    make(home(), mode=0o711 if os.geteuid() == 0 else 0o700)
    path = home()
    for name in names:
        path = path / name
        make(path, mode=0o700)
    return path


def make(path: Path, *, mode: int) -> None:
    """Make a folder with exactly this mode; one that is there keeps the mode it has."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir()
    except FileExistsError:
        if not path.is_dir():
            raise SystemExit(f"{path} is in the way: a folder is needed there.") from None
    except OSError as problem:
        raise SystemExit(f"{path} cannot be made: {problem.strerror}. Set TRUING_HOME.") from None
    else:
        path.chmod(mode)


def secret_key() -> str:
    """The key that signs sessions and links: made once, readable by its owner alone."""
    file = folder() / "secret_key"
    if not file.exists():
        draft = file.with_name(f"secret_key.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_urlsafe(48))
        # Two processes may start at once: the first link stays, and both read the same key.
        try:
            os.link(draft, file)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise SystemExit(f"{file} can be read by others. Make it private: chmod 600 {file}")
    return file.read_text()
