"""The pages of annotators and rules, and what they never tell."""

import re
from difflib import unified_diff

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.assign import next_assignment
from annotation.balance import balanced, due_before, is_due
from annotation.lately import from_top
from annotation.mix_in import ahead_with_checks
from annotation.models import Annotator, Assignment, Firing, Rule, Standing
from annotation.submit import submit
from tests import make

A, B = {"tiers": [["a"], ["b"]]}, {"tiers": [["b"], ["a"]]}


def standing(project, name, **figures):
    return Standing.objects.create(
        queue=make.queue(project), annotator=make.annotator(project, name), **figures
    )


def get(client, person, address, **values):
    client.force_login(person)
    return client.get(f"/p/demo/{address}", values)


def test_reviewers_see_everybody_the_most_remarkable_first(project, rita, client):
    standing(project, "calm", answers=30, suspicion=-4, lefts=15, rights=15)
    standing(project, "hasty", answers=30, suspicion=4, lefts=28, rights=2)
    page = get(client, rita, "annotators/").content.decode()
    assert page.index("hasty") < page.index("calm")
    page = get(client, rita, "annotators/", sort="pace").content.decode()
    assert "calm" in page


def test_the_list_costs_the_same_with_more_people(project, rita, client):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert get(client, rita, "annotators/").status_code == 200
        return len(seen)

    standing(project, "one", answers=3)
    queries()
    few = queries()
    for number in range(60):
        standing(project, f"w{number}", answers=30, compared=20, agreed=15)
    assert queries() == few
    assert "page=2" in get(client, rita, "annotators/").content.decode()


def test_the_list_finds_people_queues_and_who_was_stopped(project, rita, client):
    def found(**values):
        page = get(client, rita, "annotators/", **values)
        return [row["name"] for row in page.context["rows"]]

    one, two = standing(project, "one", answers=3), standing(project, "two", answers=2)
    Annotator.objects.filter(pk=two.annotator_id).update(paused_at="2026-01-01T00:00Z")
    Standing.objects.filter(pk=one.pk).update(left_out_at="2026-01-01T00:00Z")
    elsewhere = make.queue(project, name="Elsewhere")
    Standing.objects.create(queue=elsewhere, annotator=one.annotator, answers=1)
    assert found(sort="answers") == ["one", "two", "one"]
    assert found(q="TW") == ["two"]
    assert found(queue=elsewhere.pk) == ["one"]
    assert found(state="paused") == ["two"]
    assert found(state="left_out") == ["one"]
    assert found(q="nobody") == []
    assert "Nobody like that" in get(client, rita, "annotators/", q="nobody").content.decode()


def test_an_annotators_page_draws_their_days_and_their_pace(project, alice, rita, client):
    for _ in range(3):
        make.task(project)
        submit(next_assignment(project, alice), A, key=f"k{_}", seconds=10)
    person = Annotator.objects.get(user=alice)
    page = get(client, rita, f"annotators/{person.pk}/")
    seen = page.context["lately"]
    assert (len(seen.days), seen.answers, seen.days[-1].answers) == (28, 3, 3)
    assert seen.days[-1].height == 100
    assert seen.points == [(0, from_top(10)), (50, from_top(10)), (100, from_top(10))]
    assert "Too little to say yet" in page.content.decode()


def test_pace_is_drawn_between_one_second_and_ten_minutes():
    assert [from_top(seconds) for seconds in (0.1, 1, 600, 9000)] == [100, 100, 0, 0]


def test_an_annotators_page_costs_the_same_with_more_answers(project, alice, rita, client):
    def queries():
        person = Annotator.objects.get(user=alice)
        with CaptureQueriesContext(connection) as seen:
            assert get(client, rita, f"annotators/{person.pk}/").status_code == 200
        return len(seen)

    def work(number):
        for _ in range(number):
            make.task(project)
            assignment = next_assignment(project, alice)
            submit(assignment, A, key=f"{assignment.pk}", seconds=3)

    work(1)
    queries()
    few = queries()
    work(12)
    assert queries() == few


def test_a_reviewer_undoes_what_a_rule_did(project, rita, client):
    one = standing(project, "w", answers=3)
    Annotator.objects.update(paused_at="2026-01-01T00:00Z", paused_because="Wait.")
    firing = Firing.objects.create(standing=one, when="careless", then=["pause"], reason="So.")
    page = get(client, rita, f"annotators/{one.annotator_id}/").content.decode()
    assert "So." in page
    assert "Wait." in page
    client.post(f"/p/demo/firings/{firing.pk}/undo/")
    assert Annotator.objects.get().paused_at is None
    assert "undone" in get(client, rita, f"annotators/{one.annotator_id}/").content.decode()


