"""German is the proof that every word an annotator reads can be said in another language."""

import ast
import importlib
import json
import re
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from annotation.chat import TROUBLE
from annotation.in_words import in_words
from annotation.stream_replies import Said
from annotation.submit import AlreadyAnswered, BadAnswer
from annotation.task_types import TASK_TYPES
from annotation.task_types.scales import unchanged_names
from annotation.views.chat import _lines
from tests import make
from truing.errors import Refused
from truing.models import Event, User
from truing.script_words import said_by_scripts, words_for_scripts
from truing.translated import translated, values_in

GERMAN = {"Accept-Language": "de-CH, en;q=0.5"}
TEMPLATES = [
    *("base", "home", "account", "sign_in", "set_password", "invitation", "tokens", "refused"),
    *("members", "audit", "api", "new_project", "_pager"),
]
# Same in both: names, and what is not said in words.
SAME = {"Prompt", "Prompts", "Name", "Markdown", "Token", "System", "Import", "Checkpoints"} | {
    *("API", "Person", "Link", "Checkpoint", "owner/model", "Checkpoint %(checkpoint)s"),
    *("Alpha", "Kappa", "Id", "Format", "language:de", "Alpha, nominal", "Alpha, ordinal"),
}
# What an annotator may be told by a verb.
VERBS = ["submit", "correct", "skip", "opt_in"]


@pytest.fixture
def german():
    with translation.override("de"):
        yield


# --- which language


def test_a_browser_that_asks_for_german_gets_it(client, db):
    response = client.get("/sign-in/", headers=GERMAN)
    page = response.content.decode()
    assert '<html lang="de">' in page
    assert "Anmelden" in page
    assert "Sign in" not in page
    assert "Accept-Language" in response.headers["Vary"]


@pytest.mark.parametrize("asks", [{}, {"Accept-Language": "tlh"}, {"Accept-Language": "en-GB, de"}])
def test_all_others_get_english(client, db, asks):
    page = client.get("/sign-in/", headers=asks).content.decode()
    assert '<html lang="en">' in page
    assert 'id="words"' not in page


def test_a_person_chooses_their_language(client, alice):
    client.force_login(alice)
    response = client.post("/account/language/", {"language": "de"})
    assert response.headers["Location"] == "/account/"
    assert "Ihr Konto" in client.get("/account/").content.decode()
    client.post("/account/language/", {"language": ""})
    assert "Your account" in client.get("/account/").content.decode()
    assert Event.objects.filter(verb="user.choose_language").count() == 2


def test_what_one_chose_goes_before_what_the_browser_says(client, alice):
    User.objects.filter(pk=alice.pk).update(language="en")
    client.force_login(alice)
    assert "Your account" in client.get("/account/", headers=GERMAN).content.decode()


def test_a_language_that_is_not_here_is_refused(client, alice):
    client.force_login(alice)
    assert client.post("/account/language/", {"language": "tlh"}).status_code == 422
    alice.refresh_from_db()
    assert alice.language == ""


def test_one_persons_language_does_not_stay_for_the_next(client, alice):
    User.objects.filter(pk=alice.pk).update(language="de")
    client.force_login(alice)
    client.get("/account/")
    assert translation.get_language() == "en"


# --- refusals


def test_a_refusal_is_said_in_the_readers_language(client, project, alice):
    client.force_login(alice)
    task = make.task(project)
    slot = task.assignments.first()
    client.get(reverse("desk", args=["demo"]))
    slot.refresh_from_db()
    url = reverse("answer", args=["demo", slot.pk])
    page = client.post(url, {"key": "one"}, headers=GERMAN | {"HX-Request": "true"})
    assert "Wählen Sie die bessere" in page.content.decode()


def test_a_sentence_with_values_is_found_by_its_pattern(german):
    assert translated("There is no output “b.*” in this task.").startswith("Eine Ausgabe „b.*“")
    said = "The answer has 3 characters, and should have 20 at least."
    assert translated(said) == "Die Antwort hat 3 Zeichen und sollte mindestens 20 haben."


