"""Reviews: blind, fair, counted by prompt, with an interval that keeps its word."""

import random
import re
import uuid

import pytest
from django.urls import reverse

from alignment.finish import NobodyAnswered, NotOpen, finish
from alignment.follow import follow_all
from alignment.models import Generation, Promotion, Review
from alignment.review import AlreadyOpen, CannotReview, advance, open_review, params_of
from alignment.verdict import score_of, verdict
from alignment.win_rate import WinRate, win_rate
from annotation.assign import next_assignment
from annotation.correct import correct
from annotation.models import Assignment, Draft, Output, Prompt, Queue, TaskOutput
from annotation.models.output import output_digest
from annotation.submit import QueueClosed, submit
from tests import make
from tests.together import with_a_transaction_open
from truing.models import Event


@pytest.fixture
def old(checkpoint, project, erin):
    made = checkpoint("old")
    Promotion.objects.create(project=project, checkpoint=made, reason="first", decided_by=erin)
    return made


@pytest.fixture
def new(checkpoint):
    return checkpoint("new")


@pytest.fixture
def opened(old, new, review_prompts, erin):
    """A review whose outputs are there: the new one says `good`, the old one `bad`."""

    def open_it(same=0, **options):
        review = open_review(new, actor=erin, **options)
        for number, prompt in enumerate(review_prompts):
            say(review, new, prompt, "the same" if number < same else f"good {number}")
            say(review, old, prompt, "the same" if number < same else f"bad {number}")
        review.generations.update(state=Generation.State.SUCCEEDED)
        advance(review)
        return review

    return open_it


def say(review, checkpoint, prompt, text):
    params = params_of(review)
    return Output.objects.create(
        prompt=prompt,
        text=text,
        digest=output_digest(text, params),
        source=checkpoint.source,
        params=params,
    )


def answer_all(review, people, better="good", most=1000):
    """Whoever is asked prefers the answer that begins so; nothing preferred is a tie."""
    given = 0
    for person in people:
        while given < most and (slot := next_assignment(review.project, person)):
            texts = {item.ref: item.output.text for item in slot.task.task_outputs.all()}
            best = [ref for ref, text in texts.items() if better and text.startswith(better)]
            rest = [ref for ref in texts if ref not in best]
            tiers = [best, rest] if best else [rest]
            submit(slot, {"tiers": tiers}, key=uuid.uuid4().hex)
            given += 1


def test_asks_both_for_answers_the_same_way(old, new, review_prompts, erin):
    review = open_review(new, actor=erin)
    assert review.baseline == old
    assert review.state == Review.State.GENERATING
    first, second = review.generations.order_by("pk")
    assert {first.checkpoint, second.checkpoint} == {old, new}
    assert first.params == second.params
    assert first.prompts == second.prompts == review.prompts
    assert set(review.prompts) == {prompt.pk for prompt in review_prompts}


def test_asks_about_the_review_side_only_and_each_question_once(
    old, new, project, review_prompts, erin
):
    for side in (Prompt.Split.TRAIN, Prompt.Split.EVAL):
        make.prompt(project, f"A question on the {side} side", split=side)
    make.prompt(project, review_prompts[0].text, split=Prompt.Split.REVIEW, source="again")
    review = open_review(new, actor=erin)
    asked = Prompt.objects.filter(pk__in=review.prompts)
    assert {prompt.split for prompt in asked} == {Prompt.Split.REVIEW}
    assert len({prompt.text for prompt in asked}) == len(asked) == 6


def test_does_not_ask_again_for_what_was_said_before(opened, checkpoint, new, erin):
    first = opened()
    finish_by_force(first)
    newest = checkpoint("newest")
    second = open_review(newest, actor=erin)
    assert [item.checkpoint for item in second.generations.all()] == [newest]


def finish_by_force(review):
    Review.objects.filter(pk=review.pk).update(state=Review.State.FINISHED)


def test_opens_a_blind_queue_by_itself(opened, old, new):
    review = opened()
    assert review.state == Review.State.OPEN
    queue = review.queue
    assert queue.state == Queue.State.OPEN
    assert queue.reserved_for == "review"
    assert queue.tasks.count() == 6
    said = f"{queue.name} {queue.guidelines.get().text}"
    assert re.fullmatch(r"Review \d+", queue.name)
    assert not re.search(r"\b(old|new|candidate|baseline|checkpoint)\b", said)


def test_no_place_tells_which_is_which(opened, project, monkeypatch):
    random.seed(3)
    review = opened()
    first = TaskOutput.objects.filter(task__queue=review.queue, position=0)
    sources = {item.output.source for item in first.select_related("output")}
    assert len(sources) == 2, "of six tasks, not all begin with the same one"


def test_the_page_of_who_answers_names_no_model(opened, client, alice, old, new):
    opened()
    client.force_login(alice)
    page = client.get(reverse("desk", args=["demo"])).content.decode()
    assert "good" in page
    for secret in (old.source, new.source, ">old<", ">new<", "checkpoint"):
        assert secret not in page


