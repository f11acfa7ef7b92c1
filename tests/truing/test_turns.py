"""The threads of a web process take turns."""

import threading
from time import sleep

import pytest

from truing import turns
from truing.turns import Turns


@pytest.fixture
def patient(monkeypatch):
    """Nobody is overtaken, however slow this machine is."""
    monkeypatch.setattr(turns, "LONG_SECONDS", 60.0)


@pytest.fixture
def hasty(monkeypatch):
    monkeypatch.setattr(turns, "LONG_SECONDS", 0.02)


@pytest.fixture
def here():
    made = []

    def make(most=8):
        made.append(Turns(most))
        return made[-1]

    yield make
    for one in made:
        one.shutdown()


def test_short_jobs_are_one_threads_in_their_order(patient, here):
    pool, begun = here(), []

    def job(number):
        begun.append(number)
        sleep(0.0002)
        return threading.get_ident()

    futures = [pool.submit(job, number) for number in range(100)]
    assert len({future.result(10) for future in futures}) == 1
    assert begun == list(range(100))


def test_one_at_a_time_whoever_sends_them(patient, here):
    pool, inside, most = here(), 0, 0

    def job():
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        sleep(0.0002)
        inside -= 1

    def send():
        for _ in range(50):
            pool.submit(job).result(10)

    senders = [threading.Thread(target=send) for _ in range(6)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(20)
        assert not sender.is_alive()
    assert most == 1


def test_what_takes_long_holds_nobody_up(hasty, here):
    pool, end = here(), threading.Event()
    long = pool.submit(end.wait, 20)
    assert [pool.submit(int, text).result(10) for text in "123"] == [1, 2, 3]
    assert not long.done()
    end.set()
    assert long.result(10) is True


def test_so_many_at_a_time_and_no_more(hasty, here):
    pool, end = here(most=3), threading.Event()
    long = [pool.submit(end.wait, 20) for _ in range(3)]
    waiting = pool.submit(lambda: "here")
    sleep(0.2)
    assert not waiting.done()
    end.set()
    assert waiting.result(10) == "here"
    assert all(one.result(10) for one in long)


def test_a_job_that_fails_says_so_and_the_next_one_is_done(patient, here):
    pool = here()
    failed = pool.submit(int, "no number")
    assert pool.submit(int, "7").result(10) == 7
    with pytest.raises(ValueError, match="no number"):
        failed.result(10)


def test_many_who_overtake_each_other_are_all_done(monkeypatch, here):
    monkeypatch.setattr(turns, "LONG_SECONDS", 0.0005)
    pool = here()
    futures = [pool.submit(sleep, 0.0007 if number % 2 else 0) for number in range(400)]
    for future in futures:
        future.result(20)
    assert pool.submit(lambda: "here").result(10) == "here"


def test_after_the_end_nothing_begins(hasty, here):
    pool, end = here(most=1), threading.Event()
    begun = pool.submit(end.wait, 20)
    while not begun.running():
        sleep(0.001)
    waiting = pool.submit(int, "7")
    pool.shutdown(wait=False)
    assert waiting.cancelled()
    with pytest.raises(RuntimeError):
        pool.submit(int, "7")
    end.set()
    assert begun.result(10) is True
