"""How a queue hands its questions out: certainty, priority, order, skills and exams, flags."""

from collections import Counter
from io import StringIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from annotation.ask_again import ask_again
from annotation.assign import next_assignment
from annotation.certainty import certainty
from annotation.create_queue import create_queue
from annotation.edit_queue import edit_queue
from annotation.grant import HasItNot, NotAMember, annotator_with_email, grant, take_away
from annotation.handling import NoSkill, checked_skill
from annotation.models import Annotator, Assignment, Draft, Flag, Grant, Queue
from annotation.prioritise import prioritise
from annotation.submit import TooLate, submit
from tests import make
from truing.errors import Invalid

FIRST = {"tiers": [["a"], ["b"]]}
SECOND = {"tiers": [["b"], ["a"]]}


def answer(project, person, what):
    slot = next_assignment(project, person)
    submit(slot, what, key=f"{person.pk}-{slot.pk}")
    return slot


def people(project, number):
    return [make.member(project, f"person{one}") for one in range(number)]


# --- certainty


@pytest.mark.parametrize(
    ("counts", "value"), [((), 0.5), ((1,), 0.75), ((2,), 0.875), ((3,), 0.9375), ((2, 2), 0.5)]
)
def test_certainty_is_the_chance_to_stay_ahead(counts, value):
    assert certainty(Counter(dict(enumerate(counts)))) == value


def test_asks_again_until_it_is_certain(project):
    queue = make.queue(project, overlap=2, most_answers=5, confidence=0.87)
    task = make.task(project, queue=queue, answers=2)
    crowd = people(project, 5)
    answer(project, crowd[0], FIRST)
    assert Assignment.objects.free().count() == 1
    answer(project, crowd[1], SECOND)
    assert Assignment.objects.free().count() == 1, "they disagree, so a third is asked"
    answer(project, crowd[2], FIRST)
    answer(project, crowd[3], FIRST)
    # Three against one are 0.81 sure; five are asked at most.
    answer(project, crowd[4], FIRST)
    assert not Assignment.objects.free().exists()
    assert task.assignments.count() == 5


def test_does_not_ask_again_what_is_certain(project):
    queue = make.queue(project, overlap=2, most_answers=5, confidence=0.87)
    make.task(project, queue=queue, answers=2)
    for person in people(project, 2):
        answer(project, person, FIRST)
    assert not Assignment.objects.free().exists()


def test_a_limit_below_the_overlap_is_refused(project):
    with pytest.raises(Invalid, match="At most 2 answers are fewer than 3"):
        create_queue(
            project,
            name="Q",
            type="pairwise",
            overlap=3,
            handling={"most_answers": 2},
            actor=None,
        )


# --- order


def test_what_has_priority_comes_first_and_it_may_change(project, alice, clara):
    queue = make.queue(project, order=Queue.Order.PRIORITY)
    tasks = [make.task(project, queue=queue) for _ in range(4)]
    assert prioritise(queue, [tasks[2].pk], 5, actor=clara) == 1
    assert answer(project, alice, FIRST).task == tasks[2]
    assert answer(project, alice, FIRST).task == tasks[0]
    prioritise(queue, [tasks[3].pk], 1, actor=clara)
    assert answer(project, alice, FIRST).task == tasks[3]
    assert answer(project, alice, FIRST).task == tasks[1]
    assert next_assignment(project, alice) is None


def test_another_order_counts_from_the_next_question_on(project, alice, bob, clara):
    queue = make.queue(project)
    tasks = [make.task(project, queue=queue, answers=2) for _ in range(3)]
    assert answer(project, alice, FIRST).task == tasks[0]
    edit_queue(queue, handling={"order": "priority"}, actor=clara)
    prioritise(queue, [tasks[2].pk], 3, actor=clara)
    assert answer(project, bob, FIRST).task == tasks[2]
    edit_queue(queue, handling={"order": "breadth"}, actor=clara)
    assert answer(project, alice, FIRST).task == tasks[1]


def test_what_is_not_given_stays(project, clara):
    queue = make.queue(project, daily_cap=7)
    queue = edit_queue(queue, handling={"confidence": 0.8}, actor=clara)
    assert (queue.daily_cap, queue.confidence) == (7, 0.8)


