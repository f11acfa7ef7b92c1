"""Static files as the web serves them: compressed, and kept by browsers until they change.

They are served from where they stand. A page asks for a file with its version (`?v=`), so a
browser may keep it for ever; the compressed copy is made when somebody first asks, and lies in
TRUING_HOME. Nothing has to be collected, and nothing is compressed twice.
"""

import gzip
import hashlib
import os
import tempfile
from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

FOREVER = "max-age=31536000, public, immutable"
COMPRESSIBLE = {".css", ".js", ".json", ".map", ".svg", ".txt", ".html"}
# What fits into one packet gains nothing.
COMPRESSED_FROM_BYTES = 1000


class VersionedStorage(StaticFilesStorage):
    """Names a static file together with its version."""

    def url(self, name: str | None) -> str:
        version = version_of(name or "")
        return super().url(name) + (f"?v={version}" if version else "")


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """Serves static files, and makes each ready when it is first asked for."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        url = request.path_info
        if url not in self.files:
            return self.get_response(request)
        if isinstance(self.files[url], str):
            self.files[url] = self._ready(self.files[url], url)
        response: HttpResponse = self.serve(self.files[url], request)
        version = request.GET.get("v")
        if version and version == version_of(url.removeprefix(self.static_prefix)):
            response.headers["Cache-Control"] = FOREVER
        return response

    def add_file_to_dictionary(self, url: str, path: str, stat_cache: object = None) -> None:
        # Only noted: a command that serves no page should not wait for it.
        self.files[url] = path

    def _ready(self, path: str, url: str) -> StaticFile:
        file = Path(path)
        # What the file holds names it: its time says nothing after an installation.
        headers = [("ETag", f'"{_digest(file)}"'), *self._headers(path, url)]
        encodings = {}
        if file.suffix in COMPRESSIBLE and file.stat().st_size >= COMPRESSED_FROM_BYTES:
            encodings["gzip"] = str(compressed(file))
        return StaticFile(path, headers, encodings=encodings)

    def _headers(self, path: str, url: str) -> list[tuple[str, str]]:
        headers = self.get_static_file(path, url).alternatives[-1][2]
        own = {"Content-Type", "Cache-Control", "Access-Control-Allow-Origin"}
        return [(name, value) for name, value in headers if name in own]


@cache
def version_of(name: str) -> str:
    """The version of a static file by its name; nothing where there is none of that name."""
    path = finders.find(name)
    return _digest(Path(path))[:12] if isinstance(path, str) and Path(path).is_file() else ""


def compressed(file: Path) -> Path:
    """The compressed copy of a file, made once for all processes and starts."""
    folder = Path(settings.TRUING_HOME) / "static"
    copy = folder / f"{_digest(file)}.gz"
    if copy.is_file():
        return copy
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder)
    with os.fdopen(handle, "wb") as target:
        target.write(gzip.compress(file.read_bytes(), 9, mtime=0))
    # Whoever else makes it in this moment makes the same.
    Path(name).replace(copy)
    return copy


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
