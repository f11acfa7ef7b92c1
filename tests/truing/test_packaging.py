"""The wheel: built from the tree, it runs in an empty environment away from the checkout."""

import os
import shutil
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import psutil
import pytest

from tests.truing.test_cli import free_port

PATIENCE = 600  # seconds: a machine may be busy with other things
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*build, str(ROOT)], check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """An environment that has the wheel, and of ours only what it depends on."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    install = [*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    # A path in a .pth file is searched, but .pth files in there are not read: so what is
    # installed here is found, and the checkout, which is installed by such a file, is not.
    [packages] = folder.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


@pytest.fixture
def away(installed, tmp_path):
    """Run a program of that environment in a folder away from the checkout."""
    keep = ("PATH", "HOME", "LANG")
    environment = {key: value for key, value in os.environ.items() if key in keep}
    environment["TRUING_HOME"] = str(tmp_path / "home")

    def away(*words):
        return subprocess.Popen(
            [installed / "bin" / words[0], *words[1:]],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    yield away
    # Root's database lies elsewhere when the way to a temporary folder is closed.
    if (database := tmp_path / "home" / "database").is_symlink():
        shutil.rmtree(database.resolve())


def test_the_wheel_holds_what_a_page_needs_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert "truing/templates/truing/sign_in.html" in names
    assert "truing/static/truing/truing.css" in names
    assert "annotation/migrations/0001_initial.py" in names
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "truing",
        "annotation",
        "alignment",
    }
    assert not [name for name in names if "node_modules" in name or name.startswith("tests")]
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_installed_wheel_is_not_the_checkout(away):
    process = away("python", "-c", "import truing, annotation; print(truing.__file__)")
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, out
    assert not Path(out.strip()).is_relative_to(ROOT)


def test_the_installed_wheel_migrates_and_serves(away):
    migrate = away("truing", "migrate")
    out, _ = migrate.communicate(timeout=PATIENCE)
    assert migrate.returncode == 0, out

    port = free_port()
    web = away("truing", "web", "--port", str(port))
    try:
        page = read(web, f"http://127.0.0.1:{port}/sign-in/")
        assert "<form" in page
        style = read(web, f"http://127.0.0.1:{port}/static/truing/truing.css")
        assert len(style) > 1000
    finally:
        server = [
            child for child in psutil.Process(web.pid).children() if "postgres" in child.name()
        ]
        web.terminate()
        web.communicate(timeout=PATIENCE)
    assert server
    assert not server[0].is_running()


def read(web, url):
    for _ in range(600):
        try:
            with urllib.request.urlopen(url) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError:
            raise
        except OSError:
            assert web.poll() is None, web.stdout.read()
            time.sleep(0.1)
    raise AssertionError(f"{url} was not served")
