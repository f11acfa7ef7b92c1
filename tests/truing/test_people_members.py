"""Members of a project: their roles change, they leave, and an owner always remains."""

import pytest
from django.urls import reverse

from tests import make
from tests.together import with_a_transaction_open
from truing.add_member import AlreadyAMember, add_member
from truing.change_role import LastOwner, NotAMember, OnlyOwners, change_role
from truing.models import Event, Invitation, Membership
from truing.remove_member import remove_member
from truing.switch_user import switch_user

Role = Membership.Role


def membership(user):
    return Membership.objects.get(user=user)


def test_an_owner_changes_a_role(client, project, owen, alice):
    client.force_login(owen)
    address = reverse("member_role", args=["demo", membership(alice).pk])
    assert client.post(address, {"role": "curator"}).headers["Location"] == "/p/demo/members/"
    assert membership(alice).role == Role.CURATOR
    event = Event.objects.get(verb="member.change_role")
    assert (event.actor, event.details) == (owen, {"before": "annotator", "after": "curator"})


@pytest.mark.parametrize("word", ["", "king", "5", "OWNER "])
def test_a_role_that_is_none_changes_nothing(client, project, owen, alice, word):
    client.force_login(owen)
    address = reverse("member_role", args=["demo", membership(alice).pk])
    response = client.post(address, {"role": word})
    assert response.status_code == 422
    assert "There are: annotator, reviewer, curator, engineer, owner." in response.content.decode()
    assert membership(alice).role == Role.ANNOTATOR


def test_nobody_below_an_owner_gives_a_role(project, owen, erin, alice):
    with pytest.raises(OnlyOwners):
        change_role(membership(erin), Role.OWNER, actor=erin)
    with pytest.raises(OnlyOwners):
        change_role(membership(alice), Role.REVIEWER, actor=erin)
    with pytest.raises(OnlyOwners):
        remove_member(membership(alice), actor=erin)


def test_an_owner_elsewhere_is_nobody_here(project, alice):
    olga = make.member(make.project("elsewhere"), "olga", "OWNER")
    with pytest.raises(OnlyOwners):
        change_role(membership(alice), Role.OWNER, actor=olga)


def test_an_owner_cannot_reach_another_projects_member(client, project, owen):
    stranger = make.member(make.project("elsewhere"), "stranger")
    client.force_login(owen)
    pk = membership(stranger).pk
    for name in ("member_role", "member_remove", "member_password_link"):
        assert client.post(reverse(name, args=["demo", pk]), {"role": "owner"}).status_code == 404
    assert membership(stranger).role == Role.ANNOTATOR


def test_the_last_owner_stays(project, owen, erin):
    with pytest.raises(LastOwner):
        change_role(membership(owen), Role.ENGINEER, actor=owen)
    with pytest.raises(LastOwner):
        remove_member(membership(owen), actor=owen)
    with pytest.raises(LastOwner):
        remove_member(membership(owen), actor=None)
    change_role(membership(erin), Role.OWNER, actor=owen)
    remove_member(membership(owen), actor=owen)
    assert not Membership.objects.filter(user=owen).exists()


def test_the_page_says_why_the_last_owner_stays_and_shows_what_is_so(client, project, owen):
    client.force_login(owen)
    address = reverse("member_role", args=["demo", membership(owen).pk])
    text = client.post(address, {"role": "engineer"}, follow=True).content.decode()
    assert "A project needs an owner" in text
    assert '<option value="owner" selected>' in text


def test_an_owner_who_is_switched_off_does_not_count(project, owen):
    olga = make.member(project, "olga", "OWNER")
    switch_user(olga, active=False, actor=None)
    with pytest.raises(LastOwner):
        remove_member(membership(owen), actor=owen)


def test_who_is_removed_sees_nothing_more(client, project, owen, alice):
    client.force_login(alice)
    assert client.get("/api/projects/demo/").status_code == 200
    remove_member(membership(alice), actor=owen)
    assert client.get("/api/projects/demo/").status_code == 404
    assert "Demo" not in client.get("/").content.decode()


def test_the_answers_of_who_is_removed_stay(project, owen, alice):
    from annotation.models import Annotator

    annotator = Annotator.objects.create(project=project, user=alice, pseudonym="a1")
    remove_member(membership(alice), actor=owen)
    assert Annotator.objects.get(pk=annotator.pk).user == alice


def test_who_is_removed_twice_is_gone_once(project, owen, alice):
    hers = membership(alice)
    remove_member(hers, actor=owen)
    hers.pk = hers.pk or 0
    with pytest.raises(NotAMember):
        remove_member(hers, actor=owen)
    assert Event.objects.filter(verb="member.remove").count() == 1


def test_nobody_is_a_member_twice(project, alice):
    with pytest.raises(AlreadyAMember):
        add_member(project, alice, Role.OWNER, actor=None)
    assert membership(alice).role == Role.ANNOTATOR


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_remove_each_other_leave_one():
    project = make.project()
    owen, olga = make.member(project, "owen", "OWNER"), make.member(project, "olga", "OWNER")
    hers, his = membership(olga), membership(owen)
    _, refusal = with_a_transaction_open(
        lambda: remove_member(hers, actor=owen), lambda: remove_member(his, actor=olga)
    )
    assert isinstance(refusal, OnlyOwners)
    assert Membership.objects.owners().get(project=project).user == owen


def test_the_page_shows_members_and_invitations_and_finds(client, project, owen, alice, clara):
    Invitation.objects.create(
        project=project,
        email="nora@example.org",
        role=Role.CURATOR,
        digest="x",
        created_by=owen,
        expires_at="2999-01-01T00:00Z",
    )
    client.force_login(owen)
    text = client.get("/p/demo/members/").content.decode()
    assert "alice@example.org" in text
    assert "nora@example.org" in text
    found = client.get("/p/demo/members/?q=CLAR").content.decode()
    assert "clara@example.org" in found
    assert "alice@example.org" not in found


def test_the_page_goes_on_by_key(client, project, owen, monkeypatch):
    monkeypatch.setattr("truing.views.members.A_PAGE", 2)
    for name in "abcd":
        make.member(project, f"person-{name}")
    client.force_login(owen)
    seen, address = [], "/p/demo/members/"
    while address:
        response = client.get(address)
        seen += [member["email"] for member in response.context["members"]]
        address = response.context["next_url"]
    assert len(seen) == 5
    assert len(set(seen)) == 5


def test_more_members_need_no_more_queries(
    client, project, owen, django_assert_num_queries, django_assert_max_num_queries
):
    client.force_login(owen)
    with django_assert_max_num_queries(10) as few:
        client.get("/p/demo/members/")
    for number in range(20):
        make.member(project, f"person-{number}")
    with django_assert_num_queries(len(few)):
        client.get("/p/demo/members/")


def test_the_link_is_in_a_fragment_for_htmx(client, project, owen, alice):
    client.force_login(owen)
    address = reverse("member_password_link", args=["demo", membership(alice).pk])
    text = client.post(address, headers={"HX-Request": "true"}).content.decode()
    assert "/password/" in text
    assert "<html" not in text


def test_a_name_in_the_page_is_text(client, project, owen):
    make.member(project, "<script>alert(1)</script>")
    client.force_login(owen)
    assert "<script>alert" not in client.get("/p/demo/members/").content.decode()
