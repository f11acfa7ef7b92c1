"""Derive the rows of a dataset from answers and outputs. A preference is never stored otherwise."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from annotation.aggregators import AGGREGATORS
from annotation.aggregators.base import Merged, Outcome, Question, Verdict, Vote, said_by
from annotation.derive_judgments import JudgmentRecipe, judgment_rows
from annotation.derived import DIGITS, PIECE, Derived, Left, pieces
from annotation.models import Task, TaskOutput
from annotation.models.prompt import all_tags
from annotation.recipe import DemonstrationRecipe, PreferenceRecipe, Recipe, tasks_of
from annotation.select import Selection
from annotation.written_rows import Behind, Edit, behind, edits, not_accepted, worth_learning
from truing.models import Project
from truing.plugins import plugin_named


def derive(project: Project, kind: str, recipe: Recipe, left: Left) -> Iterator[Derived]:
    """All rows that a recipe gives, one at a time; `left` is filled on the way."""
    if isinstance(recipe, PreferenceRecipe):
        return preferences(project, recipe, left)
    if isinstance(recipe, JudgmentRecipe):
        return judgment_rows(project, kind, recipe, left)
    return demonstrations(project, recipe, left)


def preferences(project: Project, recipe: PreferenceRecipe, left: Left) -> Iterator[Derived]:
    """A row for each pair of outputs of which people prefer one."""
    aggregator = plugin_named(AGGREGATORS, recipe.aggregator, "aggregator")
    bad_as_ties = recipe.all_bad == "tie"
    selection = Selection(tasks_of(project, recipe), bad_as_ties=bad_as_ties, settled=True)
    for piece in pieces(aggregator.merged(selection)):
        judged = [(merged, _chosen(merged, recipe, left)) for merged in piece]
        asked = [merged.question for merged, verdicts in judged if verdicts]
        contents = _contents(asked)
        if recipe.validated:
            judged = list(_accepted(judged, [question.task for question in asked], left))
        for merged, verdicts in judged:
            for verdict in verdicts:
                content = contents[merged.question.task, merged.question.places]
                yield from _rows(merged, verdict, content, recipe, left)
    yield from _edits(project, recipe, left)


def demonstrations(project: Project, recipe: DemonstrationRecipe, left: Left) -> Iterator[Derived]:
    """A row for each output that comes from one of the recipe's sources."""
    outputs = worth_learning(project, recipe)
    last = 0
    while piece := list(outputs.filter(pk__gt=last)[:PIECE]):
        last = piece[-1].pk
        authors = behind(piece)
        for output in piece:
            left.outputs += 1
            if output.is_withdrawn:
                left.withdrawn += 1
                continue
            if recipe.validated and not output.is_accepted:
                left.not_accepted += 1
                continue
            by = authors.get(output.pk, Behind())
            yield Derived(
                output.prompt.split,
                {
                    "prompt": _messages(output.prompt.messages),
                    "completion": output.text,
                    "source": output.source,
                    "language": output.prompt.language,
                    "tags": output.prompt.all_tags,
                    "output": output.pk,
                    "task": by.task,
                    "annotations": list(by.annotations),
                },
                by.annotators,
            )


def _accepted(
    judged: list[tuple[Merged, list[Verdict]]], asked: list[int], left: Left
) -> Iterator[tuple[Merged, list[Verdict]]]:
    """Without the verdicts about what people wrote and others did not accept."""
    prompts, outputs = not_accepted(asked)
    for merged, verdicts in judged:
        task = merged.question.task
        kept = [
            one
            for one in verdicts
            if task not in prompts and not {(task, one.first), (task, one.second)} & outputs
        ]
        left.not_accepted += len(verdicts) - len(kept)
        yield merged, kept


