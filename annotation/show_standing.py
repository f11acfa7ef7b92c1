"""How somebody's work stands, as pages and programs show it: shares, and what they rest on."""

from dataclasses import asdict, dataclass
from math import exp
from typing import Any

from annotation.models import Standing

FEW = 10  # fewer say nothing about anybody


@dataclass(frozen=True)
class Shown:
    """Each share is None where it rests on too little."""

    answers: int
    seconds: float | None
    usual_seconds: float | None  # of the queue
    left: float | None
    longer: float | None
    agreement: float | None
    gold: float | None
    consistency: float | None
    circles: float | None
    reliability: float | None
    checks_failed: int
    suspicion: float
    is_left_out: bool

    def record(self) -> dict[str, Any]:
        return {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }


def shown(standing: Standing) -> Shown:
    usual = standing.level.get("log_seconds")
    return Shown(
        answers=standing.answers,
        seconds=exp(standing.log_seconds / standing.timed) if standing.timed else None,
        usual_seconds=exp(usual) if usual is not None else None,
        left=_share(standing.lefts, standing.lefts + standing.rights, FEW),
        longer=_share(standing.longer, standing.longer + standing.shorter, FEW),
        agreement=_share(standing.agreed, standing.compared, FEW),
        gold=_share(standing.gold_right, standing.gold, 1),
        consistency=_share(standing.consistent, standing.repeats, 1),
        circles=_share(standing.circles, standing.triads, 1),
        reliability=standing.reliability if standing.relied_on >= FEW else None,
        checks_failed=standing.checks_failed,
        suspicion=standing.suspicion,
        is_left_out=standing.left_out_at is not None,
    )


def shown_to_themselves(standing: Standing) -> Shown:
    """To tenths, and known answers only where there are many of them.

    A share that moves after an answer would tell which question was a check.
    """
    whole = shown(standing)

    def coarse(value: float | None) -> float | None:
        return None if value is None else round(value, 1)

    return Shown(
        answers=whole.answers,
        seconds=whole.seconds,
        usual_seconds=whole.usual_seconds,
        left=coarse(whole.left),
        longer=coarse(whole.longer),
        agreement=coarse(whole.agreement),
        gold=coarse(whole.gold) if standing.gold >= FEW else None,
        consistency=coarse(whole.consistency) if standing.repeats >= FEW else None,
        circles=coarse(whole.circles) if standing.triads >= FEW else None,
        reliability=coarse(whole.reliability),
        checks_failed=0,
        suspicion=0.0,
        is_left_out=False,
    )


def _share(part: float, whole: float, least: int) -> float | None:
    return part / whole if whole >= least else None
