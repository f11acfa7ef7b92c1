"""The command line: what it says about itself, and how it ends on bad input."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request

import psutil
import psycopg
import pytest
from django.core.management import get_commands, load_command_class
from django.db import connection
from django.urls import reverse

from tests.database_url import database_url
from truing.cli import PARTS, commands_in_words
from truing.command import BAD_INPUT
from truing.home import home, secret_key
from truing.management.commands.web import CannotListen, check_address

PATIENCE = 600  # seconds: a machine may be busy with other things


@pytest.fixture
def truing(tmp_path):
    """`truing` in a process of its own."""

    def truing(*words, **environment):
        return subprocess.run(
            [sys.executable, "-m", "truing.cli", *words],
            env={**os.environ, "TRUING_HOME": str(tmp_path / "home"), **environment},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    return truing


def free_port():
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


def test_without_words_it_names_our_commands_first(truing):
    listing = truing().stdout.splitlines()
    first = next(line for line in listing if line.startswith("  "))
    assert any("worker" in line and "jobs" in line for line in listing)
    assert get_commands()[first.split()[0]] in PARTS
    assert listing[-1].startswith("Django's own: ")


@pytest.mark.django_db
def test_bytes_that_are_no_text_get_a_sentence(capsys):
    with pytest.raises(SystemExit) as ending:
        load_command_class("alignment", "checkpoints").run_from_argv(
            ["truing", "checkpoints", "--project", os.fsdecode(b"d\xe9mo")]
        )
    assert ending.value.code == BAD_INPUT
    assert capsys.readouterr().err == "'d\\udce9mo' is not text in UTF-8.\n"


def test_every_command_of_ours_says_what_it_does_and_takes_json():
    words = commands_in_words().splitlines()
    for name, app in get_commands().items():
        if app in PARTS:
            [line] = [line for line in words if line.startswith(f"  {name} ")]
            assert line.strip() != name, f"{name} does not say what it does"


@pytest.mark.parametrize("words", [["web", "--port", "many"], ["worker", "--what"]])
def test_a_wrong_word_is_one_sentence_and_status_2(truing, words):
    result = truing(*words)
    assert (result.returncode, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1


def test_a_database_that_is_not_there_is_one_sentence_and_status_2(truing):
    result = truing("migrate", DATABASE_URL=f"postgresql://x@127.0.0.1:{free_port()}/x")
    assert result.returncode == 2
    assert result.stderr.startswith("The database cannot be reached: ")
    assert len(result.stderr.splitlines()) == 1


def test_a_wrong_setting_stops_the_start_with_a_sentence(truing):
    result = truing("migrate", DATABASE_URL="mysql://x/y")
    assert result.returncode != 0
    assert result.stderr.splitlines() == [
        "DATABASE_URL must read like postgresql://user:password@host:5432/name."
    ]


def test_a_port_in_use_is_a_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(CannotListen, match="Address already in use"):
            check_address("127.0.0.1", taken.getsockname()[1])


@pytest.fixture
def empty_database(transactional_db):
    """A database for other processes, on the server that the tests use."""
    given = connection.get_connection_params()
    where = {key: given[key] for key in ("host", "port", "user", "password") if key in given}
    name = f"{given['dbname']}_cli"
    with psycopg.connect(**where, dbname="postgres", autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        server.execute(f'CREATE DATABASE "{name}"')
        yield database_url(name)
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_old_tables_are_a_sentence_and_migrate_mends_them(truing, empty_database):
    refused = truing("worker", DATABASE_URL=empty_database)
    assert refused.returncode == 2
    assert "truing migrate" in refused.stderr

    migrated = truing("migrate", "--json", DATABASE_URL=empty_database)
    assert migrated.returncode == 0
    assert "truing.0001_initial" in json.loads(migrated.stdout.splitlines()[-1])["applied"]
    again = truing("migrate", "--json", DATABASE_URL=empty_database)
    assert json.loads(again.stdout.splitlines()[-1]) == {"applied": []}


def test_up_runs_all_of_it_and_ends_all_of_it(empty_database, tmp_path):
    port = free_port()
    up = subprocess.Popen(
        [sys.executable, "-m", "truing.cli", "up", "--port", str(port), "--json"],
        env={
            **os.environ,
            "TRUING_HOME": str(tmp_path / "home"),
            "DATABASE_URL": empty_database,
        },
        # Tests that a shell runs in the background would have it ignore Ctrl-C, as they do.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while "Ctrl-C" not in (line := up.stderr.readline()):
            assert line, "it ended before it was up"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{reverse('sign_in')}") as page:
            assert "<form" in page.read().decode()
        parts = psutil.Process(up.pid).children(recursive=True)
        assert {"web", "worker"} <= {word for part in parts for word in part.cmdline()}
    finally:
        up.send_signal(signal.SIGINT)
        out, _ = up.communicate(timeout=PATIENCE)
    assert up.returncode == 0
    assert json.loads(out.splitlines()[-1])["ended"] is True
    assert not any(part.is_running() for part in parts)


def test_the_key_is_made_once_and_is_ours_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("TRUING_HOME", str(tmp_path / "home"))
    assert secret_key() == secret_key()
    assert len(secret_key()) > 50
    file = home() / "secret_key"
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o644)
    with pytest.raises(SystemExit, match="chmod 600"):
        secret_key()
