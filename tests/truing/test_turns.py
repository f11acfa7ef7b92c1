"""Requests of one process take turns."""

import threading
from time import sleep

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from truing import turns
from truing.turns import Turns, TurnsMiddleware


def started(work, number):
    threads = [threading.Thread(target=work, args=(place,)) for place in range(number)]
    for thread in threads:
        thread.start()
    return threads


def ended(threads):
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def patient(monkeypatch):
    """Nobody is overtaken, however slow this machine is."""
    monkeypatch.setattr(turns, "LONG_SECONDS", 60.0)


def test_one_at_a_time(patient):
    here, inside, most = Turns(), 0, 0

    def work(_):
        nonlocal inside, most
        for _ in range(50):
            with here.turn():
                inside += 1
                most = max(most, inside)
                sleep(0.0002)
                inside -= 1

    ended(started(work, 8))
    assert most == 1
    with here.turn():
        pass  # nobody has kept it


def test_who_came_first_goes_first(patient):
    here, order = Turns(), []

    def work(place):
        with here.turn():
            order.append(place)

    threads = []
    with here.turn():
        for place in range(5):
            thread = threading.Thread(target=work, args=(place,))
            thread.start()
            threads.append(thread)
            while len(here._waiting) <= place:
                sleep(0.001)
    ended(threads)
    assert order == [0, 1, 2, 3, 4]


def test_who_takes_long_is_overtaken_and_holds_nobody_up_again(monkeypatch):
    monkeypatch.setattr(turns, "LONG_SECONDS", 0.02)
    here, done = Turns(), []

    def work(place):
        with here.turn():
            done.append(place)

    with here.turn():
        ended(started(work, 4))
        assert sorted(done) == [0, 1, 2, 3]
    with here.turn():
        assert here._on is not None
    assert here._on is None
    assert not here._waiting


def test_a_turn_ends_when_its_request_fails(patient):
    here = Turns()
    with pytest.raises(ValueError, match="no"), here.turn():
        raise ValueError("no")
    with here.turn():
        pass


def test_what_is_streamed_is_made_after_the_turn(patient):
    def view(request):
        if request.path == "/slow/":
            return StreamingHttpResponse(iter(["a", "b"]))
        return HttpResponse("here")

    middleware = TurnsMiddleware(view)
    slow, quick = HttpRequest(), HttpRequest()
    slow.path = "/slow/"
    streamed = iter(middleware(slow))
    assert next(streamed) == b"a"
    assert middleware(quick).content == b"here"
    assert next(streamed) == b"b"


def test_many_who_overtake_each_other_all_get_through(monkeypatch):
    monkeypatch.setattr(turns, "LONG_SECONDS", 0.0005)
    here, done = Turns(), []

    def work(place):
        for _ in range(100):
            with here.turn():
                sleep(0.0007 if place % 2 else 0)
            done.append(place)

    ended(started(work, 8))
    assert len(done) == 800
    assert here._on is None
    assert not here._waiting
