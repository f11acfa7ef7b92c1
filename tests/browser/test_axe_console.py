"""Everybody can use the console: axe finds nothing wrong with any page, be it full or empty."""

import pytest
from django.test import Client
from django.utils import timezone

from alignment.models import Checkpoint, Review, Run
from annotation.freeze import freeze
from annotation.models import Annotator, Firing, Flag, Grant, Guideline, Queue, Rule, Standing
from annotation.task_types import TASK_TYPES
from tests import make
from tests.browser.every_type import task_of
from tests.test_every_url import address_of, is_api
from tests.url_roles import ANYBODY, SELF, URL_ROLES

PAGES = [
    name
    for name, methods in URL_ROLES.items()
    if "GET" in methods and methods["GET"] not in (ANYBODY, SELF) and not is_api(name)
]
LOOKS = [("light", 1280), ("dark", 380)]
KINDS = ["preference", "unpaired_preference", "label", "critique", "instruction", "text"]


@pytest.fixture
def busy(project, owen, alice):
    """A project in which something of everything has happened."""
    for name in TASK_TYPES:
        task_of(project, name)
    queue = Queue.objects.get(project=project, type="pairwise")
    Guideline.objects.create(queue=queue, number=1, text="# Be fair\n\n- one\n- two")
    for number in range(6):
        make.vote(make.task(project, queue=queue), "a", "b", by=f"voter {number % 2}")
    Flag.objects.create(task=make.task(project, queue=queue), reason="It is empty.")
    person = Annotator.objects.member(project, alice)
    Grant.objects.create(annotator=person, skill="language:de", how="hand")
    standing = Standing.objects.create(
        queue=queue,
        annotator=person,
        answers=40,
        gold=9,
        gold_right=5,
        compared=30,
        agreed=14,
        lefts=30,
        rights=9,
        suspicion=4,
    )
    Rule.objects.create(project=project, queue=queue, when="careless", then=["pause"])
    Firing.objects.create(standing=standing, when="careless", then=["pause"], reason="So.")
    Annotator.objects.filter(pk=person.pk).update(
        paused_at=timezone.now(), paused_because="Please wait."
    )
    version = freeze(project, name="pairs", kind="preference", actor=owen, note="**The first.**")
    models = [
        Checkpoint.objects.create(project=project, name=name, kind="policy", path=f"/no/{name}")
        for name in ("new", "old")
    ]
    for state in Run.State.values:
        run = Run.objects.create(project=project, method="dpo", state=state, base=models[1])
        run.datasets.add(version)
    for state in ("open", "finished"):
        Review.objects.create(
            project=project, candidate=models[0], baseline=models[1], prompts=[], state=state
        )
    make.endpoint(project, "vendor", problem="Nobody answers there.", checked_at=timezone.now())
    return project


def is_a_page(address, person):
    """What is downloaded is looked at by other programs, and a part of a page within its page."""
    client = Client()
    client.force_login(person)
    response = client.get(address)
    is_html = response.headers["Content-Type"].startswith("text/html")
    return is_html and b"<html" in response.content


@pytest.mark.parametrize("name", PAGES)
def test_every_page(busy, owen, open_page, axe, name):
    address = address_of(name, busy, owen)
    if not is_a_page(address, owen):
        return
    page = open_page(owen)
    page.goto(address)
    page.wait_for_load_state("networkidle")
    assert axe(page, looks=LOOKS) == ""
    # No page is wider than a telephone.
    page.set_viewport_size({"width": 380, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 380


@pytest.mark.parametrize(
    "name", ["queues", "prompts", "answers", "annotators", "skills", "flags", "datasets", "runs"]
)
def test_every_list_while_it_is_empty(project, owen, open_page, axe, name):
    page = open_page(owen)
    page.goto(address_of(name, project, owen))
    page.wait_for_load_state("networkidle")
    assert axe(page, looks=LOOKS) == ""


@pytest.mark.parametrize("name", TASK_TYPES)
def test_a_new_queue_of_every_type(project, owen, open_page, axe, name):
    page = open_page(owen)
    page.goto(f"/p/demo/new-queue/?type={name}")
    page.locator("summary", has_text="How the questions are handed out").click()
    assert axe(page, looks=LOOKS) == ""


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_dataset_of_every_kind(busy, owen, open_page, axe, kind):
    page = open_page(owen)
    page.goto(f"/p/demo/new-dataset/?kind={kind}")
    page.wait_for_load_state("networkidle")
    assert axe(page, looks=LOOKS) == ""
