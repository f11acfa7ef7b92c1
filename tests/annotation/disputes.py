"""Questions on which people disagree, and those who settle them."""

from annotation.adjudicate import settle
from annotation.assign import next_assignment
from annotation.models import Annotation, Dispute
from annotation.submit import submit
from tests import make

A, B = {"tiers": [["a"], ["b"]]}, {"tiers": [["b"], ["a"]]}


def disputed(project, *answers, **fields):
    """A task about which w0, w1 ... said these."""
    task = make.task(project, answers=0, **fields)
    for number, tiers in enumerate(answers or ("ab", "ba")):
        make.vote(task, *tiers, by=f"w{number}")
    return task


def settled(task, person, answer=A, *, replaces=None, key=None, reason="It is right."):
    number = Annotation.objects.count()
    return settle(
        task,
        answer,
        reason=reason,
        key=key or f"settled-{number}",
        replaces=replaces,
        actor=person,
    )


def state_of(task):
    return Dispute.objects.get(task=task).state


def answered(project, person, answer):
    number = Annotation.objects.count()
    return submit(next_assignment(project, person), answer, key=f"answer-{number}")


def rows(project, recipe=None):
    from annotation.derive import derive
    from annotation.derived import Left
    from annotation.recipe import read_recipe

    known = read_recipe("preference", recipe or {})
    return [one.row for one in derive(project, "preference", known, Left())]
