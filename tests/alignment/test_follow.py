"""Following: runs become checkpoints, or say why not."""

import time
from contextlib import suppress

import pytest
from django.db import OperationalError

from alignment.backends import BACKENDS
from alignment.fail import UNFORESEEN, fail
from alignment.follow import follow_all
from alignment.generate import generate
from alignment.models import Checkpoint, Generation, Promotion, Review, Run
from alignment.resume import CannotResume, resume
from alignment.start import start_next
from alignment.wait import wait_for
from annotation.models import Prompt
from tests import make
from tests.alignment import tiny
from tests.alignment.followed import LONG, kill_trainer, saved, until, until_ended
from truing.models import Event


def test_a_run_becomes_a_checkpoint_with_its_curves_and_its_first_words(sft, base):
    run = sft(name="speaks")
    until_ended(run)
    assert run.state == Run.State.SUCCEEDED, run.problem
    assert (run.step, run.total_steps) == (4, 4)
    made = Checkpoint.objects.get(run=run)
    assert made.name == "speaks"
    assert made.kind == Checkpoint.Kind.POLICY
    assert made.parent == base
    assert made.facts["parameters"] > 1000
    assert made.facts["result"]["loss"] > 0
    assert made.smoke
    assert made.folder.parent.name == "checkpoints"
    assert (made.folder / "config.json").exists()
    assert not (run.folder / "model").exists()
    assert Event.objects.filter(verb="run.succeed", noun_id=run.pk).count() == 1


def test_a_killed_trainer_goes_on_by_itself_from_its_last_checkpoint(sft):
    run = sft(options={**LONG, "max_steps": 60})
    until(run, lambda: saved(run) and run.step > saved(run))
    kill_trainer(run)
    until(run, lambda: run.attempt == 2)
    until_ended(run)
    assert run.state == Run.State.SUCCEEDED, run.problem
    assert run.step == 60
    assert "Going on from checkpoint-" in (run.folder / "log.txt").read_text()


def test_a_run_fails_with_the_sentence_that_it_left(commanded):
    run = commanded("open('problem.txt', 'w').write('The rows are odd.'); raise SystemExit(1)")
    until_ended(run)
    assert (run.state, run.problem) == (Run.State.FAILED, "The rows are odd.")
    assert Event.objects.filter(verb="run.fail").get().details["problem"] == "The rows are odd."


def test_a_run_that_says_nothing_fails_with_its_status(commanded):
    run = commanded("raise SystemExit(9)")
    until_ended(run)
    assert "status 9" in run.problem


def test_a_full_disk_fails_the_run_with_a_sentence_and_keeps_its_checkpoints(commanded):
    run = commanded(
        "import os; os.makedirs('checkpoints/checkpoint-4');"
        "raise OSError(28, 'No space left on device')"
    )
    until_ended(run)
    assert run.state == Run.State.FAILED
    assert run.problem.startswith("The disk is full")
    assert saved(run) == 4


