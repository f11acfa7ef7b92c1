"""The API's plumbing: signing in, pages, bodies, refusals and the document."""

import re

import pytest
from django.test import Client
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.test import APIRequestFactory, force_authenticate

from tests import make
from truing.api.body import Body, read
from truing.api.errors import first_sentence
from truing.errors import Refused
from truing.models import Invitation, Membership, Project


def send(client, method, address, body):
    return getattr(client, method)(address, body, content_type="application/json")


@pytest.fixture
def api(client, project, owen):
    client.force_login(owen)
    return client


def test_says_who_one_is(api, owen):
    assert api.get("/api/me/").json() == {
        "id": owen.pk,
        "email": "owen@example.org",
        "name": "owen",
        "may_create_projects": False,
    }


def test_without_signing_in_it_is_401_and_json(client, db):
    response = client.get("/api/me/")
    assert response.status_code == 401
    assert response.json()["detail"]


def test_an_address_that_is_none_is_json_too(client, db):
    response = client.get("/api/nowhere/")
    assert response.status_code == 404
    assert response.json()["detail"].endswith(".")
    assert "<html" in client.get("/nowhere/").content.decode()


def test_an_outsider_cannot_tell_a_project_from_none(client, project, mallory):
    client.force_login(mallory)
    there, not_there = client.get("/api/projects/demo/"), client.get("/api/projects/nothing/")
    assert there.status_code == not_there.status_code == 404
    assert there.content == not_there.content


def test_a_session_needs_the_pages_token(project, owen):
    client = Client(enforce_csrf_checks=True)
    client.force_login(owen)
    response = send(client, "post", "/api/projects/demo/invitations/", {})
    assert response.status_code == 403
    assert "CSRF" in response.json()["detail"]


def test_makes_a_project(api, owen):
    body = {"name": "Shop", "eval_percent": 20}
    refused = send(api, "post", "/api/projects/", body)
    assert refused.status_code == 403
    owen.may_create_projects = True
    owen.save()
    made = send(api, "post", "/api/projects/", body)
    assert made.status_code == 201
    assert made.json()["slug"] == "shop"
    assert made.json()["role"] == "owner"
    assert Project.objects.get(slug="shop").eval_percent == 20


def test_members_change_and_go(api, project, alice):
    hers = Membership.objects.get(user=alice)
    address = f"/api/projects/demo/members/{hers.pk}/"
    assert send(api, "patch", address, {"role": "curator"}).json()["role"] == "curator"
    assert api.get(address).json()["user"]["email"] == "alice@example.org"
    assert api.delete(address).status_code == 204
    assert api.get(address).status_code == 404


def test_the_last_owner_is_409_with_a_sentence(api, owen):
    address = f"/api/projects/demo/members/{Membership.objects.get(user=owen).pk}/"
    response = api.delete(address)
    assert response.status_code == 409
    assert response.json() == {
        "detail": "A project needs an owner: make somebody else an owner first."
    }


def test_invites_and_withdraws(api):
    body = {"email": "nora@example.org", "role": "reviewer"}
    made = send(api, "post", "/api/projects/demo/invitations/", body).json()
    assert Client().get(made["url"]).status_code == 200
    [listed] = api.get("/api/projects/demo/invitations/").json()["results"]
    assert "url" not in listed
    assert api.delete(f"/api/projects/demo/invitations/{made['id']}/").status_code == 204
    assert Client().get(made["url"]).status_code == 410


def test_makes_a_password_link(api, alice):
    pk = Membership.objects.get(user=alice).pk
    made = api.post(f"/api/projects/demo/members/{pk}/password-link/")
    assert made.status_code == 201
    assert Client().get(made.json()["url"]).status_code == 200


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ('{"role": "curator"}', "email: This field is required."),
        ('{"email": "x", "role": "curator"}', "email: Enter a valid email address."),
        ('{"email": "a@b.org", "role": "king"}', "role: There is no role “king”."),
        ('{"email": "a@b.org", "role": "owner", "rank": 1}', "There is no “rank” here."),
        ('{"email": {"a": 1}, "role": []}', "email: "),
        ('{"email": "a@b.org", "role": null}', "role: This field may not be null."),
        ("[]", "Invalid data."),
        ("7", "Invalid data."),
        ('{"email": ', "The body is not readable JSON"),
        (b"\xff", "The body is not readable JSON"),
    ],
)
def test_a_faulty_body_is_one_sentence_and_changes_nothing(api, body, sentence):
    response = api.post("/api/projects/demo/invitations/", body, content_type="application/json")
    assert response.status_code in (400, 422)
    assert response.json()["detail"].startswith(sentence)
    assert not Invitation.objects.exists()


def test_a_body_of_another_kind_is_415(api):
    response = api.post("/api/projects/demo/invitations/", {"email": "a@b.org"})
    assert response.status_code == 415


