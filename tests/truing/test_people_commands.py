"""The commands `truing users` and `truing projects`."""

import json

import pytest
from django.core.management import CommandError, call_command

from truing.add_user import AccountExists
from truing.change_role import LastOwner
from truing.errors import Refused
from truing.models import Membership, User

PASSWORD = "green-llamas-spin"


@pytest.fixture
def truing(db, capsys):
    def run(*words):
        call_command(*words, "--json")
        return json.loads(capsys.readouterr().out.splitlines()[-1])

    return run


def test_a_first_account_and_project_from_nothing(truing, client):
    made = truing("users", "add", "olga@example.org", "--name", "Olga", "--may-create-projects")
    assert made["link"].startswith("http://127.0.0.1:8000/password/")
    assert made["may_create_projects"] is True
    client.post(made["link"].removeprefix("http://127.0.0.1:8000"), {"password": PASSWORD})
    assert client.login(username="olga@example.org", password=PASSWORD)
    project = truing("projects", "add", "Shop desk", "--owner", "olga@example.org")
    assert project == {"slug": "shop-desk", "name": "Shop desk"}
    assert truing("projects", "members", "shop-desk")["members"] == [
        {"email": "olga@example.org", "name": "Olga", "role": "owner"}
    ]


def test_an_address_in_use_is_refused(truing):
    truing("users", "add", "olga@example.org")
    with pytest.raises(AccountExists):
        truing("users", "add", "OLGA@example.org")
    assert [user["email"] for user in truing("users", "list")["users"]] == ["olga@example.org"]


def test_a_new_link_where_the_web_is(truing):
    truing("users", "add", "olga@example.org")
    made = truing("users", "link", "Olga@example.org", "--url", "https://truing.example/")
    assert made["link"].startswith("https://truing.example/password/")


def test_switching_off_and_on(truing):
    truing("users", "add", "olga@example.org")
    assert truing("users", "deactivate", "olga@example.org")["is_active"] is False
    assert not User.objects.get().is_active
    assert truing("users", "activate", "olga@example.org")["is_active"] is True


def test_members_come_change_and_go(truing):
    for name in ("olga", "nora"):
        truing("users", "add", f"{name}@example.org")
    truing("projects", "add", "Shop", "--owner", "olga@example.org")
    truing("projects", "members", "shop", "--add", "nora@example.org", "--role", "curator")
    truing("projects", "members", "shop", "--add", "nora@example.org", "--role", "engineer")
    assert Membership.objects.get(user__email="nora@example.org").role == 4
    after = truing("projects", "members", "shop", "--remove", "nora@example.org")
    assert [member["email"] for member in after["members"]] == ["olga@example.org"]
    with pytest.raises(LastOwner):
        truing("projects", "members", "shop", "--remove", "olga@example.org")


@pytest.mark.parametrize(
    "words",
    [
        ("users", "add", "nobody"),
        ("users", "link", "nobody@example.org"),
        ("projects", "members", "nowhere"),
        ("projects", "add", "Shop", "--owner", "nobody@example.org"),
        ("projects", "add", "Shop", "--eval-percent", "101"),
    ],
)
def test_bad_input_is_one_sentence(truing, words):
    with pytest.raises(Refused) as refusal:
        truing(*words)
    assert str(refusal.value).endswith(".")
    assert truing("projects", "list") == {"projects": []}


def test_an_action_is_needed(truing):
    with pytest.raises(CommandError, match="ACTION"):
        truing("users")
