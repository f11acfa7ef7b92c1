"""Projects: who makes them, and the page one comes home to."""

import pytest

from tests import make
from truing.create_project import MayNotCreateProjects, SlugTaken, create_project
from truing.errors import Invalid
from truing.models import Event, Membership, Project


@pytest.fixture
def olga(db):
    return make.user("olga", may_create_projects=True)


def test_who_makes_it_owns_it(olga):
    project = create_project("Shop desk", description="Orders.", actor=olga)
    assert project.slug == "shop-desk"
    assert Membership.objects.get(project=project).role == Membership.Role.OWNER
    assert Event.objects.get().verb == "project.create"


def test_not_everybody_may(mallory):
    with pytest.raises(MayNotCreateProjects):
        create_project("Mine", actor=mallory)
    assert not Project.objects.exists()


def test_names_that_are_the_same_get_numbers(olga):
    slugs = [create_project("Shop", actor=olga).slug for _ in range(3)]
    assert slugs == ["shop", "shop-2", "shop-3"]


@pytest.mark.parametrize("name", ["магазин", "!!!", "---"])
def test_a_name_without_latin_letters_gets_a_short_name_too(olga, name):
    assert create_project(name, actor=olga).slug == "project"


def test_a_long_name_keeps_within_the_limit(olga):
    first, second = (create_project("a" * 200, actor=olga).slug for _ in range(2))
    assert first != second
    assert len(second) <= 80


def test_a_short_name_that_is_taken_is_refused(olga):
    create_project("One", slug="one", actor=olga)
    with pytest.raises(SlugTaken, match="“one”"):
        create_project("Two", slug="one", actor=olga)
    assert Project.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "  "},
        {"name": "x" * 201},
        {"slug": "a/b"},
        {"slug": "ü"},
        {"slug": "x" * 81},
        {"eval_percent": -1},
        {"review_percent": 101},
        {"eval_percent": 60, "review_percent": 60},
    ],
)
def test_bad_input_makes_nothing(olga, wrong):
    with pytest.raises(Invalid):
        create_project(**{"name": "Shop", **wrong}, actor=olga)
    assert not Project.objects.exists()


def test_the_form_says_what_is_wrong_and_keeps_what_was_typed(client, olga):
    create_project("One", slug="one", actor=olga)
    client.force_login(olga)
    form = {"name": "Two", "slug": "one", "eval_percent": 10, "review_percent": 10}
    response = client.post("/new-project/", form)
    assert response.status_code == 422
    assert 'value="Two"' in response.content.decode()
    assert client.post("/new-project/", {**form, "slug": ""}).status_code == 302
    assert Project.objects.get(name="Two").slug == "two"


def test_home_lists_ones_own_projects_alone(client, olga, mallory):
    create_project("Shop", description="Orders and refunds", actor=olga)
    client.force_login(olga)
    text = client.get("/").content.decode()
    assert "Orders and refunds" in text
    assert "owner" in text
    assert "1 member<" in text
    assert "New project" in text
    client.force_login(mallory)
    text = client.get("/").content.decode()
    assert "Shop" not in text
    assert "New project" not in text


def test_more_projects_need_no_more_queries(
    client, olga, django_assert_num_queries, django_assert_max_num_queries
):
    create_project("Shop", actor=olga)
    client.force_login(olga)
    with django_assert_max_num_queries(6) as few:
        client.get("/")
    for number in range(5):
        create_project(f"Shop {number}", actor=olga)
    with django_assert_num_queries(len(few)):
        client.get("/")