def test_a_reviewer_asks_somebody_again(project, rita, client):
    one = standing(project, "w", answers=3, suspicion=5)
    Annotator.objects.update(paused_at="2026-01-01T00:00Z")
    get(client, rita, "annotators/")
    client.post(f"/p/demo/annotators/{one.annotator_id}/resume/")
    one.refresh_from_db()
    assert one.annotator.paused_at is None
    assert one.suspicion == 0
    assert one.figures().answers == 0


def test_ones_own_page_shows_no_number_that_moves_with_a_check(project, alice, client):
    def page():
        shown = get(client, alice, "my-work/").content.decode()
        return re.sub(r'name="csrf\w+" value="\w+"|\{"x-csrftoken": "\w+"\}', "", shown)

    me = Annotator.objects.member(project, alice)
    one = Standing.objects.create(
        queue=make.queue(project), annotator=me, answers=40, gold=9, gold_right=9
    )
    before = page()
    one.gold, one.gold_right, one.suspicion, one.checks, one.checks_failed = 9, 8, 3, 1, 1
    one.save()
    assert page().count("<svg") == before.count("<svg")
    assert "failed" not in page()


def test_a_curator_adds_and_removes_a_rule(project, clara, client):
    queue = make.queue(project)
    page = get(client, clara, f"queues/{queue.pk}/rules/", when="gold_failed").content.decode()
    assert "Met where less than this share is right" in page
    written = {"when": "gold_failed", "asked": "4", "share": "0.5", "then": ["tell", "pause"]}
    client.post(f"/p/demo/queues/{queue.pk}/rules/", written)
    rule = Rule.objects.get()
    assert rule.options == {"asked": 4, "share": 0.5}
    assert rule.then == ["tell", "pause"]
    refused = client.post(f"/p/demo/queues/{queue.pk}/rules/", {"when": "gold_failed"})
    assert refused.status_code == 422
    client.post(f"/p/demo/rules/{rule.pk}/remove/")
    assert not Rule.objects.exists()


def test_a_curator_changes_a_rule_in_the_form_it_was_made_in(project, clara, client):
    queue, elsewhere = make.queue(project), make.queue(project, "Elsewhere")
    rule = Rule.objects.create(
        project=project, queue=queue, when="gold_failed", then=["tell"], options={"asked": 4}
    )
    address = f"/p/demo/queues/{queue.pk}/rules/{rule.pk}/"
    assert address in get(client, clara, f"queues/{queue.pk}/rules/").content.decode()
    form = client.get(address).context["form"]
    assert (form["asked"].value(), form["then"].value()) == (4, ["tell"])
    written = {"asked": "6", "share": "0.5", "then": ["tell", "pause"], "sentence": "Slowly."}
    saved = client.post(address, written, follow=True).content.decode()
    assert "The rule is changed. What it did stays." in saved
    rule.refresh_from_db()
    assert (rule.options, rule.then) == ({"asked": 6, "share": 0.5}, ["tell", "pause"])
    assert (rule.sentence, rule.queue) == ("Slowly.", queue)
    refused = client.post(address, {**written, "then": ["take_skill"]})
    assert refused.status_code == 422
    assert "Say which skill the rule takes away." in refused.content.decode()
    assert client.get(f"/p/demo/queues/{elsewhere.pk}/rules/{rule.pk}/").status_code == 404


def test_a_rule_of_all_queues_stays_one_when_it_is_changed_from_one_of_them(project, clara, client):
    queue = make.queue(project)
    rule = Rule.objects.create(project=project, when="careless", then=["tell"])
    client.force_login(clara)
    written = {"risk": "0.01", "then": "tell"}
    client.post(f"/p/demo/queues/{queue.pk}/rules/{rule.pk}/", written)
    rule.refresh_from_db()
    assert (rule.queue, rule.options) == (None, {"risk": 0.01})


def test_a_rule_about_nothing_we_know_is_refused(project, clara, client):
    queue = make.queue(project)
    client.force_login(clara)
    written = {"when": "full_moon", "asked": "4", "share": "0.5", "then": "tell"}
    client.post(f"/p/demo/queues/{queue.pk}/rules/", written)
    assert not Rule.objects.exists()


def test_what_one_is_told_is_shown_until_it_is_read(project, alice, client):
    make.task(project)
    me = Annotator.objects.member(project, alice)
    Annotator.objects.update(notice="Please read both.")
    assert "Please read both." in get(client, alice, "desk/").content.decode()
    client.post("/p/demo/my-work/notice/")
    me.refresh_from_db()
    assert me.notice == ""
    assert "Please read both." not in get(client, alice, "desk/").content.decode()


