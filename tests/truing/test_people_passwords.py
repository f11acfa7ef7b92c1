"""Passwords: links to set one, who may make them, and changing one's own."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests import make
from truing.change_role import change_role
from truing.errors import Invalid
from truing.models import Event, Membership, PasswordLink
from truing.password_link import (
    LinkOver,
    NotYoursToReset,
    YourOwnPassword,
    make_password_link,
    use_password_link,
)
from truing.remove_member import remove_member
from truing.set_password import set_password
from truing.switch_user import switch_user

PASSWORD = "green-llamas-spin"
ANOTHER = "purple-otters-swim"


def membership(project, user):
    return Membership.objects.get(project=project, user=user)


def test_an_owner_hands_over_a_link_that_works_once(client, project, owen, alice):
    client.force_login(owen)
    pk = membership(project, alice).pk
    page = client.post(reverse("member_password_link", args=["demo", pk])).content.decode()
    address = page.split('data-copy="http://testserver')[1].split('"')[0]
    visitor = Client()
    for _ in range(2):  # a preview of the link does not use it up
        assert "alice@example.org" in visitor.get(address).content.decode()
    assert visitor.post(address, {"password": PASSWORD}).headers["Location"] == "/sign-in/"
    assert visitor.login(username="alice@example.org", password=PASSWORD)
    assert Client().post(address, {"password": ANOTHER}).status_code == 410
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_only_the_digest_of_a_link_is_kept(project, owen, alice):
    link, secret = make_password_link(alice, project=project, actor=owen)
    kept = " ".join(str(value) for value in vars(link).values())
    assert secret not in kept
    assert secret not in " ".join(str(event.details) for event in Event.objects.all())


def test_a_link_ends_after_a_week(project, owen, alice):
    link, _ = make_password_link(alice, project=project, actor=owen)
    assert timedelta(days=6.9) < link.expires_at - timezone.now() <= timedelta(days=7)
    PasswordLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(LinkOver):
        use_password_link(link, PASSWORD)


def test_a_newer_link_ends_the_older_one(project, owen, alice):
    older, _ = make_password_link(alice, project=project, actor=owen)
    make_password_link(alice, project=project, actor=owen)
    with pytest.raises(LinkOver):
        use_password_link(older, PASSWORD)


def test_a_link_for_somebody_switched_off_opens_nothing(client, project, owen, alice):
    _, secret = make_password_link(alice, project=project, actor=owen)
    switch_user(alice, active=False, actor=None)
    assert client.get(reverse("set_password", args=[secret])).status_code == 410


def test_no_owner_takes_over_an_account_with_rights_elsewhere(project, owen, alice):
    Membership.objects.create(project=make.project("secret"), user=alice)
    with pytest.raises(NotYoursToReset, match="operator"):
        make_password_link(alice, project=project, actor=owen)
    make_password_link(alice, project=None, actor=None)


def test_no_owner_takes_over_by_a_link_made_before_the_rights_elsewhere(project, owen, alice):
    link, _ = make_password_link(alice, project=project, actor=owen)
    Membership.objects.create(project=make.project("secret"), user=alice)
    with pytest.raises(LinkOver):
        use_password_link(link, PASSWORD)
    alice.refresh_from_db()
    assert not alice.has_usable_password()


def test_who_is_no_owner_any_more_has_no_use_of_links_made_before(project, owen, alice):
    make.member(project, "olga", "OWNER")
    link, _ = make_password_link(alice, project=project, actor=owen)
    change_role(membership(project, owen), Membership.Role.ENGINEER, actor=None)
    with pytest.raises(LinkOver):
        use_password_link(link, PASSWORD)


def test_who_was_removed_is_nobodys_to_reset(project, owen, alice):
    link, _ = make_password_link(alice, project=project, actor=owen)
    remove_member(membership(project, alice), actor=owen)
    with pytest.raises(LinkOver):
        use_password_link(link, PASSWORD)


@pytest.mark.parametrize("right", ["is_staff", "is_superuser", "may_create_projects"])
def test_no_owner_takes_over_rights_on_the_whole_server(project, owen, alice, right):
    setattr(alice, right, True)
    alice.save()
    with pytest.raises(NotYoursToReset):
        make_password_link(alice, project=project, actor=owen)


def test_everybody_below_an_owner_makes_no_link(project, erin, alice):
    with pytest.raises(NotYoursToReset):
        make_password_link(alice, project=project, actor=erin)


def test_an_owner_of_all_their_projects_may_help(project, owen, alice):
    second = make.project("second")
    Membership.objects.create(project=second, user=alice)
    Membership.objects.create(project=second, user=owen, role=Membership.Role.OWNER)
    make_password_link(alice, project=project, actor=owen)


def test_ones_own_password_is_changed_with_the_present_one(project, owen):
    with pytest.raises(YourOwnPassword):
        make_password_link(owen, project=project, actor=owen)


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("short", "at least 10 characters"),
        ("password123", "too common"),
        ("73920175648391", "entirely numeric"),
        ("alice@example.org", "too similar"),
        ("x" * 1001, "at most 1000"),
    ],
)
def test_a_weak_password_is_refused_in_one_sentence_and_the_link_lives(
    project, owen, alice, password, sentence
):
    link, _ = make_password_link(alice, project=project, actor=owen)
    with pytest.raises(Invalid, match=sentence) as refusal:
        use_password_link(link, password)
    assert str(refusal.value).rstrip(".").count(". ") == 0
    use_password_link(link, PASSWORD)


def test_a_new_password_ends_sessions_and_links(client, project, owen, alice):
    link, _ = make_password_link(alice, project=project, actor=owen)
    client.force_login(alice)
    set_password(alice, PASSWORD, actor=None)
    assert client.get("/account/").status_code == 302
    with pytest.raises(LinkOver):
        use_password_link(link, ANOTHER)


def test_changing_ones_own_password(client, project, alice):
    set_password(alice, PASSWORD, actor=None)
    client.login(username=alice.email, password=PASSWORD)
    elsewhere = Client()
    elsewhere.login(username=alice.email, password=PASSWORD)
    wrong = client.post("/account/", {"present": "wrong", "password": ANOTHER})
    assert wrong.status_code == 422
    assert "That is not your present password." in wrong.content.decode()
    right = client.post("/account/", {"present": PASSWORD, "password": ANOTHER})
    assert right.status_code == 302
    assert client.get("/account/").status_code == 200
    assert elsewhere.get("/account/").status_code == 302
    assert Client().login(username=alice.email, password=ANOTHER)


def test_a_stolen_session_does_not_guess_the_password(client, project, alice):
    set_password(alice, PASSWORD, actor=None)
    client.force_login(alice)
    for _ in range(10):
        client.post("/account/", {"present": "wrong", "password": ANOTHER})
    response = client.post("/account/", {"present": PASSWORD, "password": ANOTHER})
    assert "Too many wrong passwords" in response.content.decode()
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)
