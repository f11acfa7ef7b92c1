"""Requests of one process take turns: threads that share an interpreter are slower together."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from django.http import HttpRequest, HttpResponse

LONG_SECONDS = 0.1


class Turns:
    """One at a time, in the order in which they came; who takes long is overtaken.

    So what waits for the database or for another machine holds nobody up for long.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._on: threading.Event | None = None
        self._since = 0.0

    @contextmanager
    def turn(self) -> Iterator[None]:
        place = threading.Event()  # set once it is their turn
        self._wait(place)
        try:
            yield
        finally:
            with self._lock:
                if self._on is place:
                    following = self._waiting.popleft() if self._waiting else None
                    self._go_on(following)
                    if following:
                        following.set()

    def _wait(self, place: threading.Event) -> None:
        with self._lock:
            if self._on is None:
                self._go_on(place)
                return
            self._waiting.append(place)
        while not place.wait(LONG_SECONDS):
            with self._lock:
                if place.is_set():
                    return
                if monotonic() - self._since >= LONG_SECONDS:
                    self._waiting.remove(place)
                    self._go_on(place)
                    return

    def _go_on(self, place: threading.Event | None) -> None:
        self._on, self._since = place, monotonic()


class TurnsMiddleware:
    """Lets a request in when it is its turn. What is streamed is made after it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.turns = Turns()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with self.turns.turn():
            return self.get_response(request)
