"""Show the votes behind a row of a dataset version."""

from typing import Any

from annotation.aggregators.base import Outcome, outcome_of, read_vote
from annotation.in_words import in_words
from annotation.models import Annotation, TaskOutput
from truing.models import Project

WORDS = {
    Outcome.FIRST: "prefers the chosen",
    Outcome.TIE: "a tie",
    Outcome.SECOND: "prefers the rejected",
}


def votes_behind(project: Project, row: dict[str, Any]) -> list[dict[str, Any]]:
    """Each answer that a row came from: whose, what it says of the two outputs, and why."""
    places = list(
        TaskOutput.objects.filter(task=row["task"], task__queue__project=project)
        .order_by("position")
        .values_list("ref", "output__text", "output__source")
    )
    answers = (
        Annotation.objects.in_project(project)
        .filter(pk__in=row["annotations"])
        .select_related("assignment__annotator", "assignment__guideline", "assignment__queue")
        .order_by("pk")
    )
    votes = []
    for answer in answers:
        queue = answer.assignment.queue
        # A turn of a chat is about its own outputs alone.
        its = [place for place in places if not answer.turn or place[0] in answer.shown]
        refs = [ref for ref, _, _ in its]
        outputs = [(text, source) for _, text, source in its]
        said = queue.task_type.comparison(answer.answer, queue.type_options)
        says = "all bad" if said.get("all_bad") else ""
        if queue.task_type.writes:
            says = "wrote it"
        vote = read_vote(said, refs, annotation=answer.pk, annotator=0)
        if "chosen" not in row:
            says = says or in_words(queue, answer.answer, answer.shown or refs)
        elif vote and not says:
            chosen = outputs.index((row["chosen"], row["chosen_source"]))
            rejected = outputs.index((row["rejected"], row["rejected_source"]))
            outcome = outcome_of(vote.tiers, chosen, rejected)
            says = WORDS.get(outcome, "") if outcome else ""
        guideline = answer.assignment.guideline
        votes.append(
            {
                "key": answer.pk,
                "annotator": answer.assignment.annotator.pseudonym
                if answer.assignment.annotator
                else "",
                "says": says,
                "strength": answer.answer.get("strength"),
                "reason": answer.reason,
                "seconds": answer.seconds,
                "at": answer.at,
                "guideline": guideline.number if guideline else None,
                "is_settled": answer.assignment.purpose == "adjudication",
            }
        )
    return votes
