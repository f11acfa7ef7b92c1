"""Every page opens in German as it does in English, and says so."""

import pytest
from django.test import Client

from tests import make
from tests.test_every_url import address_of, is_api
from tests.url_roles import ANYBODY, URL_ROLES

GERMAN = {"Accept-Language": "de"}
PAGES = [name for name, methods in URL_ROLES.items() if "GET" in methods and not is_api(name)]


def opened(address, person, headers):
    """Its status, what it is, and what it says."""
    client = Client()
    if person:
        client.force_login(person)
    response = client.get(address, headers=headers)
    said = b"".join(response.streaming_content) if response.streaming else response.content
    return response.status_code, response.headers.get("Content-Type", ""), said


@pytest.mark.parametrize("name", PAGES)
def test_it_opens_in_german(project, name):
    person = make.member(project, "owner", "OWNER")
    person.may_create_projects = True
    person.save()
    address = address_of(name, project, person)
    reader = None if URL_ROLES[name]["GET"] == ANYBODY else person
    english = opened(address, reader, {})
    german = opened(address, reader, GERMAN)
    assert german[:2] == english[:2]
    if b"<html" in english[2]:
        assert b'<html lang="en">' in english[2]
        assert b'<html lang="de">' in german[2]
