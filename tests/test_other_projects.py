"""What belongs to another project is out of reach also by what is sent: queries, forms and bodies.

`tests/test_every_url.py` asks for addresses. Here somebody who owns a project names what another
project has, by its key and by its name, in every field of every request to their own.
"""

import json
import re

import pytest
from django.apps import apps
from django.db import connection, transaction

from annotation.models import Endpoint, Output, Prompt, Queue
from tests import make
from tests.test_every_url import (
    ADDRESSES,
    LISTED,
    PLAUSIBLE,
    Rollback,
    address_of,
    client_of,
    is_api,
)
from tests.url_arguments import ARGUMENTS
from tests.url_roles import ANYBODY, MAKER, SIGNED_IN, URL_ROLES
from truing.api.document import described, whole

SECRET = "Quittenmus"
# What fields of this name mean, and words for what is known by its name.
MEANS = {
    "Queue": "queue queues reserved_for option.queue from",
    "Task": "task tasks",
    "Prompt": "prompt prompts after before start",
    "Output": "output outputs",
    "Annotator": "annotator person by",
    "Annotation": "annotation annotations supersedes replaces original",
    "Endpoint": "endpoint option.endpoints",
    "Checkpoint": "checkpoint baseline candidate base reward model",
    "DatasetVersion": "datasets version",
    "Dataset": "dataset name",
    "Review": "review",
    "Guideline": "guideline to",
    "Rule": "rule",
}
WORDS = {"Queue": "name", "Endpoint": "name", "Checkpoint": "name", "Dataset": "name"}
WORDS |= {"Annotator": "pseudonym", "Task": "ref"}
# Of these there is one in the world, whoever asks.
OF_PEOPLE = ("member", "token", "invitation", "password")
IN_A_PROJECT = [
    (name, method)
    for name, method in LISTED
    if URL_ROLES[name][method] not in (ANYBODY, SIGNED_IN, MAKER)
    and any("<slug:slug>" in route for known, route, _ in ADDRESSES if known == name)
]


def models():
    parts = [apps.get_app_config(name) for name in ("annotation", "alignment")]
    return {model.__name__: model for part in parts for model in part.get_models()}


def rows():
    """Every row of both parts, as text."""
    found = {}
    with connection.cursor() as cursor:
        for name, model in models().items():
            cursor.execute(f'SELECT one::text FROM "{model._meta.db_table}" one')
            found[name] = {row[0] for row in cursor.fetchall()}
    return found


@pytest.fixture
def theirs(project):
    """All that can be made in a project. Its texts have a word that nobody else knows."""
    owner = make.member(project, "owner of demo", "OWNER")
    for name in sorted(ARGUMENTS):
        if any(word in name for word in OF_PEOPLE):
            continue
        try:
            with transaction.atomic():
                ARGUMENTS[name](project, owner)
        except Exception:
            continue  # another address has made it already
    Prompt.objects.update(text=SECRET, messages=[{"role": "user", "content": SECRET}])
    Output.objects.update(text=SECRET)
    Endpoint.objects.update(model=SECRET)
    for queue in Queue.objects.all():
        queue.name = f"Theirs {queue.pk}"
        queue.save()


class Attack:
    """Requests by who owns another project. Nothing of them stays."""

    def __init__(self):
        self.before = rows()
        self.keys, self.words = {}, {}
        for kind, names in MEANS.items():
            found = models()[kind].objects.order_by("-pk").first()
            assert found, f"There is no {kind} to be named."
            for name in names.split():
                self.keys[name] = found.pk
                self.words[name] = str(getattr(found, WORDS.get(kind, "pk")))
        self.elsewhere = make.project("elsewhere")
        self.mallory = make.member(self.elsewhere, "mallory", "OWNER")
        self.problems = []

    def on(self, name, method, *asked):
        try:
            with transaction.atomic():
                address = address_of(name, self.elsewhere, self.mallory)
                client = client_of(name, self.mallory)
                for data in asked:
                    if is_api(name) and method != "GET":
                        kind = {"content_type": "application/json", "data": json.dumps(data)}
                        response = client.generic(method, address, **kind)
                    else:
                        response = getattr(client, method.lower())(address, data)
                    content = b"".join(response) if response.streaming else response.content
                    if SECRET.encode() in content or response.status_code >= 500:
                        self.problems.append((name, method, response.status_code, data))
                if method != "GET":
                    after = rows()
                    for kind, kept in self.before.items():
                        if changed := kept - after[kind]:
                            self.problems.append((name, method, kind, sorted(changed)[0]))
                raise Rollback
        except Rollback:
            pass


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_query_and_no_form_reaches_what_another_project_has(theirs, method):
    attack = Attack()
    for name, its_method in IN_A_PROJECT:
        if its_method == method and (method == "GET" or not is_api(name)):
            attack.on(name, method, attack.keys, attack.words)
    assert not attack.problems


def test_no_body_reaches_what_another_project_has(theirs):
    attack = Attack()
    for name, method in IN_A_PROJECT:
        if method not in ("GET", "DELETE") and is_api(name):
            attack.on(name, method, *bodies_for(name, method, attack))
    assert not attack.problems


def bodies_for(name, method, attack):
    """What the API's document says that it takes, filled with what is theirs."""
    route = next(route for known, route, _ in ADDRESSES if known == name)
    path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", "/" + route).replace("{pk}", "{id}")
    fields = described(path, method, whole()["paths"][path][method.lower()])["fields"]
    for values in (attack.keys, attack.words):
        body = {}
        for field in fields:
            value, kind = values.get(field["name"], 1), field["type"]
            if kind == "string":
                value = str(value)
            elif kind == "object":
                value = {"tiers": [["a"], ["b"]]}
            elif kind == "list of integer":
                value = [value]
            elif kind.startswith("list of "):
                value = [kind.removeprefix("list of ").split(", ")[0]]
            elif kind != "integer":  # a choice, the first of which will do
                value = json.loads(PLAUSIBLE.get(kind, json.dumps(kind.split(", ")[0])))
            body[field["name"]] = value
        yield body
