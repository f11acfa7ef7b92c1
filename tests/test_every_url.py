"""Every address, asked by everybody: nobody in, 404 to an outsider, 403 to a role too low."""

import json
import re

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests import make
from tests.url_arguments import ARGUMENTS
from tests.url_roles import ANYBODY, MAKER, SELF, SIGNED_IN, URL_ROLES
from truing.api.document import described, whole
from truing.make_token import make_token
from truing.models import Membership
from truing.remove_member import remove_member
from truing.switch_user import switch_user

ROLES = [role.name for role in Membership.Role]
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
# An invitation is 403 to who is signed in as somebody else; signing out leads to signing in.
ANSWERS_TO_ANYBODY = (200, 302, 403, 422, "sign in")


def walk(patterns, before=()):
    """Every address as (its name, its route, the names of what stands in it)."""
    for pattern in patterns:
        route = (*before, pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            arguments = [name for part in route for name in part.converters]
            yield pattern.name, "".join(str(part) for part in route), arguments


ADDRESSES = list(walk(get_resolver().url_patterns))
ARGUMENTS_OF = {name: arguments for name, _, arguments in ADDRESSES}
LISTED = [
    (name, method)
    for name, _, _ in ADDRESSES
    for method in URL_ROLES.get(name, {})
    if name in URL_ROLES
]


def test_every_address_is_in_the_table():
    missing = [f"{name}: {route}" for name, route, _ in ADDRESSES if name not in URL_ROLES]
    assert not missing, "add a line to tests/url_roles.py for: " + ", ".join(missing)


def test_the_table_has_no_address_that_is_gone():
    assert set(URL_ROLES) <= {name for name, _, _ in ADDRESSES}
    assert set(ARGUMENTS) <= set(URL_ROLES)


def test_each_name_means_one_address():
    names = [name for name, _, _ in ADDRESSES]
    assert len(names) == len(set(names))


class Rollback(Exception):
    """What one person does must not change what the next one finds."""


@pytest.fixture
def cast(project):
    """One person of each role, and three who are none of them."""
    people = {role: make.member(project, role.lower(), role) for role in ROLES}
    # Not a nobody: an owner elsewhere, who may make projects and asks about somebody else's.
    people["outsider"] = make.member(make.project("elsewhere"), "outsider", "OWNER")
    people["outsider"].may_create_projects = True
    people["outsider"].save()
    people["removed"] = make.member(project, "removed", "OWNER")
    remove_member(Membership.objects.get(user=people["removed"]), actor=None)
    people["switched off"] = make.member(project, "off", "OWNER")
    return people


def address_of(name, project, person):
    arguments = ARGUMENTS_OF[name]
    values = {"slug": project.slug} if "slug" in arguments else {}
    if set(arguments) - {"slug"}:
        assert name in ARGUMENTS, f"add a line for {name} to ARGUMENTS in tests/url_arguments.py"
        values |= ARGUMENTS[name](project, person)
    return reverse(name, kwargs=values)


def is_api(name):
    return name.startswith("api_")


def client_of(name, person, **options):
    """Pages know a person by a session, the API by a token."""
    client = Client(**options)
    if person and is_api(name):
        _, secret = make_token(person, name="test")
        client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
    elif person:
        client.force_login(person)
    return client


def send(client, name, method, address):
    kind = {"content_type": "application/json", "data": "{}"} if is_api(name) else {}
    if method == "GET":
        kind = {}
    return client.generic(method, address, **kind)


def status(name, method, project, people, who):
    """What this person gets, of which nothing stays."""
    person = people.get(who)
    found = None
    try:
        with transaction.atomic():
            owner_of_things = person if who in ROLES else people["OWNER"]
            address = address_of(name, project, owner_of_things)
            client = client_of(name, person)
            if who == "switched off":
                switch_user(person, active=False, actor=None)
            response = send(client, name, method, address)
            if response.streaming:
                b"".join(response.streaming_content)
            found = response.status_code
            if found == 302 and response.headers["Location"].startswith(reverse("sign_in")):
                found = "sign in"
            raise Rollback
    except Rollback:
        return found


def wanted(name, level, who):
    """What this person should get: a status, or "in"."""
    if level == ANYBODY:
        return "in"
    if who in ("anonymous", "switched off"):
        return 401 if is_api(name) else "sign in"
    if level == SIGNED_IN:
        return "in"
    if level == MAKER:
        return "in" if who == "outsider" else 403
    if who in ("outsider", "removed"):
        return 404
    if level == SELF:
        return "in"
    return "in" if ROLES.index(who) >= ROLES.index(level) else 403


@pytest.mark.parametrize(("name", "method"), LISTED)
def test_only_who_may_gets_in(name, method, project, cast):
    level = URL_ROLES[name][method]
    for who in ["anonymous", *cast]:
        expected = wanted(name, level, who)
        got = status(name, method, project, cast, who)
        if expected != "in":
            assert got == expected, f"{who} got {got}, not {expected}"
        elif level == ANYBODY:
            assert got in ANSWERS_TO_ANYBODY, f"{who} got {got}"
        else:
            assert isinstance(got, int), f"{who} was sent to sign in"
            assert got < 500, f"{who} got {got}"
            assert got not in (401, 403, 404, 405), f"{who} got {got}"


@pytest.mark.parametrize("name", [name for name in ARGUMENTS_OF if name in URL_ROLES])
def test_answers_no_method_but_those_in_the_table(name, project, cast):
    for method in METHODS:
        # The API's tokens cannot make tokens; see test_tokens.
        if method in URL_ROLES[name] or (name, method) == ("api_tokens", "POST"):
            continue
        assert status(name, method, project, cast, "OWNER") == 405, method


@pytest.mark.parametrize("name", [name for name in ARGUMENTS_OF if name in URL_ROLES])
def test_takes_nothing_from_another_site(name, project, cast):
    """With a session alone, and without the page's CSRF token, nothing is done."""
    address = address_of(name, project, cast["OWNER"])
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast["OWNER"])
    for method in set(URL_ROLES[name]) - {"GET"}:
        response = send(client, name, method, address)
        assert response.status_code == 403, method


