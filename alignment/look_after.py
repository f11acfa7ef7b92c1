"""Looking after what is served: start it, ask how it is, take it up again, end it.

Like runs, servings are followed by looking: the database says what was asked for, the folder and
the process what really is, and whoever looks compares the two.
"""

import re

import httpx2
from django.db.models import F
from django.utils import timezone

from alignment.backends import BACKENDS
from alignment.backends import State as Outcome
from alignment.fail import fail, what_went_wrong
from alignment.host import LOOPBACK
from alignment.models import Serving
from alignment.pack import served_as
from alignment.start import begin
from annotation.serve_endpoint import endpoint_gone, endpoint_served

State = Serving.State
ATTEMPTS = 3  # by themselves, without having answered once; then a person decides
HEALTH_SECONDS = 2.0
LOG_START = 100_000
# The server says it once it listens; the first time is meant, whatever is logged later.
LISTENS = re.compile(rf"Uvicorn running on http://{re.escape(LOOPBACK)}:(\d+) ")


def look_after(serving: Serving) -> None:
    """Bring what we know of it up to date, and do what its state asks for."""
    if serving.state == State.STARTING:
        begin(serving)  # whoever began it may have died
    with serving.alone() as mine:
        if not mine:
            return
        serving.refresh_from_db()
        if serving.state == State.CANCELLING:
            _end(serving)
        elif serving.state == State.RUNNING:
            _see(serving)
    if serving.state == State.STARTING:
        begin(serving)
    if serving.has_ended:
        _not_there(serving)


def _see(serving: Serving) -> None:
    backend = BACKENDS[serving.backend]
    outcome = backend.state(serving.handle, serving.folder)
    if outcome == Outcome.RUNNING:
        _ask_how_it_is(serving)
        return
    _not_there(serving)
    # The shell may have been killed alone: what it started must not serve on.
    backend.kill(serving.handle, serving.folder)
    # The next one logs its own port.
    log = serving.folder / "log.txt"
    if outcome == Outcome.LOST and log.exists():
        log.replace(serving.folder / "log.before.txt")
    if outcome != Outcome.LOST:
        fail(serving, what_went_wrong(serving))
    elif serving.attempt >= ATTEMPTS:
        fail(
            serving,
            f"Its process was killed {ATTEMPTS} times before it could answer. The machine may lack "
            "memory: see the log.",
        )
    else:
        serving.move(State.RUNNING, State.STARTING, attempt=F("attempt") + 1, handle="", port=0)


def _ask_how_it_is(serving: Serving) -> None:
    port = serving.port or _port_of(serving)
    answers = bool(port) and _is_healthy(port)
    if not answers:
        if serving.answers:
            Serving.objects.filter(pk=serving.pk).update(answers=False)
        return
    if serving.answers and serving.port == port:
        return
    checkpoint = serving.checkpoint
    endpoint = endpoint_served(
        serving.project,
        source=checkpoint.source,
        name=checkpoint.name,
        base_url=f"http://{LOOPBACK}:{port}/v1",
        model=served_as(serving),
    )
    # It has shown that it can: when it is killed some day, it is taken up again from the beginning.
    Serving.objects.filter(pk=serving.pk).update(
        answers=True, port=port, endpoint=endpoint, attempt=0
    )
    serving.refresh_from_db()


def _port_of(serving: Serving) -> int:
    try:
        with (serving.folder / "log.txt").open("r", errors="replace") as log:
            found = LISTENS.search(log.read(LOG_START))
    except FileNotFoundError:
        return 0
    return int(found[1]) if found else 0


def _is_healthy(port: int) -> bool:
    try:
        with httpx2.Client(timeout=HEALTH_SECONDS, trust_env=False) as client:
            return client.get(f"http://{LOOPBACK}:{port}/health").status_code == 200
    except httpx2.HTTPError:
        return False


def _end(serving: Serving) -> None:
    BACKENDS[serving.backend].kill(serving.handle, serving.folder)
    serving.move(State.CANCELLING, State.CANCELLED, ended_at=timezone.now())


def _not_there(serving: Serving) -> None:
    if serving.answers or serving.port:
        Serving.objects.filter(pk=serving.pk).update(answers=False, port=0)
        serving.refresh_from_db()
    # Another serving of the same checkpoint may have taken the endpoint over since.
    others = Serving.objects.alive().filter(checkpoint=serving.checkpoint_id).exclude(pk=serving.pk)
    if serving.endpoint and serving.endpoint.is_on and not others.exists():
        endpoint_gone(serving.endpoint)
