"""A rule is changed where it stands."""

import pytest

from annotation.assign import next_assignment
from annotation.models import Firing, Rule
from annotation.set_rules import RuleIsGone, edit_rule, remove_rule
from tests import make
from tests.annotation.test_rules import A, B, answer, rule
from truing.errors import Invalid
from truing.models import Event


@pytest.fixture
def told(project, alice):
    """A rule that told Alice that she failed a check; she has more to answer."""
    queue = make.queue(project)
    watches = rule(queue, "check_failed", "tell", failed=1)
    make.task(project, queue=queue, gold=A, is_check=True)
    for _ in range(3):
        make.task(project, queue=queue)
    answer(project, alice, B)
    assert Firing.objects.get().then == ["tell"]
    return watches


def test_a_rule_is_changed_where_it_stands_and_what_it_did_stays(project, clara, told):
    edit_rule(told, options={"failed": 5}, sentence=" Read both. ", actor=clara)
    told.refresh_from_db()
    assert (told.options["failed"], told.sentence, told.then) == (5, "Read both.", ["tell"])
    assert told.firings.count() == 1
    event = Event.objects.get(verb="rule.edit")
    assert (event.actor, event.details["when"]) == (clara, "check_failed")
    assert event.details["before"] == {"options": {"failed": 1}, "sentence": ""}
    assert event.details["options"] == {"failed": 5}


def test_a_change_that_changes_nothing_is_no_event(clara, told):
    edit_rule(told, options={"failed": 1}, then=["tell"], actor=clara)
    assert not Event.objects.filter(verb="rule.edit").exists()


def test_whom_a_rule_told_it_pauses_when_it_says_so_now(project, alice, clara, told):
    answer(project, alice, A)
    assert Firing.objects.count() == 1
    edit_rule(told, then=["tell", "pause"], actor=clara)
    answer(project, alice, A)
    assert [one.then for one in told.firings.order_by("pk")] == [["tell"], ["tell", "pause"]]
    assert next_assignment(project, alice) is None


def test_whom_a_rule_met_is_not_met_again_where_it_does_less(project, alice, clara, told):
    edit_rule(told, then=["tell", "pause"], actor=clara)
    edit_rule(told, then=["tell"], sentence="Please.", actor=clara)
    answer(project, alice, A)
    assert told.firings.count() == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"then": []}, "at least one of"),
        ({"then": ["take_skill"]}, "Say which skill"),
        ({"options": {"failed": 0}}, "must be at least 1"),
        ({"options": {"faild": 1}}, "no option"),
        ({"sentence": "x" * 251}, "at most 250"),
    ],
)
def test_a_change_is_held_to_what_a_new_rule_is(clara, told, change, says):
    with pytest.raises(Invalid, match=says):
        edit_rule(told, **change, actor=clara)
    told.refresh_from_db()
    assert (told.then, told.options) == (["tell"], {"failed": 1})


def test_a_rule_that_is_gone_is_not_changed(clara, told):
    remove_rule(Rule.objects.get(), actor=clara)
    with pytest.raises(RuleIsGone):
        edit_rule(told, then=["pause"], actor=clara)
