"""Signing in and out: who gets in, where to, and how often one may try."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests import make
from truing.models import SignInAttempt, User
from truing.set_password import set_password
from truing.sign_in import ATTEMPTS, ATTEMPTS_FROM_AN_ADDRESS
from truing.switch_user import switch_user

PASSWORD = "green-llamas-spin"


@pytest.fixture
def olga(db):
    olga = make.user("olga")
    set_password(olga, PASSWORD, actor=None)
    return olga


def sign_in(client, email="olga@example.org", password=PASSWORD, **more):
    return client.post(reverse("sign_in"), {"email": email, "password": password, **more})


def is_signed_in(client):
    return client.get(reverse("home")).status_code == 200


def test_signs_in_with_address_and_password_in_any_case(client, olga):
    response = sign_in(client, email=" OLGA@Example.org ")
    assert response.headers["Location"] == reverse("home")
    assert is_signed_in(client)


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("olga@example.org", "something else"),
        ("nobody@example.org", PASSWORD),
        ("olga@example.org\x00", PASSWORD),
        ("olga@example.org", PASSWORD + " "),
    ],
)
def test_one_answer_to_all_that_is_wrong(client, olga, email, password):
    response = sign_in(client, email=email, password=password)
    assert response.status_code == 422
    text = response.content.decode()
    assert "is not right" in text or "Null characters" in text
    assert not is_signed_in(client)


def test_does_not_tell_that_an_account_is_switched_off(client, olga):
    switch_user(olga, active=False, actor=None)
    response = sign_in(client)
    assert "The e-mail address or the password is not right." in response.content.decode()


def test_goes_on_to_where_one_wanted_to(client, olga):
    page = client.get("/account/").headers["Location"]
    assert page == "/sign-in/?next=/account/"
    assert 'name="next" value="/account/"' in client.get(page).content.decode()
    assert sign_in(client, next="/account/").headers["Location"] == "/account/"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "///evil.example",
        "javascript:alert(1)",
        "http:evil.example",
        "\t//evil.example",
    ],
)
def test_never_sends_anybody_to_another_site(client, olga, target):
    assert sign_in(client, next=target).headers["Location"] == "/"


def test_who_is_signed_in_goes_on_at_once(client, olga):
    client.force_login(olga)
    assert client.get("/sign-in/?next=/account/").headers["Location"] == "/account/"
    assert client.get("/sign-in/?next=//evil.example").headers["Location"] == "/"


def test_signs_out_by_post_alone(client, olga):
    client.force_login(olga)
    assert client.get(reverse("sign_out")).status_code == 405
    assert is_signed_in(client)
    client.post(reverse("sign_out"))
    assert not is_signed_in(client)


def test_the_session_gets_a_new_key_and_its_cookie_is_out_of_reach(client, olga):
    client.get(reverse("sign_in"))
    before = client.session.session_key
    cookie = sign_in(client).cookies["truing_session"]
    assert cookie.value != before
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_stops_after_so_many_wrong_passwords_even_for_the_right_one(client, olga):
    for _ in range(ATTEMPTS):
        assert sign_in(client, password="wrong").status_code == 422
    response = sign_in(client)
    assert response.status_code == 429
    assert "Try again in a quarter of an hour." in response.content.decode()
    assert not is_signed_in(client)


def test_other_places_and_other_people_are_not_shut_out(client, olga):
    for _ in range(ATTEMPTS):
        sign_in(client, password="wrong")
    assert sign_in(Client(REMOTE_ADDR="192.0.2.7")).status_code == 302
    assert sign_in(client, email="somebody@example.org", password="x").status_code == 422


def test_trying_again_while_shut_out_does_not_make_it_longer(client, olga):
    for _ in range(ATTEMPTS + 5):
        sign_in(client, password="wrong")
    SignInAttempt.objects.update(at=timezone.now() - timedelta(minutes=16))
    assert sign_in(client).status_code == 302


def test_one_password_tried_on_everybody_is_stopped_too(client, olga):
    SignInAttempt.objects.bulk_create(
        SignInAttempt(email=f"p{number}@example.org", address="127.0.0.1")
        for number in range(ATTEMPTS_FROM_AN_ADDRESS)
    )
    assert sign_in(client).status_code == 429


def test_a_right_password_forgets_the_wrong_ones(client, olga):
    sign_in(client, password="wrong")
    sign_in(client)
    assert not SignInAttempt.objects.exists()


def test_only_a_configured_proxy_says_where_a_request_comes_from(client, olga, settings):
    client.post(
        "/sign-in/", {"email": "a@b.org", "password": "x"}, headers={"X-Forwarded-For": "1.2.3.4"}
    )
    assert SignInAttempt.objects.get().address == "127.0.0.1"
    settings.HTTPS = True
    client.post(
        "/sign-in/",
        {"email": "a@b.org", "password": "x"},
        headers={"X-Forwarded-For": "6.6.6.6, 5.6.7.8"},
    )
    assert SignInAttempt.objects.latest("pk").address == "5.6.7.8"


def test_a_session_ends_when_its_person_is_switched_off(client, olga):
    client.force_login(olga)
    assert is_signed_in(client)
    switch_user(olga, active=False, actor=None)
    assert not is_signed_in(client)


def test_one_address_is_one_account_in_any_case(db):
    make.user("olga")
    with pytest.raises(Exception, match="one_user_per_email"):
        User.objects.create_user("OLGA@example.org")