def test_a_missing_rating_is_named_by_the_number_of_its_output(german):
    said = "Rate every output: “Overall” is missing for output 2."
    assert translated(said) == "Bewerten Sie jede Ausgabe: „Insgesamt“ fehlt bei Ausgabe 2."


def test_what_a_chat_streams_is_said_in_the_readers_language():
    events = [Said(0, problem=TROUBLE["away"]), None, Said(1, piece="Why")]
    lines = list(_lines(iter(events), "de"))
    assert "gerade nicht zu erreichen" in json.loads(lines[0][6:])["problem"]
    assert json.loads(lines[2][6:]) == {"position": 1, "piece": "Why"}
    assert translation.get_language() == "en"


def test_the_name_in_a_sentence_may_hold_a_number(german):
    said = "Rate every output: “3 left” is missing for output 2."
    assert translated(said) == "Bewerten Sie jede Ausgabe: „noch 3“ fehlt bei Ausgabe 2."


@pytest.mark.parametrize("piece", ["a and b of c to d, ", " left", "“", " of ", ": “a”, ", "\n"])
def test_a_long_text_in_a_sentence_takes_no_time(german, piece):
    """It is sent by somebody in place of a name."""
    long = piece * 20_000
    began = time.process_time()
    said = translated(f"“{long}” is none of this queue's aspects.")
    assert translated(long) != ""
    assert time.process_time() - began < 2
    assert said.endswith("ist keiner der Aspekte dieser Aufgabenliste.")


def test_each_part_is_taken_where_it_comes_first():
    assert values_in("1 of 2 of 3.", ["", " of ", "."]) == ["1", "2 of 3"]
    assert values_in("1 of 2", ["", " of ", " of 2"]) is None
    assert values_in("ab", ["ab", "b"]) is None
    assert values_in("", ["", ""]) == [""]


def test_what_nobody_has_translated_stays_as_it_is(german):
    assert translated("The wheel has 36 spokes.") == "The wheel has 36 spokes."
    assert translated("") == ""


def test_in_english_nothing_is_looked_up():
    assert translated(str(AlreadyAnswered())) == str(AlreadyAnswered())


# --- every word


def is_said(sentence):
    return sentence in SAME or gettext(sentence) != sentence


def marked_in(template):
    """What a template has marked as to be translated, as the catalogue knows it."""
    text = template.read_text()
    marked = re.findall(r"""{% translate (?:"([^"]*)"|'([^']*)') %}""", text)
    literals = re.findall(r'_\("([^"]*)"\)', text)
    blocks = re.findall(
        r"{% blocktranslate(?! count)[^%]*%}(.*?){% endblocktranslate %}", text, re.DOTALL
    )
    said = [one or other for one, other in marked] + literals + blocks
    # Django looks a sign of per cent up twice.
    return [re.sub(r"{{ (\w+) }}", r"%(\1)s", one.replace("%", "%%")) for one in said]


def annotators_templates():
    folder = Path(settings.TEMPLATES_FOLDER)
    return [
        *(folder / "truing" / f"{name}.html" for name in TEMPLATES),
        *sorted(folder.glob("40*.html")),
        folder / "annotation" / "desk.html",
        folder / "annotation" / "last_answers.html",
        folder / "annotation" / "_chat_actions.html",
        folder / "annotation" / "_scale.html",
        folder / "annotation" / "_veil.html",
        folder / "annotation" / "my_work.html",
        *sorted((folder / "annotation" / "task_types").glob("*.html")),
        *sorted((folder / "alignment").glob("*.html")),
        *sorted((folder / "annotation").glob("*.html")),
    ]


@pytest.mark.parametrize("template", annotators_templates(), ids=lambda path: path.stem)
def test_every_word_of_a_template_is_translated(german, template):
    assert [said for said in marked_in(template) if not is_said(said)] == []


def test_templates_have_words(german):
    assert sum(len(marked_in(template)) for template in annotators_templates()) > 200