def test_training_shows_the_known_answer_after_it_was_given(project, alice, client):
    queue = make.queue(project, is_training=True, gold_share=1)
    for _ in range(2):
        make.task(project, queue=queue, gold={**A, "reason": "It is kinder."})
        make.task(project, queue=queue)
    get(client, alice, "desk/")
    slot = Assignment.objects.get(state="held")
    choice = str(slot.shown.index("b"))
    page = client.post(
        f"/p/demo/desk/{slot.pk}/answer/",
        {"choice": choice, "key": "k"},
        headers={"HX-Request": "true"},
    ).content.decode()
    assert slot.purpose == "gold"
    assert "The known answer is" in page
    assert "It is kinder." in page


@pytest.fixture
def mixed(project):
    """A queue in which many a question is a check of some kind."""
    queue = make.queue(project, gold_share=0.2, repeat_share=0.2)
    for _ in range(30):
        make.task(project, queue=queue, gold=None, outputs=("one", "two"))
    for _ in range(12):
        make.task(project, queue=queue, gold=A, answers=0, outputs=("one", "two"))
    return queue


def test_nothing_in_page_or_api_betrays_a_check(project, alice, mixed, client):
    """But for what is asked, its number and its key, all pages are the same text."""
    client.force_login(alice)
    seen, purposes, keys, ahead = set(), [], [], []
    while True:
        page = client.get("/p/demo/desk/").content.decode()
        slot = Assignment.objects.select_related("task__prompt").filter(state="held").first()
        if slot is None:
            break
        purposes.append(slot.purpose)
        keys.append(slot.pk)
        ahead.append(int(re.search(r"(\d+)\+? ahead", page).group(1)))
        page = page.replace(f"desk/{slot.pk}/", "desk/KEY/").replace(slot.task.prompt.text, "Q")
        page = re.sub(r"\b[0-9A-Za-z]{32,64}\b", "", page)
        page = re.sub(
            r"\b\d+ today|\b\d+\+? ahead|value=\"\d+(\.\d+)?\"|max=\"\d+\"|data-today=\"\d+\"",
            "",
            page,
        )
        seen.add(re.sub(r"\b(one|two)\b", "text", page))
        submit(slot, A, key=f"k{slot.pk}")
    assert {"answer", "gold", "repeat"} <= set(purposes)
    first, *others = (one.split("\n") for one in seen)
    assert not others, "\n".join(unified_diff(first, others[0], n=0))
    # Keys go up as they do without checks, and the number ahead goes down with each question.
    assert keys == sorted(keys)
    assert ahead == sorted(ahead, reverse=True)
    assert ahead[0] == 12 > ahead[-1]


def test_checks_cost_no_answer_that_is_wanted(project, alice, bob, mixed):
    for person in (alice, bob):
        while slot := next_assignment(project, person):
            submit(slot, A, key=f"{person.pk} {slot.pk}")
    answered = Assignment.objects.filter(purpose="answer", state="answered")
    assert answered.count() == 30
    assert len(set(answered.values_list("task", flat=True))) == 30
    assert not Assignment.objects.free().exists()


def test_sides_and_sources_come_out_even_for_each_annotator(project, alice):
    for number in range(40):
        make.task(project, outputs=("one", "two"), prompt_text=f"Number {number}?")
    firsts = []
    while slot := next_assignment(project, alice):
        given = submit(slot, A, key=f"key {slot.pk}")
        assert given.shown == slot.shown
        firsts.append(slot.shown[0])
    assert firsts.count("a") == 20
    assert all(abs(firsts[:end].count("a") - end / 2) <= 1 for end in range(40))
    assert firsts != firsts[:2] * 20


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_each_output_has_each_place_equally_often(size):
    refs = list("abcde"[:size])
    orders = [balanced(refs, (1, 2), taken) for taken in range(4 * size)]
    for place in range(size):
        assert [order[place] for order in orders].count("a") == 4


@pytest.mark.parametrize("share", [0.05, 0.1, 0.15, 0.4, 1])
def test_checks_are_due_as_often_as_their_share_says(share):
    due = [is_due("gold", (3, 4), taken, share) for taken in range(400)]
    assert sum(due) == round(400 * share)
    assert due_before("gold", (3, 4), 400, share) == sum(due)
    assert not is_due("gold", (3, 4), 0, 0)


def test_the_number_ahead_counts_the_checks_to_come(project, alice):
    queue = make.queue(project, gold_share=0.1)
    me = Annotator.objects.member(project, alice)
    assert 108 <= ahead_with_checks(queue, me, 0, 100, most=500) <= 113
    queue.gold_share = 0
    assert ahead_with_checks(queue, me, 0, 100, most=500) == 100
