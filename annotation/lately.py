"""What somebody did lately: how many answers a day, and how long each of them took."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import log

from django.utils import timezone

from annotation.models import Annotation, Annotator

DAYS = 28
ANSWERS = 5_000  # the newest; who gave more in this time had days that end the picture
POINTS = 200
FASTEST, SLOWEST = 1.0, 600.0  # the ends of the scale of seconds, which is logarithmic


@dataclass(frozen=True)
class Day:
    """A bar of the picture; its height is in hundredths."""

    day: date
    answers: int
    height: float
    fired: int  # rules that met their work on this day


@dataclass(frozen=True)
class Lately:
    days: list[Day]
    # Of the newest answers: places from the left and from the top, in hundredths.
    points: list[tuple[float, float]] = field(default_factory=list)
    last_at: datetime | None = None

    @property
    def answers(self) -> int:
        return sum(day.answers for day in self.days)


def lately(annotator: Annotator, *, fired_at: Iterable[datetime] = ()) -> Lately:
    """The last four weeks of somebody's work."""
    today = timezone.localdate()
    first = today - timedelta(days=DAYS - 1)
    newest = list(
        Annotation.objects.filter(assignment__annotator=annotator)
        .order_by("-pk")
        .values_list("at", "seconds")[:ANSWERS]
    )
    answers = Counter(timezone.localdate(at) for at, _ in newest)
    fired = Counter(timezone.localdate(at) for at in fired_at)
    shown = [first + timedelta(days=number) for number in range(DAYS)]
    most = max((answers[day] for day in shown), default=0) or 1
    days = [Day(day, answers[day], 100 * answers[day] / most, fired[day]) for day in shown]
    timed = [seconds for _, seconds in newest[:POINTS] if seconds][::-1]
    step = 100 / max(1, len(timed) - 1)
    points = [(place * step, from_top(seconds)) for place, seconds in enumerate(timed)]
    return Lately(days, points, newest[0][0] if newest else None)


def from_top(seconds: float) -> float:
    """Where it stands between the slowest, at 0, and the fastest, at 100."""
    held = min(max(seconds, FASTEST), SLOWEST)
    return 100 - 100 * log(held / FASTEST) / log(SLOWEST / FASTEST)
