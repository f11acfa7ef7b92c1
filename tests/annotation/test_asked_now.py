"""Nobody sees a prompt's other answers before they have given theirs."""

import pytest
from django.urls import reverse

from annotation.adjudicate import take_dispute
from annotation.ask import ask
from annotation.asked_now import AtYourDesk
from annotation.assign import next_assignment
from annotation.comment import comment
from annotation.create_queue import create_queue
from annotation.flag import flag
from annotation.freeze import freeze
from annotation.models import (
    Annotation,
    Annotator,
    Assignment,
    Draft,
    Exemption,
    Output,
    Prompt,
    Task,
)
from annotation.set_known import set_known
from annotation.skip import skip
from annotation.submit import NotTheirsAnyMore, submit
from tests import make

SECRET = "What Bob wrote."


@pytest.fixture
def prompt(project):
    return make.prompt(project)


@pytest.fixture
def queue(project, prompt, bob):
    """One that wants two answers, of which Bob has given one."""
    queue = create_queue(project, name="Write", type="demonstration", overlap=2, actor=None)
    ask(queue, prompt, [])
    submit(next_assignment(project, bob), {"text": SECRET}, key="bob", reason=SECRET)
    return queue


def address(name, *arguments):
    return reverse(name, args=["demo", *arguments])


def pages_of(client, prompt):
    """What a reviewer may open, as it looks while they are asked."""
    return {
        name: client.get(url).content.decode()
        for name, url in {
            "prompt": address("prompt", prompt.pk),
            "answers": address("answers"),
            "api prompt": address("api_prompt", prompt.pk),
            "api answers": address("api_annotations"),
        }.items()
    }


def test_an_annotator_sees_them_nowhere(client, project, prompt, queue, alice):
    client.force_login(alice)
    slot = next_assignment(project, alice)
    shown = [client.get(address("desk")), client.get(address("last_answers"))]
    shown.append(client.post(address("api_next"), {}, content_type="application/json"))
    assert all(response.status_code == 200 for response in shown)
    assert all(SECRET not in response.content.decode() for response in shown)
    for name in ("prompt", "api_prompt"):
        assert client.get(address(name, prompt.pk)).status_code == 403
    for name in ("answers", "api_annotations", "prompts"):
        assert client.get(address(name)).status_code == 403
    # And when hers is in, it is hers that she sees.
    submit(slot, {"text": "What Alice wrote."}, key="alice")
    assert SECRET not in client.get(address("last_answers")).content.decode()


def test_a_reviewer_who_is_asked_sees_them_when_theirs_is_given(
    client, project, prompt, queue, rita
):
    client.force_login(rita)
    before = pages_of(client, prompt)
    assert [name for name, page in before.items() if SECRET not in page] == []
    slot = next_assignment(project, rita)
    asked = pages_of(client, prompt)
    assert [name for name, page in asked.items() if SECRET in page] == []
    assert "You have a question about this prompt in hand" in asked["prompt"]
    submit(slot, {"text": "What Rita wrote."}, key="rita")
    after = pages_of(client, prompt)
    assert [name for name, page in after.items() if SECRET not in page] == []
    assert Output.objects.count() == 2


def test_letting_a_question_lapse_or_putting_it_off_shows_nothing(
    client, project, prompt, queue, rita, bob
):
    client.force_login(rita)
    slot = next_assignment(project, rita)
    make.lapsed(slot)
    lapsed = pages_of(client, prompt)
    assert [name for name, page in lapsed.items() if SECRET in page] == []
    skip(slot, meaning="later")
    later = pages_of(client, prompt)
    assert [name for name, page in later.items() if SECRET in page] == []
    # Others have given what was wanted: she cannot answer any more.
    Assignment.objects.exclude(state="answered").update(state="skipped")
    over = pages_of(client, prompt)
    assert [name for name, page in over.items() if SECRET not in page] == []


def test_whoever_is_asked_what_it_is_about_does_not_read_it_beside_the_prompt(
    client, project, rita
):
    topics = create_queue(project, name="Topics", type="classify", overlap=2, actor=None)
    prompt = make.prompt(project)
    ask(topics, prompt, [])
    Prompt.objects.update(judged_tags=["Topic:code"])
    client.force_login(rita)
    addresses = [
        address("prompts"),
        address("prompts") + "?tag=Topic:code",
        address("prompt", prompt.pk),
        address("api_prompts"),
        address("api_prompts") + "?tag=Topic:code",
        address("api_prompt", prompt.pk),
    ]

    def tagged():
        return ["Topic:code<" in one or '"Topic:code"' in one for one in bodies()]

    def bodies():
        found = [client.get(one).content.decode() for one in addresses]
        found = [one.replace("<option>Topic:code</option>", "") for one in found]
        return [one.replace('value="Topic:code"', "") for one in found]

    assert tagged() == [True, True, True, True, True, True]
    next_assignment(project, rita)
    assert tagged() == [False, False, False, False, False, False]
    assert "Why is the sky" not in bodies()[1] + bodies()[4]


# --- what is said about a question, and what is known to be right

A, B = {"tiers": [["a"], ["b"]]}, {"tiers": [["b"], ["a"]]}


