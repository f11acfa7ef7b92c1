"""API tokens: shown once, known by their digest, dead at once when revoked."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests import make
from truing.errors import Invalid
from truing.make_token import AlreadyRevoked, TooManyTokens, make_token, revoke_token
from truing.models import ApiToken, Event
from truing.switch_user import switch_user


def ask(secret, address="/api/me/", method="get", **more):
    return getattr(Client(), method)(address, headers={"Authorization": f"Bearer {secret}"}, **more)


def test_acts_as_its_person(project, alice):
    _, secret = make_token(alice, name="Export")
    assert ask(secret).json()["email"] == "alice@example.org"
    assert ask(secret, "/api/projects/demo/").json()["role"] == "annotator"
    assert ask(secret, "/api/projects/demo/members/").status_code == 403


def test_is_shown_once_on_the_page(client, alice):
    client.force_login(alice)
    response = client.post("/tokens/", {"name": "Export"})
    secret = response.content.decode().split('data-copy="')[1].split('"')[0]
    assert "no-store" in response.headers["Cache-Control"]
    assert ask(secret).status_code == 200
    again = client.get("/tokens/").content.decode()
    assert "Export" in again
    assert secret[:12] in again
    assert secret not in again


def test_only_the_digest_is_kept(alice):
    _, secret = make_token(alice, name="Export")
    assert secret not in str([*ApiToken.objects.values(), *Event.objects.values()])


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer truing_no", "Bearer a b", "Bearer ü", "Bearer \x00"]
)
def test_what_is_no_token_is_401(db, client, header):
    response = client.get("/api/me/", headers={"Authorization": header})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.json()["detail"].endswith(".")


def test_a_page_does_not_take_a_token(alice):
    _, secret = make_token(alice, name="Export")
    assert ask(secret, "/account/").status_code == 302


def test_a_wrong_token_beside_a_session_is_not_the_session(client, alice):
    client.force_login(alice)
    assert client.get("/api/me/").status_code == 200
    assert client.get("/api/me/", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_revoked_it_is_dead(client, alice):
    token, secret = make_token(alice, name="Export")
    client.force_login(alice)
    client.post(f"/tokens/{token.pk}/revoke/")
    assert ask(secret).status_code == 401
    with pytest.raises(AlreadyRevoked):
        revoke_token(token, actor=alice)
    assert client.post(f"/tokens/{token.pk}/revoke/").status_code == 404


def test_dead_at_once_when_its_person_is_switched_off(alice):
    _, secret = make_token(alice, name="Export")
    switch_user(alice, active=False, actor=None)
    assert ask(secret).status_code == 401


def test_nobody_revokes_anothers(client, alice, owen):
    token, secret = make_token(alice, name="Export")
    client.force_login(owen)
    assert client.post(f"/tokens/{token.pk}/revoke/").status_code == 404
    assert client.delete(f"/api/tokens/{token.pk}/").status_code == 404
    assert ask(secret).status_code == 200


def test_a_token_makes_no_token_but_revokes_itself(alice):
    token, secret = make_token(alice, name="Export")
    body = {"data": {"name": "Another"}, "content_type": "application/json"}
    response = ask(secret, "/api/tokens/", "post", **body)
    assert response.status_code == 403
    assert "cannot make another" in response.json()["detail"]
    assert ask(secret, f"/api/tokens/{token.pk}/", "delete").status_code == 204
    assert ask(secret).status_code == 401


def test_a_session_makes_one_through_the_api(client, alice):
    client.force_login(alice)
    made = client.post("/api/tokens/", {"name": "Export"}, content_type="application/json")
    assert made.status_code == 201
    assert ask(made.json()["token"]).status_code == 200
    [listed] = client.get("/api/tokens/").json()["results"]
    assert "token" not in listed


def test_its_use_is_noted_once_a_minute(alice, django_assert_num_queries):
    token, secret = make_token(alice, name="Export")
    ask(secret)
    token.refresh_from_db()
    first = token.last_used_at
    assert timezone.now() - first < timedelta(seconds=10)
    with django_assert_num_queries(1):
        ask(secret)
    ApiToken.objects.update(last_used_at=first - timedelta(minutes=2))
    ask(secret)
    token.refresh_from_db()
    assert token.last_used_at > first - timedelta(minutes=1)


@pytest.mark.parametrize("name", ["", "   ", "x" * 101])
def test_needs_a_name(alice, name):
    with pytest.raises(Invalid):
        make_token(alice, name=name)


def test_there_are_only_so_many(alice):
    ApiToken.objects.bulk_create(
        ApiToken(user=alice, name="x", digest=str(number)) for number in range(50)
    )
    with pytest.raises(TooManyTokens):
        make_token(alice, name="One more")
    revoke_token(ApiToken.objects.first(), actor=alice)
    make_token(alice, name="One more")


def test_more_tokens_need_no_more_queries(client, project, django_assert_num_queries):
    olga = make.member(project, "olga")
    client.force_login(olga)
    make_token(olga, name="1")
    client.get("/tokens/")
    with django_assert_num_queries(3):
        client.get("/tokens/")
    for number in range(10):
        make_token(olga, name=str(number))
    with django_assert_num_queries(3):
        client.get("/tokens/")
