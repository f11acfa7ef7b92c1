"""What of a dataset version can be taken along: its files, and its rows as trainers read them."""

import json
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from annotation.access import version_for
from annotation.export import CONTAINERS, format_for, lines_of, written_rows
from annotation.exports import EXPORTS
from annotation.measure import lengths_of
from annotation.models import DatasetVersion
from annotation.preview import SPLITS
from annotation.views.datasets import card_of, formats_measured
from annotation.write_parquet import write_parquet
from truing import storage
from truing.access import Role
from truing.http import Request, key_of
from truing.pages import render

PARQUET = "application/vnd.apache.parquet"
MEASURED = 200_000  # rows: so many are read while somebody waits
LONGEST = 1_000_000  # tokens that may be asked about
USUAL_LENGTH = 1024


@require_GET
@login_required
def download(
    request: Request, slug: str, name: str, number: int, format: str, split: str
) -> FileResponse | StreamingHttpResponse:
    """A split as a format writes it: lines of JSON as they are made, or a parquet file."""
    found = version_for(request, slug, name, number, at_least=Role.CURATOR)
    container = request.GET.get("container", "jsonl")
    known = split in found.manifest["files"] and format in EXPORTS and container in CONTAINERS
    if not known:
        raise Http404
    filename = f"{name}-{number}-{format}-{split}.{container}"
    if container == "parquet":
        return _attached(_as_parquet(found, format, split), filename)
    lines = lines_of(found, format, split)
    return _attached(StreamingHttpResponse(lines, content_type="application/x-ndjson"), filename)


@require_GET
@login_required
def download_file(
    request: Request, slug: str, name: str, number: int, file: str
) -> FileResponse | HttpResponse:
    """The version itself: its card, its manifest, or the parquet file of a split."""
    found = version_for(request, slug, name, number, at_least=Role.CURATOR)
    manifest = found.manifest
    if file == "manifest":
        text = json.dumps(manifest, indent=2, ensure_ascii=False)
        response = HttpResponse(text, content_type="application/json")
        return _attached(response, f"{name}-{number}-manifest.json")
    if file == "card":
        response = HttpResponse(card_of(manifest), content_type="text/markdown; charset=utf-8")
        return _attached(response, f"{name}-{number}-README.md")
    if file not in manifest["files"]:
        raise Http404
    stored = manifest["files"][file]["name"]
    opened = storage.existing(stored).open("rb")
    # Under the name that the card's header tells a reader to look for.
    return FileResponse(opened, as_attachment=True, filename=stored, content_type=PARQUET)


@require_GET
@login_required
def lengths(request: Request, slug: str, name: str, number: int) -> HttpResponse:
    """How many rows are longer than a trainer takes, by estimate."""
    found = version_for(request, slug, name, number, at_least=Role.CURATOR)
    fitting = formats_measured(found)
    format = request.GET.get("format", "")
    if format not in dict(fitting):
        format = fitting[0][0]
    asked = key_of(request.GET.get("length", "")) or USUAL_LENGTH
    measured = lengths_of(format_for(found, format), min(max(1, asked), LONGEST), None)
    rows = 0
    for split in SPLITS:
        if split in found.manifest["files"]:
            for row in islice(written_rows(found, format, split), MEASURED - rows):
                measured.add(split, row)
                rows += 1
    context = {
        "name": str(found),
        "version": found,
        "format": format,
        "length_formats": fitting,
        "length": measured.max_length,
        "measured": {
            "rows": rows,
            "is_cut": rows == MEASURED,
            "longest": measured.longest,
            "longer": [(one, measured.longer[one]) for one in SPLITS if one in measured.longer],
            "total": sum(measured.longer.values()),
        },
    }
    return render(request, "annotation/lengths.html", context, fragment="lengths")


def _as_parquet(version: DatasetVersion, format: str, split: str) -> FileResponse:
    """A file with columns has to be whole before it goes out; it is gone when it is sent."""
    export = format_for(version, format)
    with storage.room_or_refusal(), TemporaryDirectory() as folder:
        path = Path(folder) / "rows"
        rows = map(export.flat, written_rows(version, format, split))
        write_parquet(path, export.columns, rows)
        return FileResponse(path.open("rb"), content_type=PARQUET)


def _attached(response: Any, filename: str) -> Any:
    header = content_disposition_header(as_attachment=True, filename=filename)
    response.headers["Content-Disposition"] = header
    return response