def test_a_new_round_asks_everybody_again(project, alice, clara):
    queue = make.queue(project)
    task = make.task(project, queue=queue)
    answer(project, alice, FIRST)
    assert ask_again(queue, [task.pk], why="The guideline is new.", actor=clara) == 1
    again = next_assignment(project, alice)
    assert (again.task, again.round) == (task, 2)


def test_who_holds_what_is_no_longer_wanted_is_told_and_nothing_is_lost(project, alice, clara):
    queue = make.queue(project, overlap=2)
    make.task(project, queue=queue, answers=2)
    held = next_assignment(project, alice)
    answered = make.member(project, "dora")
    answer(project, answered, FIRST)
    make.lapsed(held)
    edit_queue(queue, overlap=1, actor=clara)
    fresh = Assignment.objects.get(pk=held.pk)
    with pytest.raises(TooLate):
        submit(fresh, FIRST, key="late", annotator=held.annotator, reason="Mine")
    assert Draft.objects.get(annotator=held.annotator).content["reason"] == "Mine"


# --- skills and exams


def test_a_skill_has_a_kind():
    assert checked_skill(" Language: DE ") == "language:de"
    assert checked_skill("Medicine") == "expertise:medicine"
    for wrong in ("", "shoe:42", "language:", "a" * 200):
        with pytest.raises(NoSkill):
            checked_skill(wrong)


def test_a_skill_is_given_and_taken_away(project, alice, clara):
    queue = make.queue(project, skills=["language:de"])
    make.task(project, queue=queue)
    assert next_assignment(project, alice) is None
    held = grant(annotator_with_email(project, "ALICE@example.org"), "language:de", actor=clara)
    assert next_assignment(project, alice)
    take_away(held, because="A mistake.", actor=clara)
    with pytest.raises(HasItNot):
        take_away(held, actor=clara)
    with pytest.raises(NotAMember):
        annotator_with_email(project, "nobody@example.org")


def exam(project, **fields):
    queue = make.queue(
        project, "Exam", exam_skill="expertise:law", exam_size=3, exam_share=0.6, **fields
    )
    for _ in range(4):
        make.task(project, queue=queue, answers=0, gold=FIRST)
    return queue


def test_who_passes_an_exam_has_its_skill_and_is_told(project, alice, client):
    queue = exam(project)
    work = make.queue(project, "Work", skills=["expertise:law"])
    make.task(project, queue=work)
    for right in (FIRST, SECOND, FIRST):
        slot = next_assignment(project, alice)
        assert (slot.queue, slot.purpose) == (queue, Assignment.Purpose.GOLD)
        submit(slot, right, key=f"k{slot.pk}")
    assert Grant.objects.get().how == Grant.How.EXAM
    assert next_assignment(project, alice).queue == work
    client.force_login(alice)
    assert "you have passed: “expertise:law”" in client.get("/p/demo/desk/").content.decode()
    mine = client.get("/p/demo/my-work/").content.decode()
    assert "Your skills" in mine
    assert "by an exam" in mine


def test_who_fails_an_exam_has_not(project, alice):
    exam(project)
    for _ in range(3):
        answer(project, alice, SECOND)
    assert not Grant.objects.exists()
    assert next_assignment(project, alice) is None
    assert "Too few" in Annotator.objects.get(user=alice).notice


def test_skills_come_with_a_file(project, alice, bob, client, clara):
    client.force_login(clara)
    lines = "email,skill\nalice@example.org,language:de\nbob@example.org,shoe:42\nx,y,z\n"
    file = SimpleUploadedFile("skills.csv", lines.encode())
    client.post("/p/demo/skills/file/", {"file": file})
    text = client.get("/p/demo/skills/").content.decode()
    assert "language:de" in text
    assert "1 skill was given" in text
    assert "Line 3" in text
    held = Grant.objects.get()
    client.post(f"/p/demo/skills/{held.pk}/take/")
    assert not Grant.objects.standing().exists()