@pytest.mark.parametrize(
    ("name", "method"), [pair for pair in LISTED if URL_ROLES[pair[0]][pair[1]] == SELF]
)
def test_what_is_somebodys_own_is_there_for_nobody_else(name, method, project, cast):
    address = address_of(name, project, cast["ANNOTATOR"])
    response = send(client_of(name, cast["OWNER"]), name, method, address)
    assert response.status_code == 404


@pytest.mark.parametrize(
    ("name", "method"),
    [pair for pair in LISTED if {"slug"} < set(ARGUMENTS_OF[pair[0]]) and pair[0] in ARGUMENTS],
)
def test_another_projects_things_are_not_found_in_ones_own(name, method, project, cast):
    """Who owns a project asks there for what belongs to another, by its key or its name."""
    address = address_of(name, project, cast["OWNER"]).replace("/demo/", "/elsewhere/")
    assert "/elsewhere/" in address
    response = send(client_of(name, cast["outsider"]), name, method, address)
    assert response.status_code == 404


# What nobody sends by accident, under names as our pages have them.
NAMES = "q after limit verb person queue state split source tag language kind type name role note"
HOSTILE = ["\x00", "9" * 5000, "-1", "99999999999999999999", "[]", "%", "'\"<", "", "é"]
HOSTILE_JSON = ['"\\u0000"', '"\\ud800"', "1e400", "-1", "99999999999999999999999", "[[]]", "{}"]
HOSTILE_BODIES = ["[]", "null", '"text"', "{", '{"": {}}', "[" * 100_000, "9" * 5000, "\x00"]
PLAUSIBLE = {"string": '"x"', "integer": "1", "number": "0.5", "boolean": "true", "array": "[]"}


def strong(name, people):
    """Somebody who gets in."""
    return people["outsider" if MAKER in URL_ROLES[name].values() else "OWNER"]


def bodies_for(name, method):
    """Bodies that are right, by the API's document, but for one field."""
    route = next(route for known, route, _ in ADDRESSES if known == name)
    path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", "/" + route).replace("{pk}", "{id}")
    operation = described(path, method, whole()["paths"][path][method.lower()])
    right = {
        field["name"]: PLAUSIBLE.get(field["type"], json.dumps(field["type"].split(", ")[0]))
        for field in operation["fields"]
    }
    for changed in right:
        for value in HOSTILE_JSON:
            fields = {**right, changed: value}
            yield "{" + ", ".join(f'"{field}": {fields[field]}' for field in fields) + "}"


@pytest.mark.parametrize("name", [name for name, method in LISTED if method == "GET"])
def test_no_query_breaks_it(name, project, cast):
    address = address_of(name, project, cast["OWNER"])
    client = client_of(name, strong(name, cast))
    for value in HOSTILE:
        response = client.get(address, dict.fromkeys(NAMES.split(), value))
        if response.streaming:
            b"".join(response.streaming_content)
        assert response.status_code < 500, value[:20]


@pytest.mark.parametrize(
    ("name", "method"), [pair for pair in LISTED if pair[1] not in ("GET", "DELETE")]
)
def test_no_body_breaks_it(name, method, project, cast):
    address = address_of(name, project, cast["OWNER"])
    client = client_of(name, strong(name, cast))
    for body in [*HOSTILE_BODIES, *bodies_for(name, method)] if is_api(name) else HOSTILE:
        try:
            with transaction.atomic():
                if is_api(name):
                    kind = {"content_type": "application/json", "data": body}
                    response = client.generic(method, address, **kind)
                else:
                    response = client.post(address, dict.fromkeys(NAMES.split(), body))
                assert response.status_code < 500, body[:40]
                raise Rollback
        except Rollback:
            pass
