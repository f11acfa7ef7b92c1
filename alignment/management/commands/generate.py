"""truing generate --project P --checkpoint C --split train --samples 4: let a model answer."""

from typing import Any

from django.core.management.base import CommandParser

from alignment.generate import generate
from alignment.management.commands.train import values_of
from alignment.models import Generation
from alignment.named import checkpoint_named
from alignment.wait import wait_for
from annotation.models import Prompt
from truing.command import Command as TruingCommand
from truing.errors import Invalid, Refused
from truing.named import project_named


class GenerationFailed(Refused):
    """The generation failed."""


class Command(TruingCommand):
    help = "Let a checkpoint answer the prompts of its project."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--project", required=True, help="The project's slug.")
        parser.add_argument("--checkpoint", required=True, help="By name or number.")
        parser.add_argument("--split", help="Only prompts on this side: train, eval or review.")
        parser.add_argument("--tag", help="Only prompts with this tag.")
        parser.add_argument("--limit", type=int, help="At most so many prompts.")
        parser.add_argument("--samples", type=int, default=1, help="Answers a prompt.")
        parser.add_argument(
            "--set", action="append", default=[], metavar="KEY=VALUE", help="Say temperature=0.7."
        )
        parser.add_argument("--wait", action="store_true", help="Stay until it has ended.")

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        prompts = Prompt.objects.filter(project=project).order_by("pk")
        if options["split"]:
            if options["split"] not in Prompt.Split.values:
                raise Invalid(f"A side is train, eval or review, not “{options['split']}”.")
            prompts = prompts.on_side(options["split"])
        if options["tag"]:
            prompts = prompts.filter(tags__contains=[options["tag"]])
        if options["limit"] is not None and options["limit"] < 1:
            raise Invalid("The limit must be at least 1.")
        generation = generate(
            checkpoint_named(project, options["checkpoint"]),
            prompts[: options["limit"]],
            samples=options["samples"],
            params=values_of(options["set"]),
            actor=None,
        )
        if options["wait"]:
            wait_for(generation, self.say)
            if generation.state != Generation.State.SUCCEEDED:
                sentence = f"Generation {generation.pk} {generation.state}. {generation.problem}"
                raise GenerationFailed(sentence.strip())
        self.done(
            {
                "generation": generation.pk,
                "state": generation.state,
                "prompts": len(generation.prompts),
                "made": generation.made,
            },
            f"Generation {generation.pk}: {generation.state}, {generation.made} outputs",
        )
