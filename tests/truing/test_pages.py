"""Pages and fragments, refusals in both, and what a page may load."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import DataError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import include, path
from django.utils import timezone

from truing import pages
from truing.access import Role, project_for
from truing.database import refusal_in
from truing.errors import Invalid, Refused
from truing.models import User
from truing.templatetags.durations import ago

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/p/demo/desk/"}


class TooLate(Refused):
    """It is too late for that."""


def too_late(request):
    raise TooLate


def invalid(request):
    raise Invalid("A <b>name</b> is missing.")


def forbidden(request):
    raise PermissionDenied


def missing(request):
    raise Http404


def elsewhere(request):
    return redirect("/elsewhere/")


@login_required
def members_only(request):
    return HttpResponse("in")


def a_page(request, slug):
    project_for(request, slug, at_least=Role.ANNOTATOR)
    return pages.render(request, "truing/refused.html", {"sentence": "A page."})


urlpatterns = [
    path("too-late/", too_late),
    path("invalid/", invalid),
    path("forbidden/", forbidden),
    path("missing/", missing),
    path("elsewhere/", elsewhere),
    path("members-only/", members_only),
    path("p/<slug:slug>/some-page/", a_page),
    path("", include("truing.urls")),
]


@pytest.fixture(autouse=True)
def _these_addresses(settings):
    settings.ROOT_URLCONF = __name__
    settings.LOGIN_URL = "/sign-in/"


def test_a_refusal_is_a_page_with_its_sentence(client, db):
    response = client.get("/too-late/")
    assert response.status_code == 409
    assert "It is too late for that." in response.content.decode()
    assert "<html" in response.content.decode()


def test_a_refusal_to_htmx_goes_to_the_alert_region(client, db):
    response = client.post("/invalid/", headers=HTMX)
    assert response.status_code == 422
    assert response.headers["HX-Retarget"] == "#messages"
    text = response.content.decode()
    assert 'role="alert"' in text
    assert "A &lt;b&gt;name&lt;/b&gt; is missing." in text
    assert "<html" not in text


def test_what_the_database_cannot_keep_is_a_refusal(db):
    with pytest.raises(DataError) as error:
        User.objects.filter(name="a\x00b").exists()
    refusal = refusal_in(error.value)
    assert refusal.status == 422
    assert "cannot keep" in str(refusal)
    assert refusal_in(KeyError("a bug")) is None


@pytest.mark.parametrize(("address", "status"), [("/forbidden/", 403), ("/missing/", 404)])
def test_an_error_to_htmx_is_a_sentence_in_the_alert_region(client, db, address, status):
    response = client.get(address, headers=HTMX)
    assert response.status_code == status
    assert response.headers["HX-Retarget"] == "#messages"
    assert pages.SENTENCES[status] in response.content.decode()


@pytest.mark.parametrize(("address", "status"), [("/forbidden/", 403), ("/missing/", 404)])
def test_an_error_is_a_page_of_ours(client, db, address, status):
    response = client.get(address)
    assert response.status_code == status
    assert "All projects" in response.content.decode()


def test_a_redirect_to_htmx_moves_the_browser(client):
    response = client.post("/elsewhere/", headers=HTMX)
    assert response.status_code == 204
    assert response.headers["HX-Redirect"] == "/elsewhere/"


def test_who_has_been_signed_out_comes_back_to_the_page(client, db):
    response = client.post("/members-only/", headers=HTMX)
    assert response.headers["HX-Redirect"] == "/sign-in/?next=/p/demo/desk/"


def test_nothing_written_in_a_page_may_run(client, db):
    policy = client.get("/too-late/").headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy


def test_the_frame_shows_an_annotator_only_their_own(client, project, alice):
    client.force_login(alice)
    text = client.get("/p/demo/some-page/").content.decode()
    assert "Demo" in text
    assert ">Members</a>" not in text


def test_the_configuration_of_htmx_is_json(client, db):
    text = client.get("/too-late/").content.decode()
    config = text.split('name="htmx-config" content=\'')[1].split("'")[0]
    assert json.loads(config)["allowEval"] is False


# --- what the frame and the words of every page rest on


@pytest.mark.parametrize(
    ("address", "active"),
    [
        ("queues/", "queues"),
        ("new-queue/", "queues"),
        ("new-dataset/", "datasets"),
        ("", "project"),
    ],
)
def test_the_way_about_says_where_one_is(client, project, owen, address, active):
    client.force_login(owen)
    response = client.get(f"/p/{project.slug}/{address}")
    items = [item for group in response.context["nav"] for item in group["items"]]
    assert [item["name"] for item in items if item["active"]] == [active]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "just now"), (59, "just now"), (61, "1\xa0minute ago"), (9000, "2\xa0hours ago")],
)
def test_says_how_long_ago(seconds, words):
    moment = timezone.now() - timedelta(seconds=seconds)
    assert ago(moment) == words
