import pytest
from django.db import transaction
from django.urls import reverse

from annotation.ask import ask
from annotation.assign import next_assignment
from annotation.create_queue import QueueNameTaken, create_queue
from annotation.edit_queue import ReservedQueue, edit_queue, set_queue_state
from annotation.fill_queue import NothingToAsk, drawn, fill_queue
from annotation.models import Assignment, Output, Prompt, Queue, Task
from annotation.skip import skip
from annotation.submit import QueueClosed, submit
from tests import make
from tests.together import Other, wait_until_waiting
from truing.errors import Invalid, Refused
from truing.models import Event


@pytest.fixture
def queue(project):
    return create_queue(project, name="Q", type="pairwise", overlap=2, actor=None)


def slots(task, state="free"):
    return Assignment.objects.filter(task=task, state=state).count()


class TestCreate:
    def test_keeps_all_options_with_their_values(self, project, clara):
        queue = create_queue(
            project, name=" My  queue ", type="pairwise", options={"tie": False}, actor=clara
        )
        assert queue.name == "My queue"
        assert queue.options == {
            "strength": True,
            "tie": False,
            "both_bad": True,
            "say_why_bad": False,
        }
        assert Event.objects.get(verb="queue.create").actor == clara

    def test_instructions_become_the_first_guideline(self, project):
        queue = create_queue(
            project, name="Q", type="pairwise", guideline="Be fair.\r\n", actor=None
        )
        assert [(one.number, one.text) for one in queue.guidelines.all()] == [(1, "Be fair.")]

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({"name": "  "}, "A queue needs a name."),
            ({"name": "x" * 201}, "at most 200 characters"),
            ({"type": "guessing"}, "There is no task type “guessing”"),
            ({"overlap": 0}, "A task wants 1 to 100 answers, not 0."),
            ({"overlap": 101}, "A task wants 1 to 100 answers, not 101."),
            ({"options": {"colour": "red"}}, "There is no option “colour”"),
            ({"options": {"tie": "maybe"}}, "must be yes or no"),
            ({"state": "asleep"}, "not “asleep”"),
            ({"guideline": "a\x00"}, "A guideline is text"),
        ],
    )
    def test_refuses_what_is_wrong_in_a_sentence(self, project, values, sentence):
        with pytest.raises(Refused, match=sentence):
            create_queue(project, **{"name": "Q", "type": "pairwise", "actor": None, **values})
        assert not Queue.objects.exists()

    def test_a_name_is_taken_once_in_a_project(self, project, queue):
        with pytest.raises(QueueNameTaken):
            create_queue(project, name="Q", type="ranking", actor=None)


class TestEdit:
    def test_instructions_are_followed_by_others_and_never_changed(self, queue):
        edit_queue(queue, guideline="One.", actor=None)
        edit_queue(queue, guideline="Two.", actor=None)
        edit_queue(queue, guideline="Two.", actor=None)
        edit_queue(queue, guideline="", actor=None)
        assert list(queue.guidelines.order_by("number").values_list("text", flat=True)) == [
            "One.",
            "Two.",
            "",
        ]

    def test_says_what_was_changed_and_nothing_where_nothing_was(self, queue, clara):
        edit_queue(queue, name="Q", overlap=2, actor=clara)
        assert not Event.objects.filter(verb="queue.edit").exists()
        edit_queue(queue, name="Better", overlap=3, actor=clara)
        assert Event.objects.get(verb="queue.edit").details == {"name": "Better", "overlap": 3}

    def test_more_answers_wanted_adds_free_slots(self, project, queue, alice, bob):
        untouched = make.task(project, queue=queue, answers=2)
        begun = make.task(project, queue=queue, answers=2)
        submit(next_assignment(project, alice), {"tiers": [["a"], ["b"]]}, key="1")
        skip(next_assignment(project, bob))
        edit_queue(queue, overlap=5, actor=None)
        assert (slots(untouched) + slots(untouched, "answered"), slots(begun)) == (5, 5)

    def test_fewer_answers_wanted_removes_free_slots_only(self, project, queue, alice, bob):
        task = make.task(project, queue=queue, answers=4)
        submit(next_assignment(project, alice), {"tiers": [["a"], ["b"]]}, key="1")
        next_assignment(project, bob)
        edit_queue(queue, overlap=1, actor=None)
        assert (slots(task, "answered"), slots(task, "held"), slots(task)) == (1, 1, 0)

    def test_checks_and_repeats_do_not_count_as_wanted_answers(self, project, queue):
        task = make.task(project, queue=queue, answers=2)
        for purpose in ("gold", "repeat"):
            Assignment.objects.create(task=task, queue=queue, purpose=purpose, state="answered")
        edit_queue(queue, overlap=3, actor=None)
        assert slots(task) == 3

    def test_leaves_other_queues_alone(self, project, queue):
        other = create_queue(project, name="Other", type="pairwise", actor=None)
        task = make.task(project, queue=other, answers=1)
        edit_queue(queue, overlap=9, actor=None)
        assert slots(task) == 1

    def test_a_review_is_not_edited_here(self, project):
        review = create_queue(project, name="R", type="pairwise", reserved_for="review", actor=None)
        with pytest.raises(ReservedQueue):
            edit_queue(review, overlap=2, actor=None)
        with pytest.raises(ReservedQueue):
            set_queue_state(review, "closed", actor=None)
        with pytest.raises(ReservedQueue):
            fill_queue(review, Prompt.objects.all(), actor=None)

    def test_a_closed_queue_takes_no_answer_and_an_open_one_does_again(self, project, queue, alice):
        make.task(project, queue=queue)
        held = next_assignment(project, alice)
        set_queue_state(queue, "closed", actor=None)
        with pytest.raises(QueueClosed):
            submit(held, {"tiers": [["a"], ["b"]]}, key="1")
        set_queue_state(queue, "open", actor=None)
        assert submit(held, {"tiers": [["a"], ["b"]]}, key="1")
        with pytest.raises(Invalid):
            set_queue_state(queue, "asleep", actor=None)


