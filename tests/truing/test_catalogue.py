"""Every word of every page can be said in another language, and German says all of them."""

import ast
import gettext as catalogues
import pkgutil
import re
from importlib import import_module
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation

import alignment
import annotation
import truing
from alignment.backends import BACKENDS
from alignment.methods import METHODS
from alignment.sample import Sampling
from annotation.add_endpoint import Sampling as EndpointSampling
from annotation.aggregators import AGGREGATORS
from annotation.complete import EndpointFailed
from annotation.conditions import CONDITIONS
from annotation.exports import EXPORTS
from annotation.handling import Handling
from annotation.importers import IMPORTERS
from annotation.recipe import RULES
from annotation.task_types import TASK_TYPES
from truing.errors import Refused
from truing.options import fields_of
from truing.pages import NAVIGATION, SENTENCES
from truing.translated import _patterns, translated

PARTS = {"truing": truing, "annotation": annotation, "alignment": alignment}
TEMPLATES = Path(settings.TEMPLATES_FOLDER)
# Said to programs and to who runs the server, in English.
NOT_SAID_ON_PAGES = ("management", "migrations", "demo", "embedded", "api", "settings", "cli")
# Names, units and keys: the same in every language.
NO_WORDS = {"Truing", "· Truing", "s", "Enter", "Esc", "Ctrl", "Shift", "jsonl", "parquet"}


def catalogue_files():
    return [Path(part.__file__).parent / "locale/de/LC_MESSAGES" for part in PARTS.values()]


def entries_of(folder):
    """What a catalogue says: (context, English, English of many) and its German."""
    found = {}
    for block in re.split(r"\n\s*\n", (folder / "django.po").read_text()):
        fields, current = {}, None
        for line in block.splitlines():
            if named := re.match(r'(msg\w+(?:\[\d\])?) (".*")$', line):
                current = named[1]
                fields[current] = ast.literal_eval(named[2])
            elif line.startswith('"') and current:
                fields[current] += ast.literal_eval(line)
        if fields.get("msgid"):
            key = fields.get("msgctxt", ""), fields["msgid"], fields.get("msgid_plural", "")
            assert key not in found, f"{key} is there twice"
            found[key] = [said for name, said in fields.items() if name.startswith("msgstr")]
    return found


ENTRIES = {folder.parents[2].name: entries_of(folder) for folder in catalogue_files()}
KNOWN = {english for entries in ENTRIES.values() for _, english, _ in entries}


# --- the catalogue


@pytest.mark.parametrize("part", ENTRIES)
def test_everything_in_the_catalogue_has_its_german(part):
    assert [key for key, german in ENTRIES[part].items() if not all(german)] == []


@pytest.mark.parametrize("folder", catalogue_files(), ids=lambda folder: folder.parents[2].name)
def test_nothing_in_the_catalogue_is_a_guess(folder):
    assert "fuzzy" not in (folder / "django.po").read_text()


@pytest.mark.parametrize("part", ENTRIES)
def test_german_has_the_same_places_for_values(part):
    def places(text):
        return set(re.findall(r"%\(\w+\)[sd]|\{\d\}", text))

    wrong = []
    for (_, english, many), german in ENTRIES[part].items():
        allowed = places(english) | places(many)
        for said in german:
            missing = set() if many else allowed - places(said)
            if places(said) - allowed or (missing and "turn{1}" not in english):
                wrong.append((english, said))
    assert wrong == []


def test_one_english_sentence_has_one_german():
    said = {}
    for entries in ENTRIES.values():
        for key, german in entries.items():
            said.setdefault(key, set()).add(tuple(german))
    assert {key: german for key, german in said.items() if len(german) > 1} == {}


@pytest.mark.parametrize("folder", catalogue_files(), ids=lambda folder: folder.parents[2].name)
def test_the_compiled_catalogue_says_what_the_written_one_does(folder):
    with (folder / "django.mo").open("rb") as file:
        compiled = catalogues.GNUTranslations(file)
    for (context, english, many), german in entries_of(folder).items():
        if many and context:
            now = [compiled.npgettext(context, english, many, count) for count in (1, 2)]
        elif many:
            now = [compiled.ngettext(english, many, count) for count in (1, 2)]
        else:
            now = [compiled.pgettext(context, english) if context else compiled.gettext(english)]
        assert now == german


def test_no_pattern_fits_what_somebody_may_have_written():
    """A pattern of a word or two would turn people's own texts into German."""
    with translation.override("de"):
        for text in ("Look at this.", "The sky is blue.", "Ada has a cat.", "Two of three"):
            assert translated(text) == text
        assert len(_patterns("de")) > 100


# --- templates

