"""Rules of the house that no single part can check."""

import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from django.template.loader import get_template
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
# What only a training process may load. The web of a machine without the extra must start.
HEAVY = {
    "torch",
    "transformers",
    "trl",
    "datasets",
    "peft",
    "accelerate",
    "pandas",
    "ray",
    "fastapi",
}

WEB = """
import importlib, json, pkgutil, sys
import django
django.setup()
from django.urls import get_resolver
get_resolver().url_patterns
# Processes of their own, and what a plug-in loads when it works.
apart = ("management", "migrations", "demo", "train", "sample", "host")
def load(package):
    for file in pkgutil.iter_modules(importlib.import_module(package).__path__):
        if file.name not in apart and not file.name.endswith("_trainer"):
            name = f"{package}.{file.name}"
            load(name) if file.ispkg else importlib.import_module(name)
for part in ("truing", "annotation", "alignment"):
    load(part)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_platform_is_still_the_standard_library():
    assert Path(platform.__file__).parent == Path(sysconfig.get_path("stdlib"))
    assert not (ROOT / "platform" / "__init__.py").exists()


def test_the_web_loads_nothing_that_only_training_needs():
    printed = subprocess.run(
        [sys.executable, "-c", WEB],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "truing.settings"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    loaded = set(json.loads(printed))
    assert {"django", "alignment"} <= loaded
    assert loaded & HEAVY == set()


def lint(tmp_path, file, line):
    """Whether the import contracts still hold with one more line in a copy of the house."""
    for part in ("platform", "annotation", "alignment"):
        ignore = shutil.ignore_patterns("node_modules", "static", "__pycache__")
        shutil.copytree(ROOT / part, tmp_path / part, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    target = tmp_path / file
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("a") as stream:
        stream.write(f"\n{line}\n")
    return subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{tmp_path / 'platform'}:{tmp_path}", "PATH": ""},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("file", "line", "rule"),
    [
        ("annotation/new_verb.py", "import alignment.models", "alignment stands on annotation"),
        ("platform/truing/new_verb.py", "import annotation.models", "alignment stands on"),
        ("annotation/new_verb.py", "import annotation.views", "verbs do not"),
        ("annotation/models/task.py", "import annotation.submit", "Tables know no verbs"),
        ("annotation/views/new_page.py", "import annotation.urls", "Pages, API and jobs stand on"),
        ("annotation/task_types/new.py", "import django.db", "Plug-ins and training"),
        ("alignment/methods/new.py", "import alignment.models", "Plug-ins and training"),
        ("alignment/train.py", "import alignment.demo.rubric", "Plug-ins and training"),
        ("alignment/new_verb.py", "import alignment.demo.rubric", "The demo's world"),
    ],
)
def test_a_forbidden_import_is_noticed(tmp_path, file, line, rule):
    result = lint(tmp_path, file, line)
    assert result.returncode == 1, result.stdout + result.stderr
    broken = [line for line in result.stdout.splitlines() if " BROKEN" in line]
    assert any(rule in line for line in broken), result.stdout


def test_a_new_verb_and_a_new_plug_in_need_no_edit(tmp_path):
    result = lint(tmp_path, "annotation/new_verb.py", "import annotation.models")
    assert result.returncode == 0, result.stdout + result.stderr


def requirements():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    return [Requirement(text) for group in (project["dependencies"], *extras) for text in group]


def locked():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    return {
        canonicalize_name(name): exact
        for name, _, exact in (line.partition("==") for line in lines)
    }


def test_the_lock_names_one_version_of_everything_we_ask_for():
    pinned = locked()
    for wanted in requirements():
        assert wanted.specifier.contains(pinned[canonicalize_name(wanted.name)]), wanted.name


def test_the_lock_is_what_is_installed():
    for name, exact in locked().items():
        assert version(name).partition("+")[0] == exact, name


def test_nothing_loads_from_elsewhere():
    """A page of ours asks no other machine for anything."""
    for template in (ROOT / "templates").rglob("*.html"):
        for quote in ("'", '"'):
            for attribute in ("src", "action", "srcset"):
                assert f"{attribute}={quote}http" not in template.read_text(), template


def test_every_template_can_be_read():
    for file in sorted((ROOT / "templates").rglob("*.html")):
        get_template(str(file.relative_to(ROOT / "templates")))
