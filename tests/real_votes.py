"""Votes that real people gave, read without a database."""

import csv
import gzip
import json

from annotation.aggregators.base import Question, read_vote

BBQ_QUESTIONS = 5  # a worker answered so many at once


def questions_in(path, names=None):
    """The questions of a feedback file, with their votes; annotators are places in `names`."""
    names = [] if names is None else names
    places = {}
    with gzip.open(path, "rt") as lines:
        for number, line in enumerate(lines, start=1):
            task = json.loads(line)
            refs = [output["id"] for output in task["outputs"]]
            prompt = json.dumps(task["prompt"])
            yield Question(
                number,
                tuple(f"{prompt}/{ref}" for ref in refs),
                tuple(
                    read_vote(
                        given["answer"],
                        refs,
                        annotation=0,
                        annotator=_place(given["annotator"], places, names),
                        shown=given["shown"],
                    )
                    for given in task["annotations"]
                ),
            )


def _place(name, places, names):
    if name not in places:
        places[name] = len(names)
        names.append(name)
    return places[name]


def bbq_lines(folder):
    """The crowd's validation of BBQ as feedback lines: which of three answers is right."""
    lines = {}
    for path in sorted(folder.glob("validations_*.csv.gz")):
        with gzip.open(path, "rt", newline="") as file:
            for row in csv.DictReader(file):
                for number in range(1, BBQ_QUESTIONS + 1):
                    _add(lines, row, f"q{number}")
    return list(lines.values())


def _add(lines, row, name):
    texts = [row[f"{name}_ans_{place}"] for place in range(3)]
    asked = f"{row[f'{name}_input']}\n{row[f'{name}_question']}"
    line = lines.setdefault(
        (row[f"{name}_uid"], asked, *texts),
        {
            "id": f"bbq-{len(lines)}",
            "prompt": [{"role": "user", "content": asked}],
            "tags": [row[f"{name}_cat"]],
            "task_type": "ranking",
            "outputs": [{"id": f"ans_{place}", "text": text} for place, text in enumerate(texts)],
            "annotations": [],
            "gold": {"tiers": _best(f"ans_{row[f'{name}_label']}")},
        },
    )
    line["annotations"].append(
        {"annotator": row["anon_id"], "answer": {"tiers": _best(row[f"Answer.{name}"])}}
    )


def _best(ref):
    return [[ref], [f"ans_{place}" for place in range(3) if f"ans_{place}" != ref]]
