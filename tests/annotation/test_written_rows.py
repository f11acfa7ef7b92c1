"""What people wrote becomes rows of datasets, with the answers behind them."""

import pytest

from annotation.ask import ask
from annotation.assign import next_assignment
from annotation.correct import correct
from annotation.create_queue import create_queue
from annotation.freeze import NothingToFreeze, freeze, rows_of
from annotation.models import Annotation, Output
from annotation.preview import preview
from annotation.submit import submit
from tests import make

numbers = iter(range(10_000))


def asked(project, type, prompt, outputs=(), overlap=1, **options):
    queue = project.queues.filter(type=type).first() or create_queue(
        project, name=type, type=type, overlap=overlap, options=options, actor=None
    )
    return ask(queue, prompt, outputs)


def says(task, person, given, reason=""):
    slot = next_assignment(task.queue.project, person, queue=task.queue)
    return submit(slot, given, key=f"key-{next(numbers)}", reason=reason)


def rows(version):
    return [row for split in ("train", "eval", "review") for row in rows_of(version, split)]


@pytest.fixture
def prompt(project):
    return make.prompt(project)


@pytest.fixture
def carol(project):
    return make.member(project, "carol")


class TestInstruction:
    def test_a_demonstration_is_a_row_with_the_answer_behind_it(self, project, prompt, alice):
        given = says(asked(project, "demonstration", prompt), alice, {"text": "Blue."})
        version = freeze(project, name="sft", kind="instruction", actor=None)
        [row] = rows(version)
        assert row["prompt"] == prompt.messages
        assert (row["completion"], row["source"]) == ("Blue.", "human")
        assert (row["annotations"], row["task"]) == ([given.pk], given.assignment.task_id)
        assert (version.manifest["annotations"], version.manifest["annotators"]) == (1, 1)

    def test_so_is_an_edit_and_the_original_is_not(self, project, prompt, alice):
        original = make.output(prompt, "Green.")
        given = says(asked(project, "edit", prompt, [original]), alice, {"text": "Blue."})
        [row] = rows(freeze(project, name="sft", kind="instruction", actor=None))
        assert (row["completion"], row["annotations"]) == ("Blue.", [given.pk])

    def test_what_was_corrected_is_left_out(self, project, prompt, alice):
        given = says(asked(project, "demonstration", prompt), alice, {"text": "Green."})
        second = correct(given, {"text": "Blue."}, key="second")
        [row] = rows(freeze(project, name="sft", kind="instruction", actor=None))
        assert (row["completion"], row["annotations"]) == ("Blue.", [second.pk])
        assert preview(project, "instruction").left.withdrawn == 1

    def test_queues_mean_what_was_written_in_them_too(self, project, prompt, alice):
        says(asked(project, "demonstration", prompt), alice, {"text": "Blue."})
        make.output(prompt, "Red.", source="human")
        recipe = {"queues": ["demonstration"]}
        [row] = rows(freeze(project, name="sft", kind="instruction", recipe=recipe, actor=None))
        assert row["completion"] == "Blue."

    def test_the_answers_of_two_who_wrote_the_same_are_behind_one_row(
        self, project, prompt, alice, bob
    ):
        task = asked(project, "demonstration", prompt, overlap=2)
        given = [says(task, person, {"text": "Blue."}).pk for person in (alice, bob)]
        version = freeze(project, name="sft", kind="instruction", actor=None)
        assert rows(version)[0]["annotations"] == given
        assert version.manifest["annotators"] == 2


class TestPreference:
    def test_an_edit_is_better_than_the_original(self, project, prompt, alice):
        original = make.output(prompt, "Green.", source="model")
        given = says(asked(project, "edit", prompt, [original]), alice, {"text": "Blue."})
        [row] = rows(freeze(project, name="pairs", kind="preference", actor=None))
        assert (row["chosen"], row["rejected"]) == ("Blue.", "Green.")
        assert (row["chosen_source"], row["rejected_source"]) == ("human", "model")
        assert (row["votes"], row["agreement"], row["tie"]) == (1, 1.0, False)
        assert row["annotations"] == [given.pk]

    def test_two_editors_make_two_rows_of_an_answer_each(self, project, prompt, alice, bob):
        original = make.output(prompt, "Green.")
        task = asked(project, "edit", prompt, [original], overlap=2)
        says(task, alice, {"text": "Blue."})
        says(task, bob, {"text": "It is blue."})
        version = freeze(project, name="pairs", kind="preference", actor=None)
        assert len(rows(version)) == version.manifest["annotations"] == 2

    def test_what_was_left_as_it_was_makes_no_pair(self, project, prompt, alice):
        original = make.output(prompt, "Blue.")
        says(asked(project, "edit", prompt, [original], may_stand=True), alice, {"text": "Blue."})
        assert preview(project, "preference").left.unchanged == 1
        with pytest.raises(NothingToFreeze):
            freeze(project, name="pairs", kind="preference", actor=None)
        [row] = rows(freeze(project, name="sft", kind="instruction", actor=None))
        assert (row["completion"], row["source"]) == ("Blue.", "human")

    def test_a_correction_takes_the_place_of_the_edit(self, project, prompt, alice):
        original = make.output(prompt, "Green.")
        given = says(asked(project, "edit", prompt, [original]), alice, {"text": "Red."})
        correct(given, {"text": "Blue."}, key="second")
        [row] = rows(freeze(project, name="pairs", kind="preference", actor=None))
        assert row["chosen"] == "Blue."

    def test_comes_beside_what_people_compared(self, project, prompt, alice):
        make.vote(make.task(project), "a", "b")
        says(
            asked(project, "edit", prompt, [make.output(prompt, "Green.")]),
            alice,
            {"text": "Blue."},
        )
        version = freeze(project, name="pairs", kind="preference", actor=None)
        assert {row["chosen"] for row in rows(version)} == {"one", "Blue."}