def _edits(project: Project, recipe: PreferenceRecipe, left: Left) -> Iterator[Derived]:
    """A row for each output that somebody changed: the edit is better than the original."""
    for piece in pieces(edits(project, recipe)):
        contents = _contents_of_tasks([task.pk for task, made in piece if made])
        blocked, _ = not_accepted([task.pk for task, _ in piece]) if recipe.validated else ((), ())
        for task, made in piece:
            left.tasks += 1
            left.answered += bool(made)
            if made and recipe.minimum_votes > 1:
                # An edit is one person's, however many edited.
                left.too_few_votes += 1
                continue
            for edit in made:
                left.pairs += 1
                text, source = contents[task.pk].outputs[0]
                if edit.text == text.replace("\r\n", "\n"):
                    left.unchanged += 1
                elif recipe.validated and (task.pk in blocked or not edit.is_accepted):
                    left.not_accepted += 1
                elif recipe.sources and not {source, edit.source} <= set(recipe.sources):
                    left.other_sources += 1
                else:
                    left.decided += 1
                    row = _row_of_edit(edit, contents[task.pk])
                    row["task"] = task.pk
                    yield Derived(contents[task.pk].prompt["prompt__split"], row, (edit.annotator,))


def _row_of_edit(edit: Edit, content: "_Content") -> dict[str, Any]:
    text, source = content.outputs[0]
    return {
        "prompt": _messages(content.prompt["prompt__messages"]),
        "chosen": edit.text,
        "rejected": text,
        "chosen_source": edit.source,
        "rejected_source": source,
        "tie": False,
        "agreement": 1.0,
        "strength": None,
        "votes": 1,
        "votes_chosen": 1,
        "votes_tied": 0,
        "votes_rejected": 0,
        "language": content.prompt["prompt__language"],
        "tags": sorted(content.prompt["prompt__tags"]),
        "annotations": [edit.annotation],
    }


def _chosen(merged: Merged, recipe: PreferenceRecipe, left: Left) -> list[Verdict]:
    """The verdicts that become rows."""
    question = merged.question
    left.tasks += 1
    if not question.counting:
        return []
    left.answered += 1
    left.settled += question.settled is not None
    left.seen.add(question)
    left.heard.add(question)
    # What a reviewer settled is enough by itself.
    if not question.settled and len(question.votes) < recipe.minimum_votes:
        left.too_few_votes += 1
        return []
    left.pairs += len(merged.verdicts)
    kept = [verdict for verdict in merged.verdicts if _stands(verdict, recipe, left)]
    if recipe.pairs == "adjacent":
        near = [verdict for verdict in kept if not _is_spanned(verdict, merged.verdicts)]
        left.not_adjacent += len(kept) - len(near)
        return near
    return kept


def _stands(verdict: Verdict, recipe: PreferenceRecipe, left: Left) -> bool:
    if verdict.outcome == Outcome.BAD:
        left.all_bad += 1
    elif verdict.outcome == Outcome.NONE:
        left.undecided += 1
    elif verdict.agreement < recipe.minimum_agreement:
        left.below_agreement += 1
    elif verdict.outcome == Outcome.TIE:
        left.tied += 1
        return recipe.ties == "both"
    else:
        left.decided += 1
        return True
    return False


def _is_spanned(verdict: Verdict, verdicts: Iterable[Verdict]) -> bool:
    """Whether some output stands between the two: better than one, worse than the other."""
    below: defaultdict[int, set[int]] = defaultdict(set)
    for other in verdicts:
        if other.outcome in (Outcome.FIRST, Outcome.SECOND):
            better, worse = _in_order(other)
            below[better].add(worse)
    if verdict.outcome == Outcome.TIE:
        return False
    better, worse = _in_order(verdict)
    return any(worse in below[between] for between in below[better])


def _in_order(verdict: Verdict) -> tuple[int, int]:
    if verdict.outcome == Outcome.SECOND:
        return verdict.second, verdict.first
    return verdict.first, verdict.second


@dataclass
class _Content:
    """What a task is about."""

    prompt: dict[str, Any]
    outputs: list[tuple[str, str]] = field(default_factory=list)  # text and source, in their order


_Asked = tuple[int, tuple[int, ...]]  # a task, and the places of a turn's outputs in it


def _contents(questions: list[Question]) -> dict[_Asked, _Content]:
    whole = _contents_of_tasks([question.task for question in questions if not question.places])
    turns = _contents_of_turns([question for question in questions if question.places])
    return {(task, ()): content for task, content in whole.items()} | turns


