"""The whole loop on the demo's world, through the verbs that the pages call."""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

from alignment.demo import world
from alignment.demo.cast import Cast, Player
from alignment.demo.recipe import Recipe
from alignment.finish import finish
from alignment.generate import generate
from alignment.launch import launch
from alignment.models import Checkpoint, Generation, Process, Review, Run
from alignment.promote import promote
from alignment.reject import reject
from alignment.review import open_review
from alignment.verdict import Verdict, verdict
from alignment.wait import follow_on
from annotation.ask import ask_all
from annotation.assign import next_assignment
from annotation.create_queue import create_queue
from annotation.freeze import freeze
from annotation.models import Assignment, DatasetVersion, Output, Prompt, Queue
from annotation.submit import submit
from truing.errors import Refused
from truing.models import Project

Say = Callable[[str], None]
METHOD_OF = {"base": "pretrain"}  # the other models are called like what made them

GUIDELINE = """\
**Which answer would you rather get from a shop?**

1. **Right facts** come first: the order number, the day, the price that the customer asked about.
2. **Courtesy**: a kind word that fits, and a farewell. An insult is never acceptable.
3. **Brevity**: nothing that nobody asked for.

Answers that are equally good share a place.
"""


class StageFailed(Refused):
    """A stage of the demo failed."""

    status = 500


