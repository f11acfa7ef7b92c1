"""How fast and how right the models of annotators are, beside crowd-kit's, in one run.

    python benchmarks/aggregators.py [FOLDER]

FOLDER holds `llmfao/feedback.jsonl.gz` and `ukpconvarg1/feedback.jsonl.gz`. Seconds are of one
core; ours read the votes out of questions too. It takes some four minutes, nearly all crowd-kit's.
"""

import csv
import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT.parent / "shared" / "data"
MANY = 20  # votes of a worker whose reliability is compared


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.process_time()
    result = work()
    return result, time.process_time() - started


def labels(questions: list[Any]) -> dict[str, Any]:
    import pandas as pd
    from crowdkit.aggregation import DawidSkene

    from annotation.aggregators import AGGREGATORS
    from annotation.aggregators.units import OUTCOMES, units_of

    rows = [
        (question.task, who, OUTCOMES[label])
        for question in questions
        for unit in units_of(question)
        for who, label in unit.votes
    ]
    table = pd.DataFrame(rows, columns=["task", "worker", "label"])
    theirs, their_seconds = timed(lambda: DawidSkene().fit_predict(table))
    merged, our_seconds = timed(lambda: list(AGGREGATORS["dawid_skene"].merge(questions)))
    ours = {one.question.task: one.verdicts[0].outcome for one in merged}
    same = sum(ours[task] == label for task, label in theirs.items())
    return {
        "votes": len(rows),
        "same_labels": round(same / len(theirs), 4),
        **compared(our_seconds, their_seconds),
    }


def scores(questions: list[Any]) -> dict[str, Any]:
    import pandas as pd
    from crowdkit.aggregation import NoisyBradleyTerry
    from scipy.stats import spearmanr

    from annotation.aggregators.base import Question
    from annotation.aggregators.noisy_bradley_terry import fit

    # crowd-kit knows no ties.
    decided = [
        Question(one.task, one.outputs, tuple(vote for vote in one.votes if len(vote.tiers) == 2))
        for one in questions
    ]
    rows = [
        (vote.annotator, *(one.outputs[place] for place in (*vote.shown, vote.tiers[0][0])))
        for one in decided
        for vote in one.votes
    ]
    table = pd.DataFrame(rows, columns=["worker", "left", "right", "label"])
    theirs, their_seconds = timed(lambda: NoisyBradleyTerry().fit_predict(table))
    other = NoisyBradleyTerry(random_state=1).fit_predict(table)
    ours, our_seconds = timed(lambda: fit(decided).scores)
    ranked = spearmanr([ours[name] for name in theirs.index], theirs.values).statistic
    itself = spearmanr(theirs.values, other.reindex(theirs.index).values).statistic
    return {
        "comparisons": len(rows),
        "spearman": round(float(ranked), 4),
        "spearman_of_crowd_kit_with_another_seed": round(float(itself), 4),
        **compared(our_seconds, their_seconds),
    }


def compared(ours: float, theirs: float) -> dict[str, float]:
    return {
        "seconds": round(ours, 3),
        "crowd_kit_seconds": round(theirs, 3),
        "times_as_fast": round(theirs / ours, 1),
    }


def reliability(questions: list[Any], names: list[str], published: Path) -> dict[str, Any]:
    import numpy as np
    from scipy.stats import spearmanr

    from annotation.aggregators.crowd.answers import Gathering
    from annotation.aggregators.crowd.competence import fit
    from annotation.aggregators.units import units_of

    with published.open() as file:
        known = {row["worker"]: float(row["mace_competence"]) for row in csv.DictReader(file)}
    gathering = Gathering()
    for question in questions:
        for unit in units_of(question):
            gathering.add(unit.votes)
    answers = gathering.answers()
    found, seconds = timed(lambda: fit(answers, np.full(answers.units, 3)))
    workers = [names[number] for number in gathering.annotators]
    steady = found.answers >= MANY
    theirs = [known[name] for name, many in zip(workers, steady, strict=True) if many]
    return {
        "workers": int(steady.sum()),
        "spearman": round(float(spearmanr(found.knows[steady], theirs).statistic), 4),
        "seconds": round(seconds, 3),
    }


def main(folder: Path) -> None:
    from tests.real_votes import questions_in

    warnings.simplefilter("ignore")  # crowd-kit's, about pandas
    result: dict[str, Any] = {}
    for name in ("llmfao", "ukpconvarg1"):
        names: list[str] = []
        questions = list(questions_in(folder / name / "feedback.jsonl.gz", names=names))
        result[name] = {
            "dawid_skene": labels(questions),
            "noisy_bradley_terry": scores(questions),
        }
        competence = folder / name / "worker_mace_competence.csv"
        if competence.exists():
            result[name]["reliability"] = reliability(questions, names, competence)
    print(json.dumps(result))  # noqa: T201


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
    main(Path(sys.argv[1]) if sys.argv[1:] else FOLDER)