def test_lists_go_on_by_key(api, project):
    for number in range(7):
        make.member(project, f"person-{number}")
    seen, address = [], "/api/projects/demo/members/?limit=3&q=example"
    while address:
        page = api.get(address).json()
        assert len(page["results"]) <= 3
        seen += [member["id"] for member in page["results"]]
        address = page["next"]
    assert len(seen) == 8
    assert seen == sorted(set(seen))


def test_a_full_last_page_has_no_next(api, project, alice):
    assert api.get("/api/projects/demo/members/?limit=2").json()["next"] is None


@pytest.mark.parametrize("value", ["x", "-1", "1.5", "９", "9" * 5000])
@pytest.mark.parametrize("name", ["after", "limit"])
def test_a_faulty_page_is_422(api, name, value):
    response = api.get("/api/projects/demo/members/", {name: value})
    assert response.status_code == 422
    assert response.json()["detail"].startswith(f"“{name}” must be a whole number")


def test_a_key_beyond_all_is_an_empty_page(api):
    page = api.get("/api/projects/demo/members/?after=9999999999999999999").json()
    assert page == {"results": [], "next": None}


def test_a_page_has_a_limit(api, project, monkeypatch):
    monkeypatch.setattr("truing.api.paging.MOST", 2)
    for number in range(4):
        make.member(project, f"person-{number}")
    assert len(api.get("/api/projects/demo/members/?limit=400").json()["results"]) == 2
    assert api.get("/api/projects/demo/members/?limit=0").json()["results"]


def test_more_rows_need_no_more_queries(api, project, django_assert_num_queries):
    with django_assert_num_queries(4):
        api.get("/api/projects/demo/members/")
    for number in range(10):
        make.member(project, f"person-{number}")
    with django_assert_num_queries(4):
        api.get("/api/projects/demo/members/")


class Teapot(Refused):
    """This is a teapot."""

    status = 418


class ListBody(Body):
    numbers = serializers.ListField(child=serializers.IntegerField())


@api_view(["POST"])
def teapot(request):
    read(request, ListBody)
    raise Teapot


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        ({"numbers": [1]}, 418, "This is a teapot."),
        ({"numbers": [1, "x"]}, 422, "numbers.1: A valid integer is required."),
    ],
)
def test_any_refusal_keeps_its_status_and_sentence(mallory, body, status, sentence):
    request = APIRequestFactory().post("/", body, format="json")
    force_authenticate(request, mallory)
    response = teapot(request)
    assert (response.status_code, response.data) == (status, {"detail": sentence})


def test_the_first_thing_that_is_wrong_is_found_in_depth():
    detail = {"outputs": [{}, {"text": ["Too long."]}]}
    assert first_sentence(detail) == "outputs[1].text: Too long."
    assert first_sentence({"non_field_errors": ["No."]}) == "No."


def test_the_document_is_whole(client, db):
    response = client.get("/api/schema/")
    document = response.json()
    assert document["openapi"].startswith("3.")
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    page = document["components"]["schemas"]["MemberPage"]
    assert set(page["properties"]) == {"results", "next"}
    operations = [found for path in document["paths"].values() for found in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    silent = [
        operation["operationId"] for operation in operations if "description" not in operation
    ]
    assert not silent, "these say nothing about themselves"


def test_every_address_of_the_api_is_in_the_document(client, db):
    from tests.test_every_url import ADDRESSES

    paths = [re.sub(r"{\w+}", "*", path) for path in client.get("/api/schema/").json()["paths"]]
    for name, route, _ in ADDRESSES:
        if name.startswith("api_") and name != "api_schema":
            assert "/" + re.sub(r"<[\w:]+>", "*", route) in paths, f"{name} is missing"


def test_the_page_lists_what_the_document_does(client, db):
    text = client.get("/api/").content.decode()
    assert "/api/projects/{slug}/members/{id}/" in text
    assert "annotator, reviewer, curator, engineer, owner" in text


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (r'{"name": "a\\u0000b"}', r"a\u0000b"),
        (r'{"name": "\ud83d\ude00"}', "😀"),
        (r'{"name": "a\u0000b"}', None),
        (r'{"name": "a\\\u0000b"}', None),
        (r'{"name": "\ud83d"}', None),
        ('{"name": "a", "more": 1' + "0" * 400 + "}", None),
    ],
)
def test_text_that_cannot_be_kept_is_refused_and_no_other(client, alice, body, kept):
    client.force_login(alice)
    response = client.post("/api/tokens/", body, content_type="application/json")
    assert response.status_code == (201 if kept else 400)
    assert list(alice.api_tokens.values_list("name", flat=True)) == ([kept] if kept else [])


def test_a_body_has_a_limit(client, alice, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    client.force_login(alice)
    body = {"name": "x" * 100}
    response = client.post("/api/tokens/", body, content_type="application/json")
    assert (response.status_code, response.json()) == (413, {"detail": "This is too large."})


def test_a_nul_in_an_address_is_no_request(client, alice):
    client.force_login(alice)
    assert client.get("/api/me/?q=%00").json() == {
        "detail": "The server could not read this request."
    }
    assert client.get("/?q=%00").status_code == 400