def test_a_full_disk_fails_the_run_before_it_starts_too(sft, settings, tmp_path, monkeypatch):
    run = sft()

    def no_room(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("alignment.pack._write_rows", no_room)
    start_next("local")
    run.refresh_from_db()
    assert run.state == Run.State.FAILED
    assert run.problem.startswith("The disk is full")
    monkeypatch.undo()
    resume(run, actor=None)
    assert run.state == Run.State.QUEUED


def test_an_error_of_ours_before_it_starts_frees_the_slot(sft, monkeypatch, caplog):
    run, next_one = sft(), sft()

    def stumble(*args):
        raise KeyError("what nobody foresaw")

    monkeypatch.setattr("alignment.pack._write_rows", stumble)
    start_next("local")
    run.refresh_from_db()
    assert (run.state, run.problem) == (Run.State.FAILED, UNFORESEEN)
    assert "what nobody foresaw" in caplog.text
    monkeypatch.undo()
    assert start_next("local") == next_one


@pytest.mark.parametrize("step", ["_move_model", "weigh", "_free_name", "record"])
def test_an_error_of_ours_after_it_ended_frees_the_slot(commanded, monkeypatch, step):
    run = commanded("import os; os.mkdir('model')")
    model = run.base.folder

    def stumble(*args, **named):
        raise TypeError("what nobody foresaw")

    monkeypatch.setattr("alignment.keep._move_model", lambda run: model)
    monkeypatch.setattr(f"alignment.keep.{step}", stumble)
    until_ended(run)
    assert (run.state, run.problem) == (Run.State.FAILED, UNFORESEEN)
    assert not Checkpoint.objects.filter(run=run).exists()


def test_lines_that_are_none_end_the_generation(base, project, erin, monkeypatch):
    make.prompt(project)
    generation = generate(base, Prompt.objects.all(), actor=erin)
    real = BACKENDS["local"].start
    code = "open('outputs.jsonl', 'w').write('nonsense\\n')"
    monkeypatch.setattr(
        BACKENDS["local"],
        "start",
        lambda command, folder, env: real([command[0], "-c", code], folder, env),
    )
    start_next("local")
    deadline = time.monotonic() + 60
    while not generation.has_ended:
        with suppress(ExceptionGroup):  # as long as it runs, it may yet become better
            follow_all()
        generation.refresh_from_db()
        assert time.monotonic() < deadline
    assert (generation.state, generation.problem) == (Generation.State.FAILED, UNFORESEEN)


def test_the_database_may_be_away_and_the_run_is_taken_up_later(sft, monkeypatch):
    run = sft()

    def away(*args):
        raise OperationalError("the connection is lost")

    monkeypatch.setattr("alignment.pack._write_rows", away)
    with pytest.raises(OperationalError):
        start_next("local")
    monkeypatch.undo()
    follow_all()
    run.refresh_from_db()
    assert run.state == Run.State.RUNNING


def test_what_is_killed_three_times_waits_for_a_person(commanded):
    run = commanded("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    until_ended(run)
    assert run.state == Run.State.FAILED
    assert run.attempt == 3
    assert "was killed 3 times" in run.problem
    resume(run, actor=None)
    until_ended(run)
    assert run.attempt == 6


def test_what_runs_or_succeeded_is_not_resumed(sft):
    run = sft()
    with pytest.raises(CannotResume, match="this is queued"):
        resume(run, actor=None)


def test_people_are_asked_by_themselves_when_a_run_has_ended(sft, other, review_prompts, erin):
    Promotion.objects.create(
        project=other.project, checkpoint=other, reason="first", decided_by=erin
    )
    run = sft()
    until_ended(run)
    review = Review.objects.get(candidate=run.checkpoint)
    assert review.baseline == other
    until(run, lambda: Review.objects.get().state != Review.State.GENERATING)
    review.refresh_from_db()
    assert review.state == Review.State.OPEN, review.problem
    assert review.queue.reserved_for == "review"


def test_nobody_is_asked_when_the_run_says_so(sft, other, review_prompts, erin):
    Promotion.objects.create(
        project=other.project, checkpoint=other, reason="first", decided_by=erin
    )
    until_ended(sft(review_after=False))
    assert not Review.objects.exists()


def test_what_cannot_be_reviewed_does_not_fail_the_run(sft, other, erin):
    Promotion.objects.create(
        project=other.project, checkpoint=other, reason="first", decided_by=erin
    )
    run = sft()
    until_ended(run)
    assert run.state == Run.State.SUCCEEDED
    because = Event.objects.get(verb="review.skip").details["because"]
    assert because.startswith("There are no prompts on the review side")


def test_one_that_cannot_be_followed_does_not_keep_the_others_from_it(
    commanded, project, base, monkeypatch
):
    run = commanded("raise SystemExit(9)")
    Generation.objects.create(
        project=project, checkpoint=base, prompts=[], state="running", handle="no handle"
    )
    deadline = time.monotonic() + 20
    while run.state == Run.State.RUNNING and time.monotonic() < deadline:
        with pytest.raises(ExceptionGroup):
            follow_all()
        run.refresh_from_db()
    assert run.state == Run.State.FAILED


def test_whoever_waits_for_one_is_not_disturbed_by_another(commanded, project, base, caplog):
    run = commanded("import time; time.sleep(1); raise SystemExit(9)")
    Generation.objects.create(
        project=project, checkpoint=base, prompts=[], state="running", handle="no handle"
    )
    wait_for(run, print)
    assert run.state == Run.State.FAILED
    assert caplog.text.count("Not everything could be followed.") == 1


def test_the_rows_of_the_run_are_what_its_method_reads(sft):
    run = sft(options=LONG)
    start_next("local")
    rows = tiny.lines(run.folder / "train.jsonl")
    assert set(rows[0]) == {"prompt", "completion"}
    assert len(rows) == 12


def test_what_went_wrong_names_models_and_not_places(sft, base):
    run = sft()
    fail(run, f"There is no model at {base.folder}.")
    assert run.problem == "There is no model at “base”."
