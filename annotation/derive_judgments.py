"""Derive the rows of datasets that say what single outputs and prompts are like."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from annotation.derived import DIGITS, Derived, Left, pieces
from annotation.judgments import Judged, Judgment, judgments
from annotation.recipe import CritiqueRecipe, LabelRecipe, UnpairedRecipe, tasks_of
from annotation.task_types.base import Finding
from annotation.written_rows import not_accepted
from truing.models import Project

JudgmentRecipe = UnpairedRecipe | LabelRecipe | CritiqueRecipe
Rows = Iterator[tuple[dict[str, Any], Judged | None]]


def judgment_rows(
    project: Project, kind: str, recipe: JudgmentRecipe, left: Left
) -> Iterator[Derived]:
    """The rows of one of these kinds, task by task."""
    rows_of = ROWS[kind]
    for judgment in _accepted(judgments(tasks_of(project, recipe)), recipe, left):
        left.tasks += 1
        if not judgment.counting:
            continue
        left.answered += 1
        left.settled += judgment.settled is not None
        # What a reviewer settled is enough by itself.
        if not judgment.settled and len(judgment.said) < recipe.minimum_votes:
            left.too_few_votes += 1
            continue
        for row, output in rows_of(judgment, recipe, left):
            if output and recipe.sources and output.source not in recipe.sources:
                left.other_sources += 1
            else:
                yield _derived(judgment, row, output)


def _accepted(found: Iterable[Judgment], recipe: JudgmentRecipe, left: Left) -> Iterator[Judgment]:
    """Where the recipe wants that: without what people wrote here and others did not accept."""
    if not (isinstance(recipe, UnpairedRecipe) and recipe.validated):
        yield from found
        return
    for piece in pieces(found):
        tasks, places = not_accepted([judgment.task for judgment in piece])
        for judgment in piece:
            kept = [
                output
                for place, output in enumerate(judgment.outputs)
                if judgment.task not in tasks and (judgment.task, place) not in places
            ]
            left.not_accepted += len(judgment.outputs) - len(kept)
            # Its answers are read by the refs of all outputs that they are about.
            judgment.kept = {output.ref for output in kept}
            yield judgment


def _unpaired(judgment: Judgment, recipe: UnpairedRecipe, left: Left) -> Rows:
    """Whether an output is good, for each that is clearly so or clearly not."""
    scores: defaultdict[str, list[float]] = defaultdict(list)
    flagged: defaultdict[str, int] = defaultdict(int)
    for said in judgment.counting:
        task_type, options = judgment.task_type, judgment.options
        for ref, score in task_type.scores(said.answer, judgment.refs, options).items():
            scores[ref].append(score)
        for ref in {
            finding.ref
            for finding in task_type.findings(said.answer, judgment.refs, options)
            if finding.name in recipe.flags and finding.level
        }:
            flagged[ref] += 1
    for output in judgment.outputs:
        if judgment.kept is not None and output.ref not in judgment.kept:
            continue
        given = scores[output.ref]
        is_flagged = flagged[output.ref] * 2 >= len(judgment.counting)
        if not given and not is_flagged:
            left.not_scored += 1
            continue
        score = sum(given) / len(given) if given else 0.0
        if not is_flagged and recipe.bad_to < score < recipe.good_from:
            left.between += 1
            continue
        yield (
            {
                "completion": output.text,
                "label": not is_flagged and score >= recipe.good_from,
                "score": round(score, DIGITS),
                "flagged": is_flagged,
                "votes": len(given),
            },
            output,
        )


def _labels(judgment: Judgment, recipe: LabelRecipe, left: Left) -> Rows:
    """What people call an output or a prompt, and how far they agree; levels are averaged."""
    named: defaultdict[tuple[str, str, str], list[Finding]] = defaultdict(list)
    voters: defaultdict[tuple[str, str], int] = defaultdict(int)
    for said in judgment.counting:
        found = [
            finding
            for finding in judgment.task_type.findings(said.answer, judgment.refs, judgment.options)
            if not finding.text and finding.start is None
        ]
        for finding in found:
            named[finding.ref, finding.name, finding.value].append(finding)
        for about in {(finding.ref, finding.name) for finding in found}:
            voters[about] += 1
    outputs = {output.ref: output for output in judgment.outputs}
    for (ref, name, value), findings in sorted(named.items()):
        levels = [finding.level for finding in findings if finding.level is not None]
        votes = sum(finding.level != 0 for finding in findings)
        # Who is asked for a class and gives none says that it is none of them.
        asked = voters[ref, name] if levels else len(judgment.counting)
        if value and votes / asked < recipe.minimum_share:
            left.below_agreement += 1
            continue
        yield (
            {
                "name": name,
                "value": value,
                "level": round(sum(levels) / len(levels), DIGITS) if levels else None,
                "share": round(votes / asked, DIGITS),
                "votes": votes,
                "voters": asked,
            },
            outputs.get(ref),
        )


def _critiques(judgment: Judgment, recipe: CritiqueRecipe, left: Left) -> Rows:
    """What each person wrote about an output, and each stretch that they marked."""
    outputs = {output.ref: output for output in judgment.outputs}
    for said in judgment.counting:
        found = judgment.task_type.findings(said.answer, judgment.refs, judgment.options)
        for ref, output in outputs.items():
            here = [finding for finding in found if finding.ref == ref]
            text = next((finding.text for finding in here if finding.text), "")
            labels = [finding.value for finding in here if finding.name == "category"]
            row = {"annotations": [said.annotation]}
            if text or labels:
                yield {**row, "critique": text, "labels": labels, **_NO_PLACE}, output
            for finding in here:
                if finding.start is not None:
                    yield {**row, **_marked(finding, output)}, output


_NO_PLACE = {"start": None, "end": None, "quote": "", "severity": None}


def _marked(finding: Finding, output: Judged) -> dict[str, Any]:
    return {
        "critique": "",
        "labels": [finding.value],
        "start": finding.start,
        "end": finding.end,
        "quote": output.text[finding.start : finding.end],
        "severity": finding.level,
    }


def _derived(judgment: Judgment, row: dict[str, Any], output: Judged | None) -> Derived:
    prompt = judgment.prompt
    whole = {
        "prompt": prompt["messages"],
        "completion": output.text if output else None,
        "source": output.source if output else None,
        "language": prompt["language"],
        "tags": prompt["tags"],
        "output": output.key if output else None,
        "task": judgment.task,
        "annotations": sorted(said.annotation for said in judgment.behind),
    }
    annotators = tuple(said.annotator for said in judgment.behind)
    return Derived(prompt["split"], whole | row, annotators)


ROWS: dict[str, Callable[[Judgment, Any, Left], Rows]] = {
    "unpaired_preference": _unpaired,
    "label": _labels,
    "critique": _critiques,
}