def _contents_of_tasks(tasks: list[int]) -> dict[int, _Content]:
    prompts = Task.objects.filter(pk__in=tasks).values(
        "pk",
        "prompt__messages",
        "prompt__language",
        "prompt__tags",
        "prompt__judged_tags",
        "prompt__split",
    )
    contents = {prompt["pk"]: _Content(dict(prompt)) for prompt in prompts}
    outputs = TaskOutput.objects.filter(task_id__in=tasks).order_by("task_id", "position")
    for task, text, source in outputs.values_list("task_id", "output__text", "output__source"):
        contents[task].outputs.append((text, source))
    return contents


def _contents_of_turns(questions: list[Question]) -> dict[_Asked, _Content]:
    """A turn of a chat is about the prompt that its own outputs answer."""
    placed = TaskOutput.objects.filter(task_id__in={question.task for question in questions})
    outputs = {
        (place.task_id, place.position): place.output
        for place in (placed.select_related("output__prompt") if questions else ())
    }
    contents = {}
    for question in questions:
        of_turn = [outputs[question.task, place] for place in question.places]
        prompt = of_turn[0].prompt
        values = {
            "prompt__messages": prompt.messages,
            "prompt__language": prompt.language,
            "prompt__tags": prompt.tags,
            "prompt__judged_tags": prompt.judged_tags,
            "prompt__split": prompt.split,
        }
        texts = [(output.text, output.source) for output in of_turn]
        contents[question.task, question.places] = _Content(values, texts)
    return contents


def _rows(
    merged: Merged, verdict: Verdict, content: _Content, recipe: PreferenceRecipe, left: Left
) -> Iterator[Derived]:
    better, worse = _in_order(verdict)
    sources = {content.outputs[better][1], content.outputs[worse][1]}
    if recipe.sources and not sources <= set(recipe.sources):
        left.other_sources += 1
        return
    orders = [(better, worse)]
    if verdict.outcome == Outcome.TIE:
        orders.append((worse, better))
    for chosen, rejected in orders:
        row = _row(merged.question, verdict, content, chosen, rejected)
        row["task"] = merged.question.task
        yield Derived(
            content.prompt["prompt__split"],
            row,
            tuple(vote.annotator for vote in _behind(merged.question)),
        )


def _behind(question: Question) -> list[Vote]:
    """The votes, and the settled answer that outweighs them."""
    return [*question.votes, *([question.settled] if question.settled else [])]


def _row(
    question: Question, verdict: Verdict, content: _Content, chosen: int, rejected: int
) -> dict[str, Any]:
    said = [(said_by(vote, chosen, rejected), vote) for vote in question.counting]
    counts = Counter(outcome for outcome, _ in said if outcome is not None)
    strengths = [
        float(vote.strength)
        for outcome, vote in said
        if outcome == Outcome.FIRST and vote.strength is not None
    ]
    return {
        "prompt": _messages(content.prompt["prompt__messages"]),
        "chosen": content.outputs[chosen][0],
        "rejected": content.outputs[rejected][0],
        "chosen_source": content.outputs[chosen][1],
        "rejected_source": content.outputs[rejected][1],
        "tie": verdict.outcome == Outcome.TIE,
        "agreement": round(verdict.agreement, DIGITS),
        "strength": round(sum(strengths) / len(strengths), DIGITS) if strengths else None,
        "votes": counts.total(),
        "votes_chosen": counts[Outcome.FIRST],
        "votes_tied": counts[Outcome.TIE],
        "votes_rejected": counts[Outcome.SECOND],
        "language": content.prompt["prompt__language"],
        "tags": all_tags(content.prompt["prompt__tags"], content.prompt["prompt__judged_tags"]),
        "annotations": sorted(vote.annotation for vote in _behind(question)),
    }


def _messages(messages: list[dict[str, Any]]) -> list[dict[str, str]]:
    return [{"role": message["role"], "content": message["content"]} for message in messages]