TOKEN = re.compile(
    r"\{#.*?#\}|<!--.*?-->|<!doctype.*?>|<script.*?</script>|<(code|kbd|pre|style)\b.*?</\1>"
    r"|\{% blocktranslate.*?\{% endblocktranslate %\}|\{%.*?%\}|\{\{.*?\}\}",
    re.DOTALL | re.IGNORECASE,
)
TAG = re.compile(r'</?[a-zA-Z](?:"[^"]*"|[^">])*>', re.DOTALL)
SPOKEN = re.compile(r'\b(?:aria-label|placeholder|title|alt|data-confirm|data-label)="([^"]*)"')


def bare_words(source):
    """The words of a template that nobody could translate."""
    source = TOKEN.sub("\x00", source)
    texts = [said for tag in TAG.findall(source) for said in SPOKEN.findall(tag)]
    texts += TAG.sub("\x00", source).split("\x00")
    pieces = (piece.strip(" \n·:,;()“”…") for text in texts for piece in text.split("\x00"))
    return [piece for piece in pieces if re.search(r"[A-Za-z]{2}", re.sub(r"&\w+;?", "", piece))]


def names_of_templates():
    return sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html"))


@pytest.mark.parametrize("name", names_of_templates())
def test_no_template_says_what_cannot_be_translated(name):
    bare = bare_words((TEMPLATES / name).read_text())
    if name == "truing/api.html":  # says "{"results": ...}" and ", optional" of programs' names
        bare = [one for one in bare if one != "optional"]
    assert [one for one in bare if one.lstrip(".") not in NO_WORDS] == []


def test_bare_words_are_found():
    assert bare_words("<p>Hello</p>") == ["Hello"]
    assert bare_words('<p title="Hello">{% translate "Good day" %}</p>') == ["Hello"]
    assert bare_words("<b>{{ n }} answers</b>") == ["answers"]
    assert bare_words("<b>{% blocktranslate %}{{ n }} answers{% endblocktranslate %}</b>") == []


def included_words():
    """What a template hands to another as a plain text: `with title="No runs yet"`."""
    for name in names_of_templates():
        for tag in re.findall(r"\{% include .*?%\}", (TEMPLATES / name).read_text()):
            for said in re.findall(r'\b(?:title|text|action|label|note)="([^"]*)"', tag):
                yield name, said


def test_what_is_handed_to_a_part_of_a_page_is_marked():
    assert [(name, said) for name, said in included_words() if " " in said] == []


# --- what Python says


def modules():
    for part in PARTS.values():
        for found in pkgutil.walk_packages(part.__path__, f"{part.__name__}."):
            if not set(found.name.split(".")) & set(NOT_SAID_ON_PAGES):
                yield found.name


def test_every_refusal_has_its_german():
    said = set()
    for name in modules():
        if name.endswith("_trainer") or ".methods." in name:
            continue  # they import torch
        for item in vars(import_module(name)).values():
            # An endpoint's failure always carries a sentence of its own.
            if getattr(item, "__module__", "") != name or item is EndpointFailed:
                continue
            if isinstance(item, type) and issubclass(item, Refused):
                said.add((item.__doc__ or "").strip())
    assert len(said) > 100
    # This one always carries a sentence of its own.
    said.discard(
        "The endpoint has not answered. The sentence is for engineers: it may name the model."
    )
    assert sorted(said - KNOWN) == []


OPTIONS = {
    **{f"method {name}": method.Options for name, method in METHODS.items()},
    **{f"task type {name}": one.Options for name, one in TASK_TYPES.items()},
    **{f"brief {name}": one.Brief for name, one in TASK_TYPES.items() if one.Brief},
    **{f"condition {name}": one.Options for name, one in CONDITIONS.items()},
    **{f"recipe {name}": rules for name, rules in RULES.items()},
    "handling": Handling,
    "sampling": Sampling,
    "sampling of an endpoint": EndpointSampling,
}


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_is_explained_in_german(name):
    items = fields_of(OPTIONS[name])
    said = {item.label for item in items} | {item.help for item in items if item.help}
    assert sorted(said - KNOWN) == []


def test_every_plug_in_has_a_german_name():
    folders = (METHODS, BACKENDS, TASK_TYPES, CONDITIONS, AGGREGATORS, EXPORTS, IMPORTERS)
    said = {plugin.label for folder in folders for plugin in folder.values()}
    for one in TASK_TYPES.values():
        said |= {one.family, one.about, one.yields} - {""}
    assert sorted(said - KNOWN) == []


def test_the_navigation_is_german():
    said = {label for _, entries in NAVIGATION for _, label, _ in entries}
    said |= {title for title, _ in NAVIGATION} - {""}
    assert sorted((said | set(SENTENCES.values())) - KNOWN) == []