def test_every_word_of_the_scripts_is_translated(german):
    assert [said for said in said_by_scripts() if not is_said(said)] == []
    assert words_for_scripts()["Draft saved"] == "Entwurf gespeichert"


@pytest.mark.parametrize("verb", VERBS)
def test_every_refusal_of_the_desk_is_translated(german, verb):
    module = importlib.import_module(f"annotation.{verb}")
    refusals = [
        item
        for item in vars(module).values()
        if isinstance(item, type) and issubclass(item, Refused) and item is not BadAnswer
    ]
    said = [str(refusal()) for refusal in refusals if refusal.__module__ == module.__name__]
    assert said
    assert [one for one in said if not is_said(one)] == []


def sentences_of(module):
    """The sentences that a plug-in may say, with {0} where it puts a value."""
    tree = ast.parse(Path(module.__file__).read_text())
    left_out = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            left_out.add(node.body[0].value)
        # Options speak to curators; examples are no words of ours.
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("option", "BadOption"):
            left_out.update(ast.walk(node))
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "").startswith(
            "example"
        ):
            left_out.update(ast.walk(node))
        if isinstance(node, ast.JoinedStr):
            left_out.update(node.values)
    for node in ast.walk(tree):
        if node in left_out:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            said = node.value
        elif isinstance(node, ast.JoinedStr):
            values = (number for number in range(10))
            said = "".join(
                part.value if isinstance(part, ast.Constant) else f"{{{next(values)}}}"
                for part in node.values
            )
        else:
            continue
        if " " in said and said.endswith("."):
            yield said


@pytest.mark.parametrize("name", TASK_TYPES)
def test_every_sentence_of_a_task_type_is_translated(german, name):
    module = importlib.import_module(f"annotation.task_types.{name}")
    assert [said for said in sentences_of(module) if not is_said(said)] == []


@pytest.mark.parametrize("name", TASK_TYPES)
def test_the_desk_of_every_type_speaks_german(client, project, alice, name):
    """No English sentence that has a translation is left on the page."""
    task_type = TASK_TYPES[name]
    make.task(project, type=name, outputs=[f"text {n}" for n in range(task_type.min_outputs)])
    client.force_login(alice)
    page = client.get(reverse("desk", args=["demo"]), headers=GERMAN).content.decode()
    words = re.sub(r"<script.*?</script>|<[^>]*>", "\n", page, flags=re.DOTALL)
    shown = {line.strip() for line in words.splitlines() if line.strip()}
    with translation.override("de"):
        english = {line for line in shown if gettext(line) != line}
    assert english == set()
    assert {"Tasten", "Überspringen"} & shown


@pytest.mark.parametrize("name", TASK_TYPES)
def test_every_label_that_a_type_brings_is_translated(german, name):
    own = unchanged_names(TASK_TYPES[name].Options())
    assert [label for label in own if not is_said(label)] == []


def test_what_a_curator_wrote_stays_as_it_is(client, project, alice):
    options = {"labels": ["Violence", "Insults"]}  # the severities are those of the type
    queue = make.queue(project, "Moderation", type="moderation", options=options)
    make.task(project, queue=queue, outputs=["text"])
    client.force_login(alice)
    page = client.get(reverse("desk", args=["demo"]), headers=GERMAN).content.decode()
    words = {line.strip() for line in re.sub(r"<[^>]*>", "\n", page).split("\n")}
    assert {"Violence", "Insults", "schwer"} <= words
    assert not {"Gewalt", "severe"} & words


def test_an_answer_is_said_with_the_labels_of_the_desk(german, project):
    queue = make.queue(project, "Moderation", type="moderation")
    assert in_words(queue, {"labels": {"Violence": 2}}, ["a"]) == "Gewalt 2"
    queue.options = {"labels": ["Violence"]}
    assert in_words(queue, {"labels": {"Violence": 2}}, ["a"]) == "Violence 2"
    critique = make.queue(project, "Critique", type="critique")
    said = {"labels": ["Wrong"], "text": "Wrong"}
    assert in_words(critique, said, ["a"]) == "Falsch: Wrong"
