"""The audit log: written with what it records, never changed, and read by owners."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from tests import make
from truing.audit import record
from truing.change_role import LastOwner, change_role
from truing.create_project import create_project
from truing.invite import invite
from truing.models import Event, Membership

Role = Membership.Role


def test_what_is_undone_is_not_in_the_log(project, owen, alice):
    class Broken(Exception):
        pass

    @transaction.atomic
    def change_and_break():
        change_role(Membership.objects.get(user=alice), Role.CURATOR, actor=owen)
        assert Event.objects.count() == 1
        raise Broken

    with pytest.raises(Broken):
        change_and_break()
    assert not Event.objects.exists()
    assert Membership.objects.get(user=alice).role == Role.ANNOTATOR


def test_what_is_refused_is_not_in_the_log(project, owen):
    with pytest.raises(LastOwner):
        change_role(Membership.objects.get(user=owen), Role.CURATOR, actor=owen)
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    "change", [lambda rows: rows.update(verb="nothing"), lambda rows: rows.delete()]
)
def test_a_line_is_neither_changed_nor_deleted(project, owen, change):
    record("queue.create", actor=owen, project=project)
    with pytest.raises(IntegrityError), transaction.atomic():
        change(Event.objects.all())
    assert Event.objects.get().verb == "queue.create"


def test_shows_who_did_what_to_what(client, project, owen, alice):
    change_role(Membership.objects.get(user=alice), Role.CURATOR, actor=owen)
    record("import.finish", actor=None, project=project, lines=12)
    client.force_login(owen)
    text = client.get("/p/demo/audit/").content.decode()
    for word in ("member.change_role", "alice", "owen", "curator", "the command line", "12"):
        assert word in text


def test_another_projects_events_stay_there(client, project, owen):
    olga = make.user("olga", may_create_projects=True)
    create_project("Elsewhere", actor=olga)
    client.force_login(owen)
    page = client.get("/p/demo/audit/")
    assert "project.create" not in page.content.decode()
    assert "olga" not in page.content.decode()
    assert client.get("/api/projects/demo/events/").json()["results"] == []


@pytest.fixture
def busy(project, owen, alice, erin):
    for number in range(5):
        record("queue.create", actor=owen, project=project, number=number)
        record("run.launch", actor=erin, project=project, number=number)
    record("run.cancel", actor=owen, project=project)
    return project


def test_filters_by_verb_and_person(client, busy, owen, erin):
    client.force_login(owen)

    def found(**asked):
        return len(client.get("/p/demo/audit/", asked).context["events"])

    assert found() == 11
    assert found(verb="run.launch") == 5
    assert found(person=owen.pk) == 6
    assert found(person=owen.pk, verb="run.cancel") == 1
    assert found(person=erin.pk, verb="run.cancel") == 0
    assert found(person="x", verb="run.cancel") == 1
    assert found(after="9" * 5000) == 11


def test_offers_the_verbs_and_people_that_there_are(client, busy, owen, erin):
    client.force_login(owen)
    context = client.get("/p/demo/audit/").context
    assert context["verbs"] == ["queue.create", "run.cancel", "run.launch"]
    assert list(context["people"]) == [erin, owen]


def test_goes_on_by_key_newest_first(client, busy, owen, monkeypatch):
    monkeypatch.setattr("truing.views.audit.A_PAGE", 2)
    client.force_login(owen)
    seen, address = [], "/p/demo/audit/?verb=queue.create"
    while address:
        context = client.get(address).context
        seen += [event["details"] for event in context["events"]]
        address = context["next_url"]
    assert seen == [[("number", str(number))] for number in (4, 3, 2, 1, 0)]


def test_more_events_need_no_more_queries(client, busy, owen, django_assert_num_queries):
    client.force_login(owen)
    client.get("/p/demo/audit/")
    with django_assert_num_queries(7) as few:
        client.get("/p/demo/audit/")
    for number in range(30):
        record("run.launch", actor=make.user(f"p{number}"), project=busy)
    with django_assert_num_queries(len(few)):
        client.get("/p/demo/audit/")


def test_the_api_gives_the_same(client, busy, owen, erin):
    client.force_login(owen)
    address = reverse("api_events", args=["demo"])
    first = client.get(address, {"limit": 3}).json()
    assert [event["verb"] for event in first["results"]] == [
        "run.cancel",
        "run.launch",
        "queue.create",
    ]
    assert first["results"][1]["actor"]["email"] == "erin@example.org"
    second = client.get(first["next"]).json()["results"]
    assert second[0]["id"] < first["results"][-1]["id"]
    assert len(client.get(address, {"person": erin.pk}).json()["results"]) == 5
    assert client.get(address, {"person": "erin"}).status_code == 422


def test_secrets_are_never_in_it(project, owen):
    _, secret = invite(project, "nora@example.org", Role.ANNOTATOR, actor=owen)
    assert secret not in str(list(Event.objects.values()))
