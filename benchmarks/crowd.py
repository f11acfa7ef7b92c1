"""A simulated crowd works through the real verbs: how many careless people do the rules find?

    python -m benchmarks.crowd [--people 60] [--tasks 1200] [--seeds 5] [--accuracy 0.85]

Makes a database of its own on the server that DATABASE_URL names, and drops it in the end. Three
people in ten are careless: a third each answer at random, always take what stands first, or answer
at random and far too fast. All others are right so often. Each task wants three answers, and the
answer to one item in ten is known. The queue has the rules that every new queue gets. Prints one
JSON object on its last line.
"""

import argparse
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from math import exp
from typing import Any

KINDS = ("at random", "always left", "too fast")
WITHIN = 40


@dataclass
class Person:
    """Somebody of the crowd, and what became of them."""

    user: Any
    kind: str
    pace: float
    answers: int = 0
    stopped_after: int | None = None
    is_done: bool = False


@dataclass
class World:
    truth: dict[int, str] = field(default_factory=dict)  # the better output's ref, by task


def simulate(
    seed: int, *, people: int, tasks: int, accuracy: float, overlap: int = 3, gold: float = 0.1
) -> dict[str, Any]:
    """One crowd in one queue, until nothing is left for anybody."""
    from annotation.assign import next_assignment
    from annotation.models import Annotator, Firing, Standing
    from annotation.submit import submit

    chance = random.Random(seed)
    project, queue, world = build(seed, chance, tasks=tasks, overlap=overlap, gold=gold)
    crowd = gather(project, chance, people)
    while working := [person for person in crowd if not person.is_done]:
        chance.shuffle(working)
        for person in working:
            slot = next_assignment(project, person.user, queue=queue)
            if slot is None:
                person.is_done = True
                continue
            better, seconds = judge(person, slot, world, chance, accuracy)
            other = next(ref for ref in slot.shown if ref != better)
            submit(slot, {"tiers": [[better], [other]]}, key=f"{seed}-{slot.pk}", seconds=seconds)
            person.answers += 1
    stopped = dict(
        Standing.objects.filter(queue=queue, annotator__paused_at__isnull=False).values_list(
            "annotator__user", "answers"
        )
    )
    for person in crowd:
        person.stopped_after = stopped.get(person.user.pk)
    why = Counter(Firing.objects.filter(standing__queue=queue).values_list("when", flat=True))
    assert Annotator.objects.filter(project=project).count() <= people
    return report(crowd) | {"seed": seed, "fired": dict(why)}


def build(
    seed: int, chance: random.Random, *, tasks: int, overlap: int, gold: float
) -> tuple[Any, Any, World]:
    """A project with a queue of tasks of which the simulation knows the right answers."""
    from annotation.ask import ask_all
    from annotation.create_queue import create_queue
    from annotation.models import Output, Prompt, Task
    from annotation.models.output import output_digest
    from annotation.models.prompt import prompt_digest
    from truing.models import Project

    project = Project.objects.create(name=f"Crowd {seed}", slug=f"crowd-{seed}")
    queue = create_queue(
        project, name="Compare", type="pairwise", overlap=overlap, guideline="Be fair.", actor=None
    )
    known = round(tasks * gold)
    questions = []
    for number in range(tasks + known):
        text = f"Question {number}?"
        messages = [{"role": "user", "content": text}]
        prompt = Prompt.objects.create(
            project=project,
            messages=messages,
            text=text,
            digest=prompt_digest(messages, "", "", [], {}),
            split=Prompt.Split.TRAIN,
        )
        texts = [f"{word} answer to {number}" for word in ("One", "Another")]
        outputs = [
            Output.objects.create(
                prompt=prompt, text=one, digest=output_digest(one), source=f"model {place}"
            )
            for place, one in enumerate(texts)
        ]
        questions.append((prompt, outputs))
    ask_all(queue, questions)
    world = World()
    made = list(Task.objects.filter(queue=queue).order_by("pk"))
    for task in made:
        world.truth[task.pk] = chance.choice("ab")
    # The items whose answer is known are asked only as checks: nobody's vote is wanted there.
    golden = chance.sample(made, known)
    for task in golden:
        better = world.truth[task.pk]
        task.gold = {"tiers": [[better], ["b" if better == "a" else "a"]]}
        task.save()
        task.assignments.all().delete()
    queue.gold_share = gold
    queue.save()
    return project, queue, world


