"""A dispute is held by who opened it, until they decide or leave it; a late heartbeat never."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.adjudicate import hold_dispute, leave_as_it_is, let_go, take_dispute
from annotation.models import Dispute
from tests.annotation.disputes import disputed, settled


@pytest.fixture
def task(project):
    return disputed(project)


@pytest.mark.parametrize("decided", ["settled", "left", "let go"])
def test_a_heartbeat_that_comes_late_holds_nothing(task, rita, owen, client, decided):
    take_dispute(task, rita)
    if decided == "settled":
        settled(task, rita)
    elif decided == "left":
        leave_as_it_is(task, actor=rita)
    else:
        let_go(task, rita)
    client.force_login(rita)
    assert client.post(reverse("dispute_hold", args=["demo", task.pk])).status_code == 410
    assert not Dispute.objects.get().is_held
    assert take_dispute(task, owen)[1]


def test_who_has_not_opened_it_holds_nothing(task, rita, owen):
    assert not hold_dispute(task, owen)
    take_dispute(task, rita)
    let_go(task, rita)
    assert not hold_dispute(task, owen)
    assert Dispute.objects.get().held_by is None


def test_a_hold_that_ran_out_is_taken_up_again_unless_another_has_it(task, rita, owen):
    take_dispute(task, rita)
    Dispute.objects.update(held_until=timezone.now() - timedelta(minutes=1))
    assert hold_dispute(task, rita)
    Dispute.objects.update(held_until=timezone.now() - timedelta(minutes=1))
    assert take_dispute(task, owen)[1]
    assert not hold_dispute(task, rita)
