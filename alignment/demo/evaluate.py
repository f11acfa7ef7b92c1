"""What the hidden rubric says of the demo's models, on prompts that none of them was trained on."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from alignment.demo import rubric
from alignment.models import Checkpoint, Review
from alignment.review import params_of
from annotation.models import Output, Prompt

Answers = dict[int, list[Output]]  # by prompt


def rubric_mean(answers: Iterable[Output]) -> float:
    """The mean score of these answers; 1 is the best possible."""
    return fmean(scored(output) for output in answers)


def rubric_win_rate(review: Review) -> float:
    """How often the rubric prefers the candidate's answer; equal scores count half."""
    candidate, baseline = (
        {output.prompt_id: scored(output) for output in compared(review, checkpoint)}
        for checkpoint in (review.candidate, review.baseline)
    )
    return fmean(
        (candidate[prompt] > baseline[prompt]) + 0.5 * (candidate[prompt] == baseline[prompt])
        for prompt in candidate.keys() & baseline.keys()
    )


def compared(review: Review, checkpoint: Checkpoint) -> list[Output]:
    """What a checkpoint answered to the prompts of a review, sampled as there."""
    first: dict[int, Output] = {}
    for output in (
        Output.objects.filter(
            prompt__in=review.prompts, source=checkpoint.source, params=params_of(review)
        )
        .select_related("prompt")
        .order_by("pk")
    ):
        first.setdefault(output.prompt_id, output)
    return list(first.values())


def scored(output: Output) -> float:
    return rubric.score(output.prompt.messages, output.text)


def reward_accuracy(reward: Checkpoint, policy: Checkpoint, prompts: Sequence[Prompt]) -> float:
    """How often the reward model puts two answers of the policy in the rubric's order.

    Over all pairs of answers to one prompt which the rubric tells apart; equal rewards count half.
    """
    by_prompt: Answers = defaultdict(list)
    for output in Output.objects.filter(prompt__in=prompts, source=policy.source).select_related(
        "prompt"
    ):
        by_prompt[output.prompt_id].append(output)
    rewards = scores(reward, [output for found in by_prompt.values() for output in found])
    right = []
    for found in by_prompt.values():
        for one, other in combinations(found, 2):
            better = scored(one) - scored(other)
            gained = rewards[one.pk] - rewards[other.pk]
            if better:
                right.append(0.5 if not gained else float((gained > 0) == (better > 0)))
    return fmean(right)


def scores(reward: Checkpoint, outputs: Sequence[Output]) -> dict[int, float]:
    """What a reward model gives these outputs, asked in a process of its own."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "run.json").write_text(json.dumps({"model": reward.path}), encoding="utf-8")
        with (folder / "rows.jsonl").open("w", encoding="utf-8") as file:
            for output in outputs:
                answer = {"role": "assistant", "content": output.text}
                row = {"id": output.pk, "messages": [*output.prompt.messages, answer]}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        subprocess.run(
            [sys.executable, "-m", "alignment.score", str(folder)],
            check=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        lines = (folder / "scores.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["id"]: row["score"] for row in map(json.loads, lines)}
