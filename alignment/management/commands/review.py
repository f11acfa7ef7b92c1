"""truing review open|show|finish|reject: blind comparisons of two checkpoints."""

from typing import Any

from django.core.management.base import CommandParser

from alignment.finish import finish
from alignment.management.commands.train import values_of
from alignment.models import Review
from alignment.named import checkpoint_named, review_numbered
from alignment.reject import reject
from alignment.review import open_review
from alignment.verdict import verdict
from alignment.wait import wait_for_outputs
from truing.command import Command as TruingCommand
from truing.errors import Invalid
from truing.named import project_named, user_named


class Command(TruingCommand):
    help = "Open a blind review of a checkpoint, see how it stands, or finish it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=["open", "show", "finish", "reject"])
        parser.add_argument("what", help="open: a checkpoint; otherwise: a review's number.")
        parser.add_argument("--project", help="open: the project's slug.")
        parser.add_argument("--against", help="open: the baseline; without it, what is in force.")
        parser.add_argument("--overlap", type=int, default=1, help="open: answers a comparison.")
        parser.add_argument(
            "--set", action="append", default=[], metavar="KEY=VALUE", help="open: the sampling."
        )
        parser.add_argument("--wait", action="store_true", help="open: until the queue is open.")
        parser.add_argument("--reason", default="", help="reject: why.")
        parser.add_argument("--as", dest="email", help="reject: who decides, by e-mail address.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "open":
            review = self.open(options)
        else:
            if not options["what"].isdecimal():
                raise Invalid(f"Name a review by its number, not “{options['what']}”.")
            review = review_numbered(int(options["what"]))
        if options["verb"] == "finish":
            finish(review, actor=None, early=True)
        elif options["verb"] == "reject":
            if not options["email"]:
                raise Invalid("Say who decides: --as EMAIL.")
            who = user_named(options["email"])
            review = reject(review, reason=options["reason"], decided_by=who)
        self.done(record_of_review(review), in_words(review))

    def open(self, options: dict[str, Any]) -> Review:
        if not options["project"]:
            raise Invalid("Say which project: --project P.")
        project = project_named(options["project"])
        against = options["against"]
        review = open_review(
            checkpoint_named(project, options["what"]),
            baseline=checkpoint_named(project, against) if against else None,
            overlap=options["overlap"],
            params=values_of(options["set"]),
            actor=None,
        )
        if options["wait"]:
            wait_for_outputs(review, self.say)
        return review


def record_of_review(review: Review) -> dict[str, Any]:
    """What commands say of a review."""
    numbers = review.verdict or verdict(review).record()
    return {
        "review": review.pk,
        "state": review.state,
        "candidate": review.candidate.name,
        "baseline": review.baseline.name,
        "queue": review.queue.name if review.queue else None,
        "decision": review.decision,
        "problem": review.problem,
        **{name: value for name, value in numbers.items() if name != "history"},
    }


def in_words(review: Review) -> str:
    found = record_of_review(review)
    low, high = found["interval"]
    return (
        f"Review {review.pk}, {review.candidate} against {review.baseline}: {review.state}\n"
        f"{found['answers']} of {found['answers_wanted']} answers; "
        f"win rate {found['win_rate']:.1%}, 95 % interval {low:.1%} to {high:.1%}"
    )
