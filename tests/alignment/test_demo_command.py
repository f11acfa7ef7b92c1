"""truing demo: what it says of a loop that was played, and when it says it."""

import json
import socket
from io import StringIO

import pytest
from django.core.management import call_command

from alignment.demo.cast import gather, sign_ins
from alignment.demo.show import Shown, sign_in_lines
from alignment.management.commands import demo
from truing.management.commands.web import CannotListen
from truing.models import User

NUMBERS = {"win_rate": 0.7, "interval": [0.6, 0.8], "rubric_win_rate": 0.8}
RESULT = {
    "project": "demo",
    "rubric_mean": dict.fromkeys(("base", "sft", "dpo", "ppo", "best"), 0.5),
    "dpo": NUMBERS,
    "ppo": NUMBERS,
    "reward": {"eval_accuracy": 0.9},
    "promoted": "ppo",
    "annotations": 1000,
    "annotators": 11,
    "seconds": {"total": 1.0},
}


@pytest.fixture
def played(project, monkeypatch):
    gather(project)
    shown = Shown(project, RESULT)
    monkeypatch.setattr(demo, "find", lambda: shown)
    return shown


def test_a_busy_port_is_said_before_the_loop_is_played(project, monkeypatch):
    monkeypatch.setattr(demo, "find", lambda: pytest.fail("It looked for a loop first."))
    with socket.create_server(("127.0.0.1", 0)) as busy, pytest.raises(CannotListen):
        call_command("demo", serve=True, port=busy.getsockname()[1])


def test_the_result_is_there_before_the_web_is_served(played, monkeypatch):
    said, served = StringIO(), []

    def serve(*words, stdout, **options):
        served.append(json.loads(said.getvalue()))
        assert stdout is not said, "the result stays alone"

    monkeypatch.setattr(demo, "call_command", serve)
    monkeypatch.setattr(demo, "check_address", lambda host, port: None)
    call_command("demo", serve=True, json=True, stdout=said, stderr=StringIO())
    assert served == [RESULT]


def test_only_passwords_that_work_are_told(played, settings):
    passwords = sign_ins()
    told = sign_in_lines(played, "http://here")
    assert all(word in told for word in passwords.values())
    anna = User.objects.get(email="anna@demo.example")
    anna.set_password("my own choice")
    anna.save()
    told = sign_in_lines(played, "http://here")
    assert passwords["anna@demo.example"] not in told
    assert "truing users link anna@demo.example" in told
    assert passwords["ravi@demo.example"] in told


def test_passwords_of_a_home_that_was_emptied_are_not_made_up(played, settings):
    (settings.TRUING_HOME / "demo" / "sign_ins.json").unlink()
    told = sign_in_lines(played, "http://here")
    assert told.count("not known here") == 5
    assert not any(word in told for word in sign_ins().values())