class TestValidated:
    RECIPE = {"validated": True}

    def written(self, project, prompt, alice):
        says(asked(project, "demonstration", prompt), alice, {"text": "Blue."})
        return Output.objects.get(source="human")

    def test_only_what_was_accepted_goes_in(self, project, prompt, alice, bob):
        output = self.written(project, prompt, alice)
        task = asked(project, "validate", prompt, [output])
        with pytest.raises(NothingToFreeze, match="1 were not accepted"):
            freeze(project, name="sft", kind="instruction", recipe=self.RECIPE, actor=None)
        says(task, bob, {"verdict": "accept"})
        version = freeze(project, name="sft", kind="instruction", recipe=self.RECIPE, actor=None)
        assert [row["completion"] for row in rows(version)] == ["Blue."]

    @pytest.mark.parametrize("verdict", ["reject", "return"])
    def test_what_was_not_accepted_does_not(self, project, prompt, alice, bob, verdict):
        output = self.written(project, prompt, alice)
        says(asked(project, "validate", prompt, [output]), bob, {"verdict": verdict}, reason="No.")
        assert preview(project, "instruction", self.RECIPE).total == 0
        assert preview(project, "instruction").total == 1

    def test_most_of_them_decide(self, project, prompt, alice, bob, carol, rita):
        output = self.written(project, prompt, alice)
        task = asked(project, "validate", prompt, [output], overlap=3)
        says(task, bob, {"verdict": "accept"})
        says(task, carol, {"verdict": "reject"}, reason="No.")
        assert preview(project, "instruction", self.RECIPE).total == 0
        says(task, rita, {"verdict": "accept"})
        assert preview(project, "instruction", self.RECIPE).total == 1

    def test_edits_in_preferences_too(self, project, prompt, alice, bob):
        original = make.output(prompt, "Green.")
        says(asked(project, "edit", prompt, [original]), alice, {"text": "Blue."})
        assert preview(project, "preference", self.RECIPE).left.not_accepted == 1
        edited = Output.objects.get(source="human")
        says(asked(project, "validate", prompt, [edited]), bob, {"verdict": "accept"})
        assert preview(project, "preference", self.RECIPE).total == 1

    def test_comparisons_of_what_was_not_accepted_are_left_out(self, project, prompt, alice, bob):
        written = self.written(project, prompt, alice)
        others = [make.output(prompt, text) for text in ("Green.", "Red.")]
        task = asked(project, "ranking", prompt, [written, *others])
        says(task, bob, {"tiers": [["a"], ["b"], ["c"]]})
        assert preview(project, "preference").total == 3
        counted = preview(project, "preference", self.RECIPE)
        assert (counted.total, counted.left.not_accepted) == (1, 2)

    def test_a_prompt_that_was_written_here_must_be_accepted(self, project, alice, bob):
        from annotation.ask_blank import ask_blank
        from annotation.models import Prompt

        queue = create_queue(project, name="new", type="prompt_writing", actor=None)
        ask_blank(queue, 1, actor=None)
        slot = next_assignment(project, alice, queue=queue)
        submit(slot, {"messages": [{"role": "user", "content": "Why?"}]}, key="new")
        prompt = Prompt.objects.get()
        answer = asked(project, "demonstration", prompt)
        says(answer, bob, {"text": "Because."})
        output = Output.objects.get()
        carol = make.member(project, "carol")
        says(asked(project, "validate", prompt, [output]), carol, {"verdict": "accept"})
        assert preview(project, "instruction", self.RECIPE).total == 0
        says(asked(project, "validate", prompt), carol, {"verdict": "accept"})
        assert preview(project, "instruction", self.RECIPE).total == 1


def test_the_queries_do_not_grow_with_the_rows(project, alice, django_assert_max_num_queries):
    task = None
    for number in range(30):
        prompt = make.prompt(project, f"Number {number}?")
        original = make.output(prompt, "Green.")
        task = asked(project, "edit", prompt, [original])
        says(task, alice, {"text": f"Blue {number}."})
    assert Annotation.objects.count() == 30
    with django_assert_max_num_queries(12):
        assert preview(project, "preference", {"validated": False}).total == 30
    with django_assert_max_num_queries(4):
        assert preview(project, "instruction").total == 30
