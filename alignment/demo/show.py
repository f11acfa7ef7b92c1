"""The demo from outside: play it once, find it again, and tell what happened."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from alignment.demo import evaluate, world
from alignment.demo.cast import SIGN_INS, address_of, gather, sign_ins
from alignment.demo.loop import Loop, Say
from alignment.demo.recipe import Recipe
from alignment.models import Checkpoint, Promotion, Review
from annotation.models import Annotation, Annotator, Prompt
from truing.audit import record
from truing.create_project import create_project
from truing.models import Event, Project, User

NAME = "Support desk"
SLUG = "support-desk"
PLAYED = "demo.play"  # the event that keeps the result


@dataclass(frozen=True)
class Shown:
    project: Project
    result: dict[str, Any]


def find() -> Shown | None:
    """The newest demo that was played to its end here, if there is one."""
    event = Event.objects.filter(verb=PLAYED).select_related("project").order_by("pk").last()
    if event is None or event.project is None:
        return None
    return Shown(event.project, event.details["result"])


def play(*, say: Say, seed: int = 0, played: Callable[[Loop], object] | None = None) -> Shown:
    """Play the demo in a project of its own. `played` is handed the loop when it has turned."""
    # Models this small gain nothing from a second thread, but much from a second process.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    settings.SLOTS = {**settings.SLOTS, "local": max(2, settings.SLOTS["local"])}
    start = time.monotonic()
    project = create_project(
        NAME,
        description="A shop's support desk, made up. Its annotators are simulated.",
        actor=None,
    )
    loop = Loop(project, gather(project), Recipe(seed=seed), say)
    made = loop.turn()
    with loop.stage("evaluate"):
        found = numbers(loop, made)
    with loop.stage("leave work for people"):
        loop.leave_work(made["sft"])
    loop.seconds["total"] = round(time.monotonic() - start, 1)
    result = {"project": project.slug, **found, "seconds": dict(loop.seconds)}
    record(PLAYED, actor=None, project=project, on=project, result=result)
    if played:
        played(loop)
    return Shown(project, result)


def numbers(loop: Loop, made: Mapping[str, Checkpoint]) -> dict[str, Any]:
    """What people (simulated ones) and the hidden rubric say of each model."""
    project = loop.project
    reviews = {name: Review.objects.get(candidate=made[name]) for name in ("dpo", "ppo")}
    prompts = reviews["dpo"].prompts
    loop.answer_as_in(reviews["dpo"], made["base"])
    sides = {name: evaluate.compared(reviews["dpo"], made[name]) for name in ("base", "sft", "dpo")}
    sides["ppo"] = evaluate.compared(reviews["ppo"], made["ppo"])
    held_out = list(
        Prompt.objects.filter(project=project, tags__contains=[world.CUSTOMER])
        .on_side(Prompt.Split.EVAL)
        .order_by("pk")
    )
    promoted = Promotion.objects.in_force(project)
    answers = Annotation.objects.in_project(project)
    return {
        "reward": {
            "eval_accuracy": round(
                evaluate.reward_accuracy(made["reward"], made["sft"], held_out), 4
            )
        },
        **{
            name: {
                **{
                    key: review.verdict[key]
                    for key in ("win_rate", "interval", "prompts", "wins", "ties", "losses")
                },
                "rubric_win_rate": round(evaluate.rubric_win_rate(review), 4),
            }
            for name, review in reviews.items()
        },
        "promoted": promoted.checkpoint.name if promoted else None,
        "rubric_mean": {
            **{name: round(evaluate.rubric_mean(found), 4) for name, found in sides.items()},
            "best": 1.0,
        },
        "review_prompts": len(prompts),
        "annotations": answers.count(),
        "annotators": Annotator.objects.filter(
            project=project, assignments__annotations__in=answers
        )
        .distinct()
        .count(),
    }


def table(shown: Shown) -> str:
    """What happened, to read."""
    result = shown.result
    lines = ["", f"{'':14}{'rubric':>8}{'win rate':>10}{'95 % interval':>17}{'rubric wins':>13}"]
    for name in ("base", "sft", "dpo", "ppo", "best"):
        line = f"{name:14}{result['rubric_mean'][name]:8.2f}"
        if name in ("dpo", "ppo"):
            low, high = result[name]["interval"]
            line += f"{result[name]['win_rate']:10.0%}{f'{low:.0%} to {high:.0%}':>17}"
            line += f"{result[name]['rubric_win_rate']:13.0%}"
        lines.append(line)
    longest_first = sorted(result["seconds"].items(), key=lambda taken: (-taken[1], taken[0]))
    taken = ", ".join(f"{name} {value:g}" for name, value in longest_first)
    return "\n".join(
        [
            *lines,
            "",
            f"Reward model: right on {result['reward']['eval_accuracy']:.0%} of unseen pairs.",
            f"Promoted: {result['promoted']}, after {result['annotations']:,} answers of "
            f"{result['annotators']} simulated annotators.",
            f"Seconds: {taken}.",
            "",
        ]
    )


def sign_in_lines(shown: Shown, address: str) -> str:
    """How to sign in as each role."""
    passwords = sign_ins()
    users = User.objects.in_bulk(list(passwords), field_name="email")
    width = max(len(address_of(name)) for name in SIGN_INS.values())
    lines = [f"{address}/p/{shown.project.slug}/", ""]
    for role, name in SIGN_INS.items():
        mail = address_of(name)
        # Somebody may have set another, or the folder with what we noted down is gone.
        works = mail in users and users[mail].check_password(passwords[mail])
        word = passwords[mail] if works else f"(not known here: truing users link {mail})"
        lines.append(f"  {role.label:10} {mail:{width}}  {word}")
    return "\n".join([*lines, ""])
