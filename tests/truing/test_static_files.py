"""Static files travel compressed, and a browser keeps them until they change."""

import gzip
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.templatetags.static import static

from truing import static_files

STYLE = "truing/truing.css"


@pytest.fixture(autouse=True)
def _a_home_of_its_own(settings, tmp_path):
    settings.TRUING_HOME = tmp_path


def read(response):
    return b"".join(response.streaming_content)


def raw(name):
    return Path(finders.find(name)).read_bytes()


def test_a_style_sheet_travels_compressed(client):
    response = client.get(static(STYLE), headers={"Accept-Encoding": "gzip, br"})
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Vary"] == "Accept-Encoding"
    body = read(response)
    assert len(body) == int(response.headers["Content-Length"]) < len(raw(STYLE)) / 3
    assert gzip.decompress(body) == raw(STYLE)


def test_who_cannot_unpack_gets_it_as_it_is(client):
    response = client.get(static(STYLE))
    assert "Content-Encoding" not in response.headers
    assert response.headers["Content-Type"].startswith("text/css")
    assert read(response) == raw(STYLE)


def test_a_file_asked_for_with_its_version_is_kept_for_ever(client):
    assert "?v=" in static(STYLE)
    assert "immutable" in client.get(static(STYLE)).headers["Cache-Control"]


@pytest.mark.parametrize("query", ["", "?v=", "?v=0123456789ab"])
def test_without_its_version_it_is_kept_for_an_hour(client, query):
    response = client.get(f"/static/{STYLE}{query}")
    assert response.headers["Cache-Control"] == "max-age=3600, public"


def test_what_a_browser_has_is_not_sent_again(client):
    tag = client.get(static(STYLE)).headers["ETag"]
    again = client.get(static(STYLE), headers={"If-None-Match": tag})
    assert again.status_code == 304
    assert "immutable" in again.headers["Cache-Control"]


def test_it_is_compressed_once(client, monkeypatch):
    headers = {"Accept-Encoding": "gzip"}
    client.get(static(STYLE), headers=headers)
    monkeypatch.setattr(static_files.gzip, "compress", None)
    # Another process finds what the first one left.
    assert type(client)().get(static(STYLE), headers=headers).status_code == 200


def test_what_is_not_there_is_not_found(client, db):
    assert client.get("/static/truing/nothing.css").status_code == 404
    assert static("truing/nothing.css") == "/static/truing/nothing.css"