@pytest.fixture
def compared(project, alice, bob):
    """A question that Alice and Bob answered, each otherwise; a third answer is wanted."""
    task = make.task(project, queue=make.queue(project, overlap=3), answers=3)
    for person, answer in ((alice, A), (bob, B)):
        submit(next_assignment(project, person), answer, key=person.name)
    return task


def test_what_is_said_about_it_is_read_after_ones_own_answer(
    client, project, compared, alice, owen
):
    comment(compared, SECRET, actor=alice)
    flag(compared, Annotator.objects.member(project, alice), reason=SECRET)
    client.force_login(owen)
    addresses = [
        address(name)
        for name in ("disputes", "threads", "flags", "api_disputes", "api_flags", "answers")
    ]

    def told():
        pages = [client.get(one) for one in addresses]
        assert [page.status_code for page in pages] == [200] * len(pages)
        bodies = [page.content.decode() for page in pages]
        marks = [compared.prompt.text, SECRET, f'"task":{compared.pk},', f"/{compared.pk}/"]
        return [any(mark in body for mark in marks) for body in bodies]

    assert told() == [True] * 6
    Task.objects.filter(pk=compared.pk).update(is_withheld=False)
    Assignment.objects.filter(task=compared, state="withheld").update(state="free")
    slot = next_assignment(project, owen)
    assert slot.task == compared
    assert told() == [False] * 6
    submit(slot, A, key="owen")
    assert told() == [True] * 6


def test_the_votes_behind_a_row_are_not_shown_to_who_is_asked(client, project, compared, clara):
    make.vote(compared, "a", "b")
    version = freeze(project, name="all", kind="preference", actor=None)
    split = compared.prompt.split
    row = address("version_row_votes", "all", version.number, split, 0)
    client.force_login(clara)
    assert client.get(row).status_code == 200
    next_assignment(project, clara)
    assert client.get(row).status_code == 409


def test_what_is_known_is_not_shown_to_who_is_asked(client, project, clara):
    task = make.task(project, answers=2)
    make.task(project)
    known, tasks = address("known_answer", task.pk), address("api_tasks", task.queue_id)
    set_known(task, A, actor=None)
    client.force_login(clara)
    slot = next_assignment(project, clara)
    assert slot.task == task
    assert client.get(known).status_code == 409
    assert client.get(tasks).json()["results"][0]["gold"] is None
    with pytest.raises(AtYourDesk):
        set_known(task, B, actor=clara)
    submit(slot, B, key="k")
    assert client.get(known).status_code == 200
    assert client.get(tasks).json()["results"][0]["gold"] == A


@pytest.mark.parametrize("sets_it", [True, False], ids=["sets it", "looks at it"])
def test_who_knows_what_is_right_is_not_asked(client, project, clara, sets_it):
    task = make.task(project)
    if sets_it:
        set_known(task, A, actor=clara)
    else:
        set_known(task, A, actor=None)
        client.force_login(clara)
        client.get(address("known_answer", task.pk))
    assert next_assignment(project, clara) is None


def test_who_wrote_it_stays_its_author_when_they_say_what_is_right(project, clara):
    task = make.task(project)
    wrote = {"task": task, "annotator": Annotator.objects.member(project, clara), "why": "wrote"}
    Exemption.objects.create(**wrote)
    set_known(task, A, actor=clara)
    assert Exemption.objects.get().why == "wrote"


def test_a_brief_has_no_prompt_and_is_in_hand_all_the_same(client, project, bob, rita):
    queue = create_queue(project, name="Ask", type="prompt_writing", overlap=2, actor=None)
    ask(queue, None, [], brief={"category": "weather"})
    said = {"messages": [{"role": "user", "content": SECRET}]}
    submit(next_assignment(project, bob), said, key="bob")
    client.force_login(rita)
    dispute = address("dispute", Task.objects.get().pk)
    assert next_assignment(project, rita)
    assert SECRET not in client.get(address("answers")).content.decode()
    assert client.get(dispute).status_code == 409
    # And nothing else is hidden.
    other = make.task(project)
    make.vote(other, "a", "b", reason="Of another question.")
    assert other.prompt.text in client.get(address("answers")).content.decode()


def test_who_looked_meanwhile_does_not_answer_late(project, compared, rita, clara):
    slot = next_assignment(project, rita)
    make.lapsed(slot)
    submit(next_assignment(project, clara), A, key="clara")
    me = Annotator.objects.member(project, rita)
    take_dispute(compared, rita)  # there is no slot that her answer might take
    Assignment.objects.create(task=compared, queue=compared.queue)  # and now there is
    with pytest.raises(NotTheirsAnyMore):
        submit(slot, B, key="rita", annotator=me)
    assert not Annotation.objects.filter(key="rita").exists()
    assert Draft.objects.get(annotator=me).content["answer"] == B, "what she wrote is kept"


def test_nobody_looks_up_what_they_said_when_they_are_asked_the_same_again(
    client, project, compared, alice
):
    client.force_login(alice)
    rows = address("last_answers")
    assert compared.prompt.text in client.get(rows).content.decode()
    Assignment.objects.filter(task=compared, state="free").update(round=2)
    slot = next_assignment(project, alice)
    assert slot.task == compared
    assert compared.prompt.text not in client.get(rows).content.decode()
    submit(slot, B, key="again")
    assert compared.prompt.text in client.get(rows).content.decode()