@pytest.mark.django_db(transaction=True)
def test_a_slot_that_is_taken_while_answers_are_lowered_costs_another_free_one():
    """The one who lowers waits for the one who takes, and then leaves that slot."""
    project = make.project()
    alice = make.member(project, "alice")
    queue = create_queue(project, name="Q", type="pairwise", overlap=3, actor=None)
    task = make.task(project, queue=queue, answers=3)
    last = task.assignments.order_by("-pk").first()
    with transaction.atomic():
        # The slot that would go first is being taken, and nobody else can see it yet.
        Assignment.objects.filter(pk=last.pk).select_for_update().get()
        annotator = make.annotator(project, "quick")
        Assignment.objects.filter(pk=last.pk).update(
            state="held", annotator=annotator, held_until="2100-01-01T00:00:00Z"
        )
        lowering = Other(lambda: edit_queue(queue, overlap=2, actor=None))
        wait_until_waiting()
    lowering.result()
    assert (slots(task, "held"), slots(task)) == (1, 1)
    assert next_assignment(project, alice)


class TestFill:
    def make_prompts(self, project, number, outputs=3, **fields):
        for place in range(number):
            prompt = make.prompt(project, f"Question {place} {fields}?", **fields)
            for output in range(outputs):
                make.output(prompt, f"Answer {output}", source=f"model {output}")

    def test_asks_about_prompts_with_enough_outputs_once(self, project, queue, clara):
        self.make_prompts(project, 3)
        self.make_prompts(project, 2, outputs=1, tags=["few"])
        assert fill_queue(queue, Prompt.objects.all(), outputs_each=2, actor=clara) == 3
        assert Assignment.objects.filter(state="free").count() == 6
        with pytest.raises(NothingToAsk):
            fill_queue(queue, Prompt.objects.all(), outputs_each=2, actor=clara)
        assert Event.objects.get(verb="queue.fill").details == {"tasks": 3}

    def test_asks_about_what_the_filter_leaves_and_no_more_than_wanted(self, project, queue):
        self.make_prompts(project, 4, tags=["x"])
        self.make_prompts(project, 4, tags=["y"])
        prompts = Prompt.objects.narrowed(tag="x")
        assert fill_queue(queue, prompts, limit=3, actor=None) == 3
        assert {tuple(tags) for tags in Task.objects.values_list("prompt__tags", flat=True)} == {
            ("x",)
        }

    def test_takes_no_prompts_of_another_project(self, project, queue):
        self.make_prompts(make.project("other"), 2)
        with pytest.raises(NothingToAsk):
            fill_queue(queue, Prompt.objects.all(), actor=None)

    def test_refuses_more_outputs_than_the_type_can_show(self, project, queue):
        with pytest.raises(Invalid, match="has 2 to 2 outputs"):
            fill_queue(queue, Prompt.objects.all(), outputs_each=3, actor=None)

    def test_draws_from_different_sources_first(self):
        outputs = [Output(text=str(place), source="big") for place in range(50)]
        outputs.append(Output(text="rare", source="small"))
        for _ in range(20):
            assert {one.source for one in drawn(outputs, 2)} == {"big", "small"}
        assert len({one.text for one in drawn(outputs, 3)}) == 3


