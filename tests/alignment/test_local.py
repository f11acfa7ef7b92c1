"""Processes on this machine outlive whoever started them, and are never taken for others."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from alignment.backends import BACKENDS, State
from alignment.backends.environment import environment

local = BACKENDS["local"]
PYTHON = sys.executable


def until(happened, seconds=20):
    deadline = time.monotonic() + seconds
    while not (found := happened()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)
    return found


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "a folder with spaces"
    place.mkdir()
    return place


def start(folder, code, **env):
    return local.start([PYTHON, "-c", code], folder, {"PATH": os.environ["PATH"], **env})


def start_sleeper(folder):
    """A command that has begun, and goes on."""
    handle = start(folder, "print('ready', flush=True); import time; time.sleep(60)")
    log = folder / "log.txt"
    until(lambda: log.exists() and "ready" in log.read_text())
    return handle


def ended(handle, folder):
    return until(lambda: (s := local.state(handle, folder)) != State.RUNNING and s)


def children(folder):
    return [
        process
        for process in psutil.process_iter()
        if b"TRUING_FOLDER=" + str(folder).encode() in environ_of(process.pid)
    ]


def environ_of(number):
    try:
        return Path(f"/proc/{number}/environ").read_bytes()
    except OSError:
        return b""


def test_succeeds_and_keeps_what_was_said(folder):
    handle = start(folder, "print('hello', flush=True); import sys; print('oh', file=sys.stderr)")
    assert ended(handle, folder) == State.SUCCEEDED
    assert local.exit_status(handle, folder) == 0
    assert (folder / "log.txt").read_text() == "hello\noh\n"


def test_fails_with_the_status_it_ended_with(folder):
    handle = start(folder, "raise SystemExit(7)")
    assert ended(handle, folder) == State.FAILED
    assert local.exit_status(handle, folder) == 7


def test_runs_until_it_ends(folder):
    handle = start(folder, "import time; time.sleep(60)")
    assert local.state(handle, folder) == State.RUNNING
    local.kill(handle, folder)
    assert local.state(handle, folder) == State.LOST
    assert not children(folder)


def test_is_a_group_of_its_own(folder):
    handle = start(folder, "import time; time.sleep(60)")
    assert os.getpgid(int(handle.split(":")[0])) != os.getpgid(0)
    assert os.getsid(int(handle.split(":")[0])) != os.getsid(0)
    local.kill(handle, folder)


def test_is_lost_when_the_command_is_killed(folder):
    handle = start(folder, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert ended(handle, folder) == State.LOST
    assert local.exit_status(handle, folder) == 128 + signal.SIGKILL


def test_is_lost_when_its_shell_is_killed_and_then_ends_what_is_left(folder):
    handle = start_sleeper(folder)
    os.kill(int(handle.split(":")[0]), signal.SIGKILL)
    assert ended(handle, folder) == State.LOST
    assert children(folder), "the command goes on without its shell"
    local.kill(handle, folder)
    assert not children(folder)


def test_ends_what_the_command_has_started_too(folder):
    code = "import subprocess, time; subprocess.Popen(['sleep', '60']); time.sleep(60)"
    handle = start(folder, code)
    until(lambda: any(process.name() == "sleep" for process in children(folder)))
    local.kill(handle, folder)
    assert not children(folder)


def test_insists_when_asking_does_not_help(folder, monkeypatch):
    monkeypatch.setattr("alignment.backends.local.PATIENCE_SECONDS", 0.3)
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('ready', flush=True); time.sleep(60)"
    )
    handle = start(folder, code)
    log = folder / "log.txt"
    until(lambda: log.exists() and "ready" in log.read_text())
    local.kill(handle, folder)
    assert not children(folder)


def test_is_not_started_twice_in_one_folder(folder):
    code = "import time; open('started', 'a').write('x'); time.sleep(60)"
    handle = start(folder, code)
    started = folder / "started"
    until(lambda: started.exists() and started.read_text() == "x")
    assert start(folder, code) == handle
    assert started.read_text() == "x"
    local.kill(handle, folder)


def test_is_not_started_beside_a_command_whose_shell_was_killed(folder):
    handle = start_sleeper(folder)
    os.kill(int(handle.split(":")[0]), signal.SIGKILL)
    ended(handle, folder)
    number = len(children(folder))
    again = start(folder, "print('two at once')")
    assert local.state(again, folder) == State.LOST
    assert len(children(folder)) == number
    local.kill(again, folder)
    assert not children(folder)


def test_starts_again_in_the_same_folder(folder):
    first = start(folder, "raise SystemExit(3)")
    assert ended(first, folder) == State.FAILED
    second = start(folder, "print('again')")
    assert second != first
    assert ended(second, folder) == State.SUCCEEDED


def test_does_not_take_another_process_for_its_own(folder):
    """The number of a process that has ended is given to another one day."""
    stranger = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
        for handle in (f"{stranger.pid}:1:{boot}", f"{stranger.pid}:1:00000000"):
            assert local.state(handle, folder) == State.LOST
            local.kill(handle, folder)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_does_not_take_a_process_of_before_the_reboot_for_its_own(folder):
    handle = start(folder, "import time; time.sleep(60)")
    number, started, _ = handle.split(":")
    assert local.state(f"{number}:{started}:00000000", folder) == State.LOST
    local.kill(handle, folder)


def test_outlives_whoever_started_it(folder):
    starter = (
        "import sys; from pathlib import Path; from alignment.backends import BACKENDS;"
        "code = 'import time; time.sleep(1); print(1)';"
        f"print(BACKENDS['local'].start([sys.executable, '-c', code], Path({str(folder)!r}), {{}}),"
        "flush=True); import time; time.sleep(60)"
    )
    process = subprocess.Popen([PYTHON, "-c", starter], stdout=subprocess.PIPE, text=True)
    handle = process.stdout.readline().strip()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert local.state(handle, folder) == State.RUNNING
    assert ended(handle, folder) == State.SUCCEEDED


def test_writes_its_status_on_a_full_disk(tmp_path):
    folder = tmp_path / "full"
    folder.mkdir()
    size = ["-o", "size=256k"]
    mounted = subprocess.run(["mount", "-t", "tmpfs", *size, "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        code = (
            "import sys\ntry:\n with open('big', 'wb') as f: f.write(bytes(10**6))\n"
            "except OSError: sys.exit(5)"
        )
        handle = start(folder, code)
        assert ended(handle, folder) == State.FAILED
        assert local.exit_status(handle, folder) == 5
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_shows_a_process_no_secrets(folder, monkeypatch):
    for name in ("DATABASE_URL", "SECRET_KEY", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "hidden treasure")
    given = environment(code=[Path("/code")], cache=Path("/cache"), online=False)
    handle = local.start([PYTHON, "-c", "import os; print(dict(os.environ))"], folder, given)
    assert ended(handle, folder) == State.SUCCEEDED
    seen = (folder / "log.txt").read_text()
    assert "treasure" not in seen
    assert "'HF_HUB_DISABLE_TELEMETRY': '1'" in seen
    assert "'HF_HUB_OFFLINE': '1'" in seen
    assert "'HF_HOME': '/cache'" in seen


def test_goes_to_the_hub_only_when_told(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "secret")
    given = environment(code=[], cache=Path("/cache"), online=True)
    assert given["HF_TOKEN"] == "secret"
    assert given["HF_HUB_OFFLINE"] == "0"
