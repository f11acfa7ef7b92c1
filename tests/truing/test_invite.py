"""Invitations: one link, one person, one role, once, and only while an owner means it."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests import make
from tests.together import with_a_transaction_open
from truing.add_member import AlreadyAMember
from truing.add_user import AccountExists
from truing.change_role import OnlyOwners, change_role
from truing.errors import Invalid
from truing.invite import InvitationOver, SomebodyElse, accept, accept_as_new, invite, revoke
from truing.models import Event, Invitation, Membership, User
from truing.remove_member import remove_member
from truing.switch_user import switch_user

Role = Membership.Role
PASSWORD = "green-llamas-spin"


def role_of(email):
    return Role(Membership.objects.get(user__email=email).role)


def address(secret):
    return reverse("invitation", args=[secret])


def test_a_newcomer_makes_an_account_and_is_in(client, project, owen):
    client.force_login(owen)
    page = client.post("/p/demo/invitations/", {"email": "nora@example.org", "role": "reviewer"})
    link = page.content.decode().split('data-copy="http://testserver')[1].split('"')[0]
    visitor = Client()
    assert "nora@example.org as reviewer" in visitor.get(link).content.decode()
    joined = visitor.post(link, {"name": "Nora", "password": PASSWORD})
    assert joined.status_code == 302
    assert role_of("nora@example.org") == Role.REVIEWER
    assert visitor.get("/account/").status_code == 200
    assert visitor.login(username="nora@example.org", password=PASSWORD)
    assert Client().get(link).status_code == 410


def test_a_weak_password_makes_no_account(client, project, owen):
    _, secret = invite(project, "nora@example.org", Role.ANNOTATOR, actor=owen)
    response = client.post(address(secret), {"name": "Nora", "password": "short"})
    assert response.status_code == 422
    assert "at least 10 characters" in response.content.decode()
    assert not User.objects.filter(email="nora@example.org").exists()
    assert client.get(address(secret)).status_code == 200


def test_who_has_an_account_signs_in_to_accept(client, project, owen, mallory):
    _, secret = invite(project, "Mallory@example.org", Role.CURATOR, actor=owen)
    page = client.get(address(secret)).content.decode()
    assert f"/sign-in/?next={address(secret)}" in page
    assert 'type="password"' not in page
    # Whoever has the link alone gets neither in nor a new password.
    client.post(address(secret), {"name": "Not Mallory", "password": PASSWORD})
    assert not Membership.objects.filter(user=mallory).exists()
    mallory.refresh_from_db()
    assert not mallory.has_usable_password()
    client.force_login(mallory)
    assert client.post(address(secret)).status_code == 302
    assert role_of("mallory@example.org") == Role.CURATOR


def test_nobody_accepts_for_somebody_else(client, project, owen, mallory):
    invitation, secret = invite(project, "nora@example.org", Role.OWNER, actor=owen)
    client.force_login(mallory)
    assert "for somebody else" in client.get(address(secret)).content.decode()
    assert client.post(address(secret)).status_code == 403
    with pytest.raises(SomebodyElse):
        accept(invitation, user=mallory)
    assert not Membership.objects.filter(user=mallory).exists()


def test_an_account_that_came_into_being_meanwhile_is_not_taken_over(project, owen):
    invitation, _ = invite(project, "nora@example.org", Role.OWNER, actor=owen)
    nora = make.user("nora")
    with pytest.raises(AccountExists):
        accept_as_new(invitation, name="Mallory", password=PASSWORD)
    nora.refresh_from_db()
    assert not nora.has_usable_password()


def test_works_once(project, owen, mallory):
    invitation, _ = invite(project, mallory.email, Role.CURATOR, actor=owen)
    accept(invitation, user=mallory)
    remove_member(Membership.objects.get(user=mallory), actor=owen)
    with pytest.raises(InvitationOver):
        accept(invitation, user=mallory)


def test_ends_after_a_week(project, owen, mallory):
    invitation, secret = invite(project, mallory.email, Role.CURATOR, actor=owen)
    assert timedelta(days=6.9) < invitation.expires_at - timezone.now() <= timedelta(days=7)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(InvitationOver):
        accept(invitation, user=mallory)


def test_withdrawn_it_opens_nothing(client, project, owen, mallory):
    invitation, secret = invite(project, mallory.email, Role.CURATOR, actor=owen)
    client.force_login(owen)
    client.post(reverse("revoke_invitation", args=["demo", invitation.pk]))
    with pytest.raises(InvitationOver):
        accept(invitation, user=mallory)
    with pytest.raises(InvitationOver):
        revoke(invitation, actor=owen)
    assert Client().get(address(secret)).status_code == 410


def test_a_second_invitation_takes_the_place_of_the_first(project, owen, mallory):
    first, _ = invite(project, mallory.email, Role.OWNER, actor=owen)
    second, _ = invite(project, mallory.email.upper(), Role.ANNOTATOR, actor=owen)
    with pytest.raises(InvitationOver):
        accept(first, user=mallory)
    accept(second, user=mallory)
    assert role_of(mallory.email) == Role.ANNOTATOR


def test_only_owners_invite(project, owen, erin):
    with pytest.raises(OnlyOwners):
        invite(project, "nora@example.org", Role.ANNOTATOR, actor=erin)


@pytest.mark.parametrize("end", ["removed", "demoted", "switched off"])
def test_invitations_of_who_is_no_owner_any_more_end(project, owen, mallory, end):
    olga = make.member(project, "olga", "OWNER")
    invitation, _ = invite(project, mallory.email, Role.OWNER, actor=olga)
    hers = Membership.objects.get(user=olga)
    if end == "removed":
        remove_member(hers, actor=owen)
    elif end == "demoted":
        change_role(hers, Role.ENGINEER, actor=owen)
    else:
        switch_user(olga, active=False, actor=None)
    with pytest.raises(InvitationOver):
        accept(invitation, user=mallory)


def test_a_member_is_not_invited_again(project, owen, alice):
    with pytest.raises(AlreadyAMember):
        invite(project, "ALICE@example.org", Role.OWNER, actor=owen)


@pytest.mark.parametrize("email", ["", "nobody", "a@b", "a b@c.org", "x" * 300 + "@example.org"])
def test_an_address_that_is_none_is_refused(project, owen, email):
    with pytest.raises(Invalid):
        invite(project, email, Role.ANNOTATOR, actor=owen)
    assert not Invitation.objects.exists()


def test_letters_that_look_the_same_are_the_same(project, owen):
    invitation, _ = invite(project, "mi\u212ae@example.org", Role.ANNOTATOR, actor=owen)
    assert invitation.email == "miKe@example.org"


def test_only_the_digest_is_kept_and_both_steps_are_in_the_log(project, owen, mallory):
    invitation, secret = invite(project, mallory.email, Role.CURATOR, actor=owen)
    accept(invitation, user=mallory)
    verbs = list(Event.objects.in_project(project).order_by("pk").values_list("verb", flat=True))
    assert verbs == ["invitation.make", "invitation.accept", "member.add"]
    rows = [*Invitation.objects.values(), *Event.objects.values()]
    assert secret not in str(rows)


@pytest.mark.django_db(transaction=True)
def test_a_removal_at_the_same_moment_wins_or_waits():
    """An owner is removed while an invitation of theirs is being accepted: never both ways."""
    project = make.project()
    owen, olga = make.member(project, "owen", "OWNER"), make.member(project, "olga", "OWNER")
    mallory = make.user("mallory")
    invitation, _ = invite(project, mallory.email, Role.OWNER, actor=olga)
    # Without the lock it would have looked, found olga still an owner, and let mallory in.
    _, refusal = with_a_transaction_open(
        lambda: remove_member(Membership.objects.get(user=olga), actor=owen),
        lambda: accept(invitation, user=mallory),
    )
    assert isinstance(refusal, InvitationOver)
    assert not Membership.objects.filter(user=mallory).exists()
