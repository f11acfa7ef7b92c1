"""People and curators do whatever they like, in any order; what must hold always holds.

Nobody is given a question twice, no question is asked more often than wanted, nobody is told that
nothing is left while something is, and in the end every slot that somebody may answer is answered.
"""

import json
import os
import random
from datetime import timedelta
from io import BytesIO

import pytest
from django.db.models import Count, F, Q

from annotation.ask import ask
from annotation.ask_again import ask_again
from annotation.assign import come_to_desk, extend_hold
from annotation.correct import correct, last_answer
from annotation.draft import save_draft
from annotation.edit_queue import edit_queue, set_queue_state
from annotation.enforce import Then, undo_firing
from annotation.flag import decide
from annotation.handling import Handling
from annotation.intake import import_file
from annotation.models import (
    Annotation,
    Annotator,
    Assignment,
    Bookmark,
    Exemption,
    Firing,
    Flag,
    Queue,
    Rule,
    Task,
)
from annotation.prioritise import prioritise
from annotation.resume import resume
from annotation.skip import Meaning, skip
from annotation.submit import submit
from tests import make
from truing.errors import Refused
from truing.models import Membership
from truing.options import record_of
from truing.remove_member import remove_member

# More of both, now and then, find what these do not: SEEDS=100 STEPS=150.
SEEDS, STEPS = int(os.environ.get("SEEDS", "2")), int(os.environ.get("STEPS", "100"))
State, Purpose = Assignment.State, Assignment.Purpose
WANTED = [Purpose.ANSWER, Purpose.IMPORT]
ANSWERS = [{"tiers": [["a"], ["b"]]}, {"tiers": [["b"], ["a"]]}, {"tiers": [["a", "b"]]}]