@dataclass
class Loop:
    """One turn of the loop in a project: what was made so far, and how long it took."""

    project: Project
    cast: Cast
    recipe: Recipe
    say: Say
    seconds: dict[str, float] = field(default_factory=dict)

    def turn(self) -> dict[str, Checkpoint]:
        """Go the whole way round. Returns the checkpoints by what they are called here."""
        with self.stage("import"):
            world.bring_in(self.project, self.recipe.sizes, seed=self.recipe.seed)
        with self.stage("freeze"):
            texts = self.freeze("archive", "text", tags=[world.ARCHIVE], sources=[world.ARCHIVE])
            taught = self.freeze("demonstrations", "instruction", tags=[world.DEMONSTRATION])
        base = self.train("base", texts)
        sft = self.train("sft", taught, base=base)
        promote(sft, reason="The first that speaks.", decided_by=self.cast.engineer)
        with self.stage("generate"):
            self.answer(sft)
        with self.stage("annotate"):
            queue = self.ask(sft)
            self.judge(queue, self.cast.annotators)
        with self.stage("freeze"):
            ranked = self.freeze(
                "rankings", "preference", queues=[queue.name], **self.recipe.preferences
            )
        made = self.align(sft, ranked)
        with self.stage("review"):
            reviews = {name: self.review(made[name]) for name in ("dpo", "ppo")}
        with self.stage("promote"):
            self.decide(reviews)
        return {"base": base, "sft": sft, **made}

    def align(self, sft: Checkpoint, ranked: DatasetVersion) -> dict[str, Checkpoint]:
        """Reward model, DPO and PPO, all from the SFT model and the same rankings."""
        # DPO asks no reward model, so the two go side by side.
        self.say("reward and dpo ...")
        side_by_side = [
            self.launch(name, name, ranked, {"base": sft}) for name in ("reward", "dpo")
        ]
        reward, dpo = (self.made_by(run) for run in side_by_side)
        ppo = self.train("ppo", ranked, base=sft, reward=reward)
        return {"reward": reward, "dpo": dpo, "ppo": ppo}

    # The steps of the turn, each through the verbs that everybody uses.

    def freeze(self, name: str, kind: str, **recipe: Any) -> DatasetVersion:
        version = freeze(self.project, name=name, kind=kind, recipe=recipe, actor=self.cast.curator)
        rows = version.manifest["rows"]
        self.say(f"  {version}: {', '.join(f'{count} {side}' for side, count in rows.items())}")
        return version

    def train(self, name: str, dataset: DatasetVersion, **models: Checkpoint) -> Checkpoint:
        """Launch a run, and wait for its checkpoint."""
        self.say(f"{name} ...")
        method = METHOD_OF.get(name, name)
        return self.made_by(self.launch(method, name, dataset, models))

    def launch(
        self,
        method: str,
        name: str,
        dataset: DatasetVersion,
        models: Mapping[str, Checkpoint],
        *,
        review_after: bool = True,
    ) -> Run:
        return launch(
            self.project,
            method=method,
            name=name,
            datasets=[dataset],
            base=models.get("base"),
            reward=models.get("reward"),
            options=self.recipe.options[method],
            review_after=review_after,
            actor=self.cast.engineer,
        )

    def made_by(self, run: Run) -> Checkpoint:
        self.wait_for(run)
        if run.started_at and run.ended_at:
            taken = (run.ended_at - run.started_at).total_seconds()
            self.seconds[run.method] = round(taken, 1)
        return Checkpoint.objects.get(run=run)

    def answer(self, checkpoint: Checkpoint) -> None:
        """Let a checkpoint answer the customers' prompts several times each."""
        generation = generate(
            checkpoint,
            self.customers(Prompt.Split.TRAIN) + self.customers(Prompt.Split.EVAL),
            samples=self.recipe.samples,
            params=self.recipe.sampling,
            actor=self.cast.engineer,
        )
        self.wait_for(generation)

    def customers(self, side: str) -> list[Prompt]:
        """The prompts that are answered before people judge: many to train on, all of eval."""
        prompts = Prompt.objects.filter(project=self.project, tags__contains=[world.CUSTOMER])
        found = prompts.on_side(side).order_by("pk")
        return list(found[: self.recipe.train_prompts] if side == Prompt.Split.TRAIN else found)

    def ask(self, checkpoint: Checkpoint) -> Queue:
        """Open the queue in which the answers are ranked."""
        queue = create_queue(
            self.project,
            name="Rank the answers",
            type="ranking",
            overlap=self.recipe.overlap,
            guideline=GUIDELINE,
            actor=self.cast.curator,
        )
        few = [
            *self.customers(Prompt.Split.TRAIN),
            *self.customers(Prompt.Split.EVAL)[: self.recipe.eval_prompts],
        ]
        ask_all(queue, self.sets_of_answers(checkpoint, few))
        return queue

    def sets_of_answers(
        self, checkpoint: Checkpoint, prompts: Iterable[Prompt]
    ) -> list[tuple[Prompt, list[Output]]]:
        answers = Output.objects.filter(
            prompt__in=list(prompts), source=checkpoint.source
        ).order_by("prompt_id", "pk")
        sets: dict[int, list[Output]] = {}
        for output in answers.select_related("prompt"):
            sets.setdefault(output.prompt_id, []).append(output)
        # Where it said the same each time there is nothing to rank.
        return [(found[0].prompt, found) for found in sets.values() if len(found) > 1]

    def judge(self, queue: Queue, players: list[Player]) -> None:
        """Let the simulated annotators work until nothing is left, a question each in turn."""
        rng = Random(f"order {self.recipe.seed} {queue.pk}")
        working = list(players)
        answered = 0
        while working:
            player = rng.choice(working)
            assignment = next_assignment(self.project, player.user, queue=queue)
            if assignment is None:
                working.remove(player)
                continue
            self.answer_as(player, assignment)
            answered += 1
            if answered % 200 == 0:
                self.say(f"  {answered} answers")

    def answer_as(self, player: Player, assignment: Assignment) -> None:
        task = assignment.task
        assert task.prompt is not None
        texts = {item.ref: item.output.text for item in task.task_outputs.select_related("output")}
        rng = Random(f"{player.person.name} {self.recipe.seed} {task.pk}")
        judgment = player.person.judge(
            task.prompt.messages, [texts[ref] for ref in assignment.shown], rng
        )
        tiers = [[assignment.shown[place] for place in tier] for tier in judgment.tiers]
        submit(
            assignment,
            {"tiers": tiers},
            key=uuid.uuid4().hex,
            seconds=judgment.seconds,
            reason=judgment.reason,
        )

    def review(self, candidate: Checkpoint, *, against: Checkpoint | None = None) -> Review:
        """Have the review that opened by itself answered by people who never saw the rest.

        With a checkpoint to compare against, open one.
        """
        review = (
            open_review(candidate, baseline=against, actor=self.cast.engineer)
            if against
            else Review.objects.get(candidate=candidate)
        )
        self.until(lambda: _reloaded(review).state != Review.State.GENERATING)
        if review.state != Review.State.OPEN or review.queue is None:
            raise StageFailed(f"The review of {candidate} did not open: {review.problem}")
        self.judge(review.queue, self.cast.reviewers)
        follow_on(set())
        if _reloaded(review).state == Review.State.OPEN:
            finish(review, actor=self.cast.engineer)
        return review

    def answer_as_in(self, review: Review, checkpoint: Checkpoint) -> None:
        """Let a checkpoint answer a review's prompts, to compare it with those under review."""
        prompts = Prompt.objects.filter(pk__in=review.prompts)
        generation = generate(checkpoint, prompts, params=review.params, actor=self.cast.engineer)
        self.wait_for(generation)

    def leave_work(self, checkpoint: Checkpoint) -> None:
        """Leave open queues behind, so that people can take over the desk."""
        asked = Prompt.objects.filter(tasks__queue__project=self.project).values("pk")
        rest = (
            Prompt.objects.filter(project=self.project, tags__contains=[world.CUSTOMER])
            .on_side(Prompt.Split.TRAIN)
            .exclude(pk__in=asked)
            .order_by("-pk")[: self.recipe.left_for_people]
        )
        self.wait_for(
            generate(
                checkpoint,
                rest,
                samples=self.recipe.samples,
                params=self.recipe.sampling,
                actor=self.cast.engineer,
            )
        )
        sets = self.sets_of_answers(checkpoint, rest)
        half = len(sets) // 2
        for name, type, pairs in (
            (
                "Which is better?",
                "pairwise",
                [(prompt, found[:2]) for prompt, found in sets[:half]],
            ),
            ("Rank some more", "ranking", sets[half:]),
        ):
            queue = create_queue(
                self.project, name=name, type=type, guideline=GUIDELINE, actor=self.cast.curator
            )
            ask_all(queue, pairs)

    def decide(self, reviews: Mapping[str, Review]) -> None:
        """Promote the better one, and reject the other."""
        verdicts: dict[str, Verdict] = {name: verdict(each) for name, each in reviews.items()}
        better = max(verdicts, key=lambda name: verdicts[name].win_rate)
        for name, review in reviews.items():
            rate = f"{verdicts[name].win_rate:.0%}"
            engineer = self.cast.engineer
            if name == better and verdicts[name].interval[0] > 0.5:
                promote(
                    review.candidate,
                    review=review,
                    reason=f"Reviewers prefer it on {rate} of the prompts.",
                    decided_by=engineer,
                )
            else:
                reject(
                    review,
                    reason=f"Reviewers prefer it on {rate} of the prompts; another does better.",
                    decided_by=engineer,
                )

    # Waiting, and how long things take.

    def wait_for(self, process: Run | Generation) -> None:
        self.until(lambda: _reloaded(process).has_ended)
        if process.state != Process.State.SUCCEEDED:
            raise StageFailed(f"{process} {process.state}: {process.problem}")

    def until(self, done: Callable[[], bool]) -> None:
        """Do the worker's part until something has come. Where a worker does it too: no harm."""
        known: set[str] = set()
        while not done():
            follow_on(known)
            time.sleep(0.1)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self.say(f"{name} ...")
        start = time.monotonic()
        yield
        taken = time.monotonic() - start
        self.seconds[name] = round(self.seconds.get(name, 0.0) + taken, 1)


Row = TypeVar("Row", bound=Run | Generation | Review)


def _reloaded(row: Row) -> Row:
    row.refresh_from_db()
    return row