def gather(project: Any, chance: random.Random, number: int) -> list[Person]:
    from truing.models import Membership, User

    kinds = [KINDS[place % 3] for place in range(round(number * 0.3))]
    kinds += ["careful"] * (number - len(kinds))
    chance.shuffle(kinds)
    crowd = []
    for place, kind in enumerate(kinds):
        user = User.objects.create_user(f"{project.slug}-{place}@example.org", password=None)
        Membership.objects.create(project=project, user=user)
        crowd.append(Person(user, kind, pace=30 * exp(chance.gauss(0, 0.35))))
    return crowd


def judge(
    person: Person, slot: Any, world: World, chance: random.Random, accuracy: float
) -> tuple[str, float]:
    """What somebody answers, and how long it takes them."""
    right = world.truth[slot.task_id]
    wrong = next(ref for ref in slot.shown if ref != right)
    seconds = person.pace * exp(chance.gauss(0, 0.6))
    if person.kind == "careful":
        return (right if chance.random() < accuracy else wrong), seconds
    if person.kind == "always left":
        return slot.shown[0], seconds
    if person.kind == "too fast":
        seconds = chance.uniform(0.8, 3)
    return chance.choice([right, wrong]), seconds


def report(crowd: list[Person]) -> dict[str, Any]:
    """Found and wrongly stopped, with the answers that it took."""
    careless = [person for person in crowd if person.kind != "careful"]
    careful = [person for person in crowd if person.kind == "careful"]
    found = {
        kind: sum(
            person.stopped_after is not None and person.stopped_after <= WITHIN
            for person in careless
            if person.kind == kind
        )
        for kind in KINDS
    }
    return {
        "careless": len(careless),
        "careful": len(careful),
        "found": found,
        "found_later": sum((person.stopped_after or 0) > WITHIN for person in careless),
        "wrongly_stopped": sum(person.stopped_after is not None for person in careful),
        "answers_of_careful": round(sum(person.answers for person in careful) / len(careful), 1),
        "answers_until_found": sorted(
            person.stopped_after for person in careless if person.stopped_after is not None
        ),
    }


def total(runs: list[dict[str, Any]]) -> dict[str, Any]:
    careless = sum(run["careless"] for run in runs)
    careful = sum(run["careful"] for run in runs)
    found = sum(sum(run["found"].values()) for run in runs)
    wrong = sum(run["wrongly_stopped"] for run in runs)
    return {
        "seeds": len(runs),
        "careless": careless,
        "found_within_40": found,
        "found_share": round(found / careless, 4),
        "careful": careful,
        "wrongly_stopped": wrong,
        "wrongly_stopped_share": round(wrong / careful, 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="How many careless people the rules find.")
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--tasks", type=int, default=1200)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--accuracy", type=float, default=0.85)
    wanted = parser.parse_args()

    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "truing.settings")
    import django

    django.setup()
    from django.test.utils import get_runner, setup_databases, teardown_databases

    assert get_runner
    databases = setup_databases(verbosity=0, interactive=False)
    runs = []
    try:
        for seed in range(1, wanted.seeds + 1):
            begun = time.monotonic()
            run = simulate(seed, people=wanted.people, tasks=wanted.tasks, accuracy=wanted.accuracy)
            run["seconds"] = round(time.monotonic() - begun, 1)
            print(json.dumps(run), flush=True)  # noqa: T201
            runs.append(run)
    finally:
        teardown_databases(databases, verbosity=0)
    print(json.dumps(total(runs) | {"runs": runs}))  # noqa: T201


if __name__ == "__main__":
    main()
