"""What somebody has typed is there when they come back."""

import pytest
from django.db import transaction
from django.urls import reverse

from annotation.assign import next_assignment
from annotation.correct import correct
from annotation.draft import AlreadyCorrected, save_correction_draft, save_draft
from annotation.models import Annotator, CorrectionDraft, Draft
from annotation.question import question_again
from annotation.skip import skip
from annotation.submit import submit
from tests import make
from tests.together import Other

HALF = {"answer": {"tiers": [["b"]]}, "reason": "Because"}


@pytest.fixture
def held(project, alice):
    make.task(project)
    return next_assignment(project, alice)


def test_a_draft_is_kept_with_the_order_shown(held):
    save_draft(held, {"reason": "Be"})
    save_draft(held, HALF)
    assert Draft.objects.get().content == {"shown": held.shown, **HALF}


def test_a_draft_is_one_persons(project, alice, bob):
    make.task(project, answers=2)
    save_draft(next_assignment(project, alice), HALF)
    save_draft(next_assignment(project, bob), {"reason": "Mine"})
    assert Draft.objects.get(annotator__user=alice).content["reason"] == "Because"
    assert Draft.objects.get(annotator__user=bob).content["reason"] == "Mine"


def test_a_draft_of_what_one_never_took_is_not_kept(project, held, bob):
    assert save_draft(held, HALF, annotator=Annotator.objects.member(project, bob)) is None
    assert Draft.objects.count() == 1


def test_no_draft_outlives_its_answer_or_a_skip(project, held, alice):
    submit(held, {"tiers": [["a"], ["b"]]}, key="k1")
    assert save_draft(held, HALF) is None
    make.task(project)
    other = next_assignment(project, alice)
    skip(other)
    assert save_draft(other, HALF) is None
    assert not Draft.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_draft_on_its_way_does_not_outlive_the_answer_that_overtook_it(project, alice):
    make.task(project)
    held = next_assignment(project, alice)

    with transaction.atomic():
        submit(held, {"tiers": [["a"], ["b"]]}, key="k1")
        late = Other(lambda: save_draft(held, HALF))
        late.waits()
    assert late.result() is None
    assert not Draft.objects.exists()


def test_a_correction_that_was_begun_is_there_again(held):
    given = submit(held, {"tiers": [["a"], ["b"]]}, key="k1", reason="Shorter")
    assert question_again(given).reason == "Shorter"
    save_correction_draft(given, {**HALF, "reason": "Longer, I", "seconds": 4})
    again = question_again(given)
    assert (again.reason, again.seconds) == ("Longer, I", 4)
    # What others see is the answer that was given.
    given.refresh_from_db()
    assert given.reason == "Shorter"


def test_no_draft_outlives_its_correction(held):
    given = submit(held, {"tiers": [["a"], ["b"]]}, key="k1")
    save_correction_draft(given, HALF)
    correct(given, {"tiers": [["b"], ["a"]]}, key="k2")
    with pytest.raises(AlreadyCorrected):
        save_correction_draft(given, HALF)
    assert not CorrectionDraft.objects.exists()


def test_the_page_keeps_the_draft_of_a_correction(held, client, alice, bob):
    given = submit(held, {"tiers": [["a"], ["b"]]}, key="k1")
    page, address = (
        reverse(name, args=["demo", given.pk]) for name in ("correct_answer", "correction_draft")
    )
    client.force_login(alice)
    assert f'data-draft-url="{address}"' in client.get(page).content.decode()
    response = client.post(address, {"choice": "0:3", "reason": "Kinder", "seconds": "2.5"})
    assert response.status_code == 204
    shown = client.get(page).content.decode()
    assert "Kinder" in shown
    assert "Your answer stays as you gave it until you save." in shown
    assert "Kinder" not in client.get(page, {"as_given": ""}).content.decode()
    client.force_login(bob)
    assert client.post(address, {"reason": "Mine"}).status_code == 404
