"""Several people at once: threads, each on a database connection of its own."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection, connections, transaction


class Other(threading.Thread):
    """Somebody else, who begins at once."""

    def __init__(self, job: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._job = job
        self._result: Any = None
        self._error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            with connection.cursor() as cursor:
                # Who waits for a lock fails, and does not hang.
                cursor.execute("SET lock_timeout = '10s'")
            self._result = self._job()
        except Exception as error:
            self._error = error
        finally:
            connections.close_all()

    def waits(self) -> bool:
        """Whether half a second was not enough, because somebody holds what it wants."""
        self.join(timeout=0.5)
        return self.is_alive()

    def result(self, seconds: float = 60) -> Any:
        """What came of it. Raises what it raised."""
        self.join(timeout=seconds)
        assert not self.is_alive(), "It does not end."
        if self._error:
            raise self._error
        return self._result


def at_once(*jobs: Callable[[], Any]) -> list[Any]:
    """Do all of them at once, and say what came of each."""
    return [other.result(seconds=120) for other in [Other(job) for job in jobs]]


def crossing(first: Callable, second: Callable, then: Callable) -> None:
    """`second` starts after `first`, and `then` comes in the transaction of `first`."""
    with transaction.atomic():
        first()
        other = Other(second)
        other.waits()
        then()
    other.result()


def with_a_transaction_open(first: Callable, second: Callable) -> tuple[Any, Any]:
    """Start `second` while `first` has done its work and not committed; say what each gave.

    `second` must wait for that transaction. Where it raises, its error is what it gave.
    """
    with transaction.atomic():
        done = first()
        other = Other(second)
        assert other.waits(), "It did not wait for the open transaction."
    try:
        return done, other.result()
    except Exception as error:
        return done, error


def wait_until_waiting(number: int = 1) -> None:
    """Until so many wait for a lock in this database."""
    for _ in range(3000):
        with connection.cursor() as cursor:
            # In a transaction, what was seen first would be seen again.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0] >= number:
                return
            cursor.execute("SELECT pg_sleep(0.01)")
    raise AssertionError("Nobody waits for a lock.")