def test_those_who_answer_do_not_see_the_verdict(opened, client, alice, rita):
    review = opened()
    address = reverse("review", args=["demo", review.pk])
    client.force_login(alice)
    assert client.get(address).status_code == 403
    client.force_login(rita)
    assert client.get(address).status_code == 200


def test_the_verdict_comes_with_the_answers(opened, alice):
    review = opened()
    assert verdict(review).interval == (0.0, 1.0)
    answer_all(review, [alice], most=2)
    now = verdict(review)
    assert (now.answered, now.answers, now.answers_wanted) == (2, 2, 6)
    assert now.win_rate == 1.0
    assert 0.3 < now.interval[0] < 1.0 == now.interval[1]


def test_ends_with_its_last_answer(opened, alice):
    review = opened()
    answer_all(review, [alice], better="bad")
    follow_all()
    review.refresh_from_db()
    assert review.state == Review.State.FINISHED
    assert review.verdict["win_rate"] == 0.0
    assert review.verdict["losses"] == 6
    assert review.verdict["early"] is False
    assert review.queue.state == Queue.State.CLOSED


def test_a_tie_is_half_a_win(opened, alice):
    review = opened()
    answer_all(review, [alice], better="")
    now = verdict(review)
    assert (now.wins, now.ties, now.losses, now.win_rate) == (0, 6, 0, 0.5)
    assert now.interval[0] < 0.5 < now.interval[1]


def test_the_same_words_are_a_tie_that_nobody_is_asked_about(opened, alice):
    review = opened(same=2)
    assert review.queue.tasks.count() == 4
    answer_all(review, [alice])
    now = verdict(review)
    assert (now.identical, now.wins, now.ties) == (2, 4, 2)
    assert now.win_rate == pytest.approx(5 / 6)


def test_the_same_words_count_in_step_with_the_answers(opened, alice):
    review = opened(same=3)
    answer_all(review, [alice], most=1)
    assert verdict(review).win_rate == pytest.approx(0.75)


def test_where_both_always_say_the_same_nobody_is_asked(opened):
    review = opened(same=6)
    assert review.state == Review.State.FINISHED
    assert review.verdict["win_rate"] == 0.5
    assert review.verdict["answers"] == 0


def test_several_answers_to_one_prompt_count_as_one_prompt(opened, alice, bob):
    review = opened(overlap=2)
    answer_all(review, [alice])
    answer_all(review, [bob], better="bad")
    now = verdict(review)
    assert (now.answers, now.answered, now.annotators) == (12, 6, 2)
    assert (now.wins, now.ties, now.losses) == (0, 6, 0)


def test_a_correction_counts_instead_of_what_it_corrects(opened, alice):
    from annotation.correct import correct

    review = opened()
    slot = next_assignment(review.project, alice)
    texts = {item.ref: item.output.text for item in slot.task.task_outputs.all()}
    good, bad = sorted(texts, key=lambda ref: not texts[ref].startswith("good"))
    first = submit(slot, {"tiers": [[good], [bad]]}, key="first")
    assert verdict(review).win_rate == 1.0
    correct(first, {"tiers": [[bad], [good]]}, key="second")
    assert verdict(review).win_rate == 0.0


def test_an_engineer_may_end_it_early_and_it_is_written_down(opened, alice, bob, erin):
    review = opened()
    answer_all(review, [alice], most=3)
    held = next_assignment(review.project, bob)
    finish(review, actor=erin, early=True)
    assert review.state == Review.State.FINISHED
    assert review.verdict["early"] is True
    assert review.verdict["answers"] == 3
    assert Event.objects.get(verb="review.finish").details["early"] is True
    with pytest.raises(QueueClosed):
        submit(held, {"tiers": [["a"], ["b"]]}, key="too late")


def test_is_not_ended_before_anybody_has_answered(opened, erin):
    review = opened()
    with pytest.raises(NobodyAnswered):
        finish(review, actor=erin, early=True)
    review.refresh_from_db()
    assert (review.state, review.queue.state) == (Review.State.OPEN, Queue.State.OPEN)


def test_is_not_ended_twice(opened, alice, erin):
    review = opened()
    answer_all(review, [alice])
    finish(review, actor=erin)
    with pytest.raises(NotOpen, match="it is finished"):
        finish(review, actor=erin)


def first_answer(review, person):
    slot = next_assignment(review.project, person)
    return slot, {"tiers": [[item.ref] for item in slot.task.task_outputs.all()]}


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_comes_while_it_is_ended_is_in_the_verdict(opened, alice, bob, erin):
    review = opened()
    answer_all(review, [alice], most=1)
    slot, answer = first_answer(review, bob)
    with_a_transaction_open(
        lambda: submit(slot, answer, key="last"), lambda: finish(review, actor=erin, early=True)
    )
    review.refresh_from_db()
    assert review.verdict["answers"] == verdict(review).answers == 2