class Walk:
    """A project with people, queues and a seed; every verb below is one step."""

    def __init__(self, project, seed, people=5):
        self.chance = random.Random(seed)
        # The engine's own chance as well, so that a seed says all.
        random.seed(seed)
        self.project = project
        self.clara = make.member(project, "clara", role="CURATOR")
        self.people = [make.member(project, f"person{number}") for number in range(people)]
        self.queues = [make.queue(project, name) for name in ("One", "Two")]
        for queue in self.queues:
            Rule.objects.create(
                project=project,
                queue=queue,
                when="skipped_in_row",
                then=self.chance.sample([Then.LEAVE_OUT, Then.ASK_AGAIN, Then.TELL], k=2),
                options={"number": 3},
            )
        self.number = 0
        self.old = []  # slots as people saw them, by now perhaps another's
        self.log = []
        for _ in range(6):
            self.add_task()

    # --- who and what

    def next_number(self):
        self.number += 1
        return self.number

    def members(self):
        return [
            one
            for one in self.people
            if Membership.objects.filter(project=self.project, user=one).exists()
        ]

    def somebody(self):
        return self.chance.choice(self.members())

    def some_queue(self):
        queue = self.chance.choice(self.queues)
        queue.refresh_from_db()
        return queue

    def some_tasks(self, queue):
        tasks = list(queue.tasks.order_by("pk").values_list("pk", flat=True))
        return self.chance.sample(tasks, k=min(len(tasks), 2))

    # --- what people do

    def come(self, person, queue=None):
        """What the desk gives them; it never says that nothing is left while something is."""
        for _ in range(100):
            desk = come_to_desk(self.project, person, queue=queue)
            if desk.assignment or not desk.is_looking:
                break
        if desk.assignment:
            self.old.append((desk.assignment, person))
        elif not desk.is_capped and not desk.annotator.paused_at:
            left = self.left_for(person, open_only=True)
            if desk.chosen:
                left = left.filter(queue=desk.chosen)
            assert not left, f"{person} was told that nothing is left: {list(left.values())}"
        return desk.assignment

    def left_for(self, person, open_only=False):
        annotator = Annotator.objects.member(self.project, person)
        wrote = Exemption.objects.filter(annotator=annotator, why=Exemption.Why.WROTE)
        left = Assignment.objects.takeable().filter(
            purpose=Purpose.ANSWER, task__is_withheld=False, queue__project=self.project
        )
        if open_only:
            left = left.filter(queue__state="open")
        for task, round in Assignment.objects.filter(annotator=annotator).values_list(
            "task", "round"
        ):
            left = left.exclude(task=task, round=round)
        return left.exclude(task__in=wrote.values("task"))

    def answer(self, person=None):
        queue = None if person else self.chance.choice([None, *self.queues])
        if slot := self.come(person or self.somebody(), queue and queue.pk):
            submit(slot, self.chance.choice(ANSWERS), key=f"key-{self.next_number()}", seconds=9)
        return slot

    def skip(self):
        if slot := self.come(self.somebody()):
            skip(slot, meaning=self.chance.choice(Meaning.values))

    def hold(self):
        person = self.somebody()
        if slot := self.come(person):
            save_draft(slot, {"answer": {}, "reason": "Hm.", "seconds": 3})
            extend_hold(slot, slot.annotator)

    def answer_from_an_old_page(self):
        if not self.old:
            return
        slot, person = self.chance.choice(self.old)
        slot = Assignment.objects.filter(pk=slot.pk).first() or slot
        annotator = Annotator.objects.member(self.project, person)
        key = f"key-{self.next_number()}"
        submit(slot, self.chance.choice(ANSWERS), key=key, annotator=annotator)

    def skip_on_an_old_page(self):
        if self.old:
            slot, person = self.chance.choice(self.old)
            annotator = Annotator.objects.member(self.project, person)
            skip(slot, meaning=self.chance.choice(Meaning.values), annotator=annotator)

    def take_back(self):
        annotator = Annotator.objects.member(self.project, self.somebody())
        key = f"key-{self.next_number()}"
        correct(last_answer(annotator), self.chance.choice(ANSWERS), key=key)

    def write_what_is_judged(self):
        """They have written, somewhere, an output that others are asked about."""
        queue = self.some_queue()
        task = queue.tasks.order_by("pk").last()
        annotator = Annotator.objects.member(self.project, self.somebody())
        held = Assignment.objects.filter(task=task, annotator=annotator)
        given = Annotation.objects.filter(assignment__annotator=annotator).first()
        if given and not held.exists() and not hasattr(given, "authorship"):
            Exemption.objects.get_or_create(
                task=task, annotator=annotator, defaults={"why": Exemption.Why.WROTE}
            )

    def let_time_pass(self):
        later = timedelta(minutes=11)
        Assignment.objects.filter(state=State.HELD).update(held_until=F("held_until") - later)
        Bookmark.objects.update(swept_at=F("swept_at") - later)

    # --- what curators do

    def add_task(self):
        queue = self.some_queue()
        prompt = make.prompt(self.project, f"Question {self.next_number()}?")
        outputs = [make.output(prompt, text, source=text) for text in ("one", "two")]
        task = ask(queue, prompt, outputs)
        if self.chance.random() < 0.3:
            Task.objects.filter(pk=task.pk).update(gold=ANSWERS[0])

    def import_answers(self):
        queue = self.some_queue()
        task = queue.tasks.order_by("pk").last()
        if task is None:
            return
        line = json.loads(make.feedback_line(task))
        for output, place in zip(line["outputs"], task.task_outputs.all(), strict=True):
            output["source"] = place.output.source
        if task.gold:
            line["gold"] = task.gold
        line["annotations"] = [
            {"annotator": f"w{self.next_number()}", "answer": self.chance.choice(ANSWERS)}
        ]
        report = import_file(
            self.project, BytesIO(json.dumps(line).encode() + b"\n"), queue=queue, actor=self.clara
        )
        assert not report.refused, report.problems

    def change_order(self):
        order = self.chance.choice(Queue.Order.values)
        edit_queue(self.some_queue(), handling={"order": order}, actor=self.clara)

    def change_overlap(self):
        overlap = self.chance.randint(1, 4)
        most = self.chance.choice([None, overlap, overlap + 2])
        handling = {"most_answers": most, "confidence": self.chance.choice([0.7, 0.9])}
        edit_queue(self.some_queue(), overlap=overlap, handling=handling, actor=self.clara)

    def change_checks(self):
        shares = {
            "gold_share": self.chance.choice([0, 0.3, 1]),
            "repeat_share": self.chance.choice([0, 0.2]),
            "daily_cap": self.chance.choice([None, 3]),
        }
        edit_queue(self.some_queue(), handling=shares, actor=self.clara)

    def change_state(self):
        state = self.chance.choice([Queue.State.OPEN, Queue.State.PAUSED, Queue.State.CLOSED])
        set_queue_state(self.some_queue(), state, actor=self.clara)

    def change_priority(self):
        queue = self.some_queue()
        prioritise(queue, self.some_tasks(queue), self.chance.randint(-9, 9), actor=self.clara)

    def ask_again(self):
        if self.chance.random() < 0.4:
            queue = self.some_queue()
            ask_again(queue, self.some_tasks(queue), actor=self.clara)

    def decide(self):
        flag = Flag.objects.filter(state=Flag.State.OPEN).first()
        if flag:
            decide(flag, put_back=self.chance.random() < 0.8, actor=self.clara)

    def undo(self):
        if firing := Firing.objects.in_force().order_by("pk").last():
            undo_firing(firing, actor=self.clara)

    def change_members(self):
        person = self.chance.choice(self.people[1:])
        member = Membership.objects.filter(project=self.project, user=person).first()
        if member:
            remove_member(member, actor=None)
        else:
            Membership.objects.create(
                project=self.project, user=person, role=Membership.Role.ANNOTATOR
            )

    STEPS = {
        answer: 14,
        skip: 4,
        hold: 3,
        answer_from_an_old_page: 3,
        skip_on_an_old_page: 1,
        take_back: 1,
        write_what_is_judged: 1,
        let_time_pass: 3,
        add_task: 2,
        import_answers: 1,
        change_order: 2,
        change_overlap: 2,
        change_checks: 1,
        change_state: 2,
        change_priority: 1,
        ask_again: 1,
        decide: 2,
        undo: 1,
        change_members: 1,
    }

    def step(self):
        [verb] = self.chance.choices(list(self.STEPS), weights=list(self.STEPS.values()))
        self.log.append(verb.__name__)
        try:
            verb(self)
        except Refused as refusal:
            self.log[-1] += f" ({type(refusal).__name__})"
        self.check()

    # --- what always holds

    def check(self):
        for queue in self.queues:
            queue.refresh_from_db()
            most = max(queue.overlap, queue.most_answers or 0)
            slots = Assignment.objects.filter(queue=queue, round=1, purpose__in=WANTED)
            slots = slots.exclude(state=State.SKIPPED)
            for task in queue.tasks.all():
                its = slots.filter(task=task)
                wanted = sum(1 for slot in its if self.counts(slot))
                free = [slot for slot in its if slot.state in (State.FREE, State.WITHHELD)]
                assert not free or wanted <= most, f"{task} has {wanted} slots, {most} wanted"
                left_out = len(its) - wanted
                # Who is asked again is not waited for in the round before.
                is_last = not task.assignments.filter(round__gt=1).exists()
                assert not is_last or wanted + left_out >= queue.overlap, [
                    (one.pk, one.state, one.purpose, one.annotator_id, one.skip_reason)
                    for one in Assignment.objects.filter(task=task)
                ]
        assert not Assignment.objects.filter(state=State.FREE, task__is_withheld=True).exists()
        assert not Assignment.objects.filter(state=State.FREE, annotator__isnull=False).exists()
        answered = Assignment.objects.filter(state=State.ANSWERED)
        assert not answered.annotate(
            given=Count("annotations", filter=Q(annotations__supersedes=None))
        ).exclude(given=1)
        assert not Annotation.objects.exclude(assignment__state=State.ANSWERED).exists()

    def counts(self, slot):
        return not (
            slot.annotator_id
            and slot.annotator.standings.filter(
                queue=slot.queue_id, left_out_at__isnull=False
            ).exists()
        )

    # --- the end

    def finish(self):
        """Everything is opened, and everybody works until nothing is left for them."""
        for flag in Flag.objects.filter(state=Flag.State.OPEN):
            if Flag.objects.filter(pk=flag.pk, state=Flag.State.OPEN).exists():
                decide(flag, put_back=True, actor=self.clara)
        nothing = record_of(Handling())
        for queue in self.queues:
            set_queue_state(queue, Queue.State.OPEN, actor=self.clara)
            queue.refresh_from_db()
            keep = {"order": queue.order, "most_answers": queue.most_answers}
            edit_queue(queue, handling={**nothing, **keep}, actor=self.clara)
        for annotator in Annotator.objects.all():
            resume(annotator, actor=self.clara)
        for _ in range(2):
            self.let_time_pass()
            for person in self.members():
                for _ in range(2000):
                    if not self.answer(person):
                        break
                else:
                    raise AssertionError("It never ends.")
        for person in self.members():
            assert not self.left_for(person), f"left for {person}"
        self.check()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_people_do_no_slot_is_lost_or_given_twice(project, seed):
    walk = Walk(project, seed)
    try:
        for _ in range(STEPS):
            walk.step()
        walk.finish()
    except (Exception, AssertionError) as error:
        raise AssertionError(" > ".join(walk.log)) from error