def test_what_is_asked_twice_of_one_output_is_no_question(queue, project):
    prompt = make.prompt(project)
    output = make.output(prompt)
    with pytest.raises(Invalid):
        ask(queue, prompt, [output, output])


class TestFillToWrite:
    def test_demonstrations_are_asked_of_prompts_alone(self, project):
        queue = create_queue(project, name="W", type="demonstration", actor=None)
        make.output(make.prompt(project), "There is one.")
        make.prompt(project, "Another?")
        assert fill_queue(queue, Prompt.objects.all(), actor=None) == 2
        assert not queue.tasks.filter(task_outputs__isnull=False).exists()

    def test_each_output_is_a_question_where_there_is_one(self, project):
        queue = create_queue(project, name="E", type="edit", actor=None)
        prompt = make.prompt(project)
        for source in ("big", "big", "small"):
            make.output(prompt, f"From {source} {Output.objects.count()}", source=source)
        prompts = Prompt.objects.all()
        assert fill_queue(queue, prompts, output_source="big", actor=None) == 2
        assert fill_queue(queue, prompts, outputs_each=1, actor=None) == 1
        with pytest.raises(NothingToAsk):
            fill_queue(queue, prompts, outputs_each=1, actor=None)

    def test_only_what_people_wrote_here_is_validated(self, project, alice):
        writing = create_queue(project, name="W", type="demonstration", actor=None)
        prompt = make.prompt(project)
        make.output(prompt, "From a file.", source="human")
        ask(writing, prompt, [])
        submit(next_assignment(project, alice), {"text": "Written."}, key="1")
        queue = create_queue(project, name="V", type="validate", actor=None)
        values = {"outputs_each": 1, "written_here": True, "actor": None}
        assert fill_queue(queue, Prompt.objects.all(), **values) == 1
        assert queue.tasks.get().task_outputs.get().output.text == "Written."

    def test_prompts_are_written_to_a_brief(self, project, client, clara):
        options = {"categories": ["code", "cats"], "languages": ["en", "de"]}
        queue = create_queue(
            project, name="P", type="prompt_writing", options=options, overlap=2, actor=None
        )
        client.force_login(clara)
        address = reverse("queue_fill", args=["demo", queue.pk])
        client.post(address, {"number": 3, "brief.category": "cats", "brief.text": "Short."})
        assert queue.tasks.count() == 3
        assert queue.tasks.first().brief == {"category": "cats", "text": "Short."}
        assert Assignment.objects.filter(queue=queue, state="free").count() == 6
        page = client.get(reverse("queue", args=["demo", queue.pk])).content.decode()
        assert "Short. · cats" in page
        client.post(address, {"number": 3, "brief.category": "dogs"})
        assert queue.tasks.count() == 3

    def test_a_program_asks_for_a_prompt(self, project, client, clara):
        queue = create_queue(project, name="P", type="prompt_writing", actor=None)
        client.force_login(clara)
        address = reverse("api_tasks", args=["demo", queue.pk])
        body = {"brief": {"language": "de"}}
        made = client.post(address, body, content_type="application/json")
        assert made.status_code == 201
        assert made.json()["brief"] == {"language": "de"}
        other = create_queue(project, name="Q", type="pairwise", actor=None)
        address = reverse("api_tasks", args=["demo", other.pk])
        refused = client.post(address, body, content_type="application/json")
        assert refused.status_code == 422

    def test_prompts_that_were_corrected_are_asked_about_no_more(self, project, alice):
        from annotation.ask_blank import ask_blank
        from annotation.correct import correct

        queue = create_queue(project, name="P", type="prompt_writing", actor=None)
        ask_blank(queue, 1, actor=None)

        def says(text):
            return {"messages": [{"role": "user", "content": text}]}

        given = submit(next_assignment(project, alice), says("Wy?"), key="1")
        correct(given, says("Why?"), key="2")
        writing = create_queue(project, name="W", type="demonstration", actor=None)
        assert fill_queue(writing, Prompt.objects.all(), actor=None) == 1
        assert writing.tasks.get().prompt.text == "Why?"