def test_a_bad_line_of_a_file_takes_no_other_with_it(project, alice, bob, clara, rita, tmp_path):
    file = tmp_path / "skills.csv"
    file.write_text(
        "alice@example.org,language:de\n"
        '"bob@example.org,language:de\n'
        "\n"
        "clara@example.org;country:at\n"
        'rita@example.org\t"expertise:law"\n'
    )
    said = StringIO()
    call_command("skills", project="demo", file=str(file), stdout=said)
    assert "Line 2: It cannot be read: is there a quote" in said.getvalue()
    assert "3 skills were given" in said.getvalue()
    held = Grant.objects.values_list("annotator__user__email", "skill").order_by("pk")
    assert list(held) == [
        ("alice@example.org", "language:de"),
        ("clara@example.org", "country:at"),
        ("rita@example.org", "expertise:law"),
    ]


def test_a_file_of_which_no_line_came_in_is_refused(project, tmp_path):
    file = tmp_path / "skills.csv"
    file.write_text("nobody@example.org,language:de\n")
    with pytest.raises(Invalid, match="No line came in"):
        call_command("skills", project="demo", file=str(file), stdout=StringIO())


def test_a_curator_gives_a_skill_on_the_page(project, alice, client, clara):
    client.force_login(clara)
    form = {"email": "alice@example.org", "skill": "country:ch"}
    assert client.post("/p/demo/skills/", form).status_code == 302
    assert Grant.objects.get().given_by == clara
    wrong = client.post("/p/demo/skills/", {"email": "x@example.org", "skill": "country:ch"})
    assert wrong.status_code == 422
    assert "There is no member" in wrong.content.decode()


def test_the_command_gives_lists_and_takes(project, alice):
    said = StringIO()
    common = {"project": "demo", "stdout": said}
    call_command("skills", give=["alice@example.org", "language:de"], **common)
    call_command("skills", **common)
    call_command("skills", take=["alice@example.org", "language:de"], **common)
    assert "alice@example.org has language:de." in said.getvalue()
    assert not Grant.objects.standing().exists()


def test_the_queries_of_skills_and_flags_do_not_grow(
    project, alice, client, clara, django_assert_max_num_queries
):
    client.force_login(clara)

    def fill(number):
        for one in range(number):
            person = make.annotator(project, f"w{Annotator.objects.count()}-{one}")
            grant(person, "language:de", actor=clara)
            Flag.objects.create(task=make.task(project), annotator=person)

    fill(2)
    for address in ("/p/demo/skills/", "/p/demo/flags/"):
        client.get(address)
        with django_assert_max_num_queries(20) as few:
            client.get(address)
        fill(8)
        with django_assert_max_num_queries(len(few)):
            client.get(address)


# --- flags


def test_a_curator_decides_about_a_flag(project, alice, bob, client, clara):
    make.task(project, prompt_text="Is this readable?")
    slot = next_assignment(project, alice)
    client.force_login(alice)
    form = {"meaning": "nobody", "reason": "It is empty."}
    client.post(f"/p/demo/desk/{slot.pk}/skip/", form, headers={"HX-Request": "true"})
    assert next_assignment(project, bob) is None
    client.force_login(clara)
    text = client.get("/p/demo/flags/").content.decode()
    assert "It is empty." in text
    assert "Is this readable?" in text
    flag = Flag.objects.get()
    client.post(f"/p/demo/flags/{flag.pk}/", {"decision": "put_back", "note": "It is fine."})
    assert next_assignment(project, bob)
    assert "It is fine." in client.get("/p/demo/flags/?state=put_back").content.decode()


# --- programs


def test_a_program_sets_how_questions_are_handed_out(project, client, clara):
    client.force_login(clara)
    body = {"name": "Q", "type": "pairwise", "handling": {"order": "random", "skills": "Law"}}
    made = client.post("/api/projects/demo/queues/", body, content_type="application/json")
    assert made.status_code == 201
    assert made.json()["handling"]["skills"] == "expertise:law"
    wrong = {"name": "R", "type": "pairwise", "handling": {"order": "sideways"}}
    answered = client.post("/api/projects/demo/queues/", wrong, content_type="application/json")
    assert answered.status_code == 422


def test_a_program_gives_a_priority(project, client, clara):
    client.force_login(clara)
    task = make.task(project)
    address = f"/api/projects/demo/queues/{task.queue_id}/priority/"
    body = {"tasks": [task.pk], "priority": 4}
    assert client.post(address, body, content_type="application/json").json() == {"changed": 1}
    task.refresh_from_db()
    assert task.priority == 4
