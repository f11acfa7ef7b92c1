"""The rules that a new queue gets."""

from annotation.models import Queue, Rule

Then = Rule.Then


def default_rules(queue: Queue) -> None:
    """The rules that a new queue gets. See docs/decisions.md for where their limits come from."""
    stop = [Then.PAUSE, Then.LEAVE_OUT]
    Rule.objects.bulk_create(
        Rule(project=queue.project, queue=queue, when=when, then=then)
        for when, then in (
            ("careless", stop),
            ("one_side", stop),
            ("too_fast", stop),
            ("skipped_in_row", [Then.TELL]),
        )
    )
