"""A folder is a registry: what is found in it, and what it is called."""

import sys

import pytest

from truing.plugins import UnknownPlugin, plugin_named, plugins_in


class Animal:
    sound: str


@pytest.fixture
def animals(tmp_path, monkeypatch):
    folder = tmp_path / "animals_for_a_test"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "shared.py").write_text("LOUD = '!'\n")
    (folder / "dog.py").write_text(
        "from tests.truing.test_plugins import Animal\nclass Dog(Animal):\n    sound = 'woof'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield "animals_for_a_test"
    for name in [name for name in sys.modules if name.startswith("animals_for_a_test")]:
        del sys.modules[name]


def test_a_file_with_a_class_is_a_plugin_of_that_name(animals):
    found = plugins_in(animals, Animal)
    assert list(found) == ["dog"]
    assert found["dog"].sound == "woof"


def test_an_unknown_name_is_refused_with_the_names_there_are(animals):
    with pytest.raises(UnknownPlugin, match="There is no animal “cat”. There are: dog."):
        plugin_named(plugins_in(animals, Animal), "cat", "animal")