@pytest.mark.django_db(transaction=True)
def test_a_correction_that_comes_while_it_is_ended_is_in_the_verdict(opened, alice, erin):
    review = opened()
    slot, answer = first_answer(review, alice)
    given = submit(slot, answer, key="first")
    turned = {"tiers": answer["tiers"][::-1]}
    with_a_transaction_open(
        lambda: correct(given, turned, key="second"),
        lambda: finish(review, actor=erin, early=True),
    )
    review.refresh_from_db()
    assert review.verdict["win_rate"] == verdict(review).record()["win_rate"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("correcting", [False, True])
def test_what_comes_after_its_end_is_refused_and_kept(opened, alice, bob, erin, correcting):
    review = opened()
    slot, answer = first_answer(review, alice)
    given = submit(slot, answer, key="first")
    other, late = first_answer(review, bob)

    def too_late():
        if correcting:
            return correct(given, {"tiers": answer["tiers"][::-1]}, key="second")
        return submit(other, late, key="late")

    _, refusal = with_a_transaction_open(lambda: finish(review, actor=erin, early=True), too_late)
    assert isinstance(refusal, QueueClosed)
    review.refresh_from_db()
    assert review.verdict["answers"] == verdict(review).answers == 1
    if not correcting:
        assert Draft.objects.get(task=other.task, annotator=other.annotator).content


def test_a_skip_leaves_the_question_to_others(opened, alice, bob):
    from annotation.skip import skip

    review = opened()
    skip(next_assignment(review.project, alice))
    answer_all(review, [alice])
    advance(review)
    assert review.state == Review.State.OPEN
    answer_all(review, [bob])
    advance(review)
    assert review.state == Review.State.FINISHED
    assert verdict(review).answers_wanted == 6


def test_fails_with_a_sentence_when_an_answer_cannot_be_had(old, new, review_prompts, erin):
    review = open_review(new, actor=erin)
    first = review.generations.first()
    Generation.objects.filter(pk=first.pk).update(state="failed", problem="The disk is full.")
    advance(review)
    assert review.state == Review.State.FAILED
    assert review.problem.endswith("could not answer the prompts: The disk is full.")


def test_one_pair_is_compared_once_at_a_time(old, new, review_prompts, erin):
    open_review(new, actor=erin)
    with pytest.raises(AlreadyOpen):
        open_review(new, actor=erin)
    assert Review.objects.count() == 1
    assert Generation.objects.count() == 2


def test_refuses_what_cannot_be_compared(old, new, checkpoint, review_prompts, erin):
    judge = checkpoint("judge", kind="reward")
    for wanted, sentence in (
        ({"candidate": old}, "cannot be compared with itself"),
        ({"candidate": judge}, "is a reward model"),
        ({"candidate": new, "prompts": []}, "no prompts"),
        ({"candidate": new, "overlap": 0}, "between 1 and 100"),
    ):
        with pytest.raises(CannotReview, match=sentence):
            open_review(wanted.pop("candidate"), actor=erin, **wanted)
    assert not Review.objects.exists()


def test_needs_a_baseline(new, review_prompts, erin):
    with pytest.raises(CannotReview, match="No checkpoint is in force yet"):
        open_review(new, actor=erin)


def test_its_slots_are_those_of_its_overlap(opened):
    review = opened(overlap=3)
    assert Assignment.objects.filter(queue=review.queue).count() == 18


def test_reads_who_is_above_whom():
    sides = {"a": True, "b": False}
    assert score_of({"tiers": [["a"], ["b"]]}, sides) == 1.0
    assert score_of({"tiers": [["b"], ["a"]]}, sides) == 0.0
    assert score_of({"tiers": [["a", "b"]], "all_bad": True}, sides) == 0.5
    assert score_of({"all_bad": True}, sides) == 0.5


@pytest.mark.parametrize("prompts", [30, 100, 200])
@pytest.mark.parametrize(("won", "tied"), [(0.5, 0.0), (0.7, 0.0), (0.4, 0.3), (0.85, 0.1)])
def test_95_of_100_intervals_hold_the_true_rate(prompts, won, tied):
    chance = random.Random(f"{prompts} {won} {tied}")
    held = 0
    for _ in range(1500):
        draws = (chance.random() for _ in range(prompts))
        scores = [1.0 if x < won else 0.5 if x < won + tied else 0.0 for x in draws]
        low, high = win_rate(scores).interval
        held += low <= won + tied / 2 <= high
    assert 0.93 <= held / 1500 <= 0.99


def test_the_interval_holds_with_several_answers_a_prompt():
    """Prompts differ in how clearly the candidate wins them; answers to one are alike."""
    chance, held = random.Random(5), 0
    for _ in range(1500):
        scores = []
        for _ in range(60):
            clear = chance.betavariate(2, 1)
            scores.append(sum(chance.random() < clear for _ in range(3)) / 3)
        low, high = win_rate(scores).interval
        held += low <= 2 / 3 <= high
    assert 0.93 <= held / 1500 <= 0.98


@pytest.mark.parametrize("score", [0.0, 0.5, 1.0])
def test_what_always_ends_alike_is_not_certain(score):
    low, high = win_rate([score] * 10).interval
    assert 0 <= low <= score <= high <= 1
    assert 0.1 < high - low < 0.4


def test_nothing_is_known_before_the_first_answer():
    assert WinRate().interval == (0.0, 1.0)
