"""Connections that are kept: what they begin with, and whether they still reach the server."""

import select
from typing import Any

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def init_connection_state(self) -> None:
        """What `truing.prepared` prepares is planned once, also where a guess looks dearer.

        Of a list the server guesses ten entries, most of ours have two; so it would plan the pick
        anew each time, and that takes longer than the pick.
        """
        super().init_connection_state()
        with self.cursor() as cursor:
            cursor.execute("SET plan_cache_mode = force_generic_plan")

    def is_usable(self) -> bool:
        """A server that has gone has closed its end, and that can be read here."""
        open_one: Any = self.connection
        if open_one is None or open_one.closed:
            return False
        waiting = select.poll()
        waiting.register(open_one.fileno(), select.POLLIN)
        return not waiting.poll(0) or bool(super().is_usable())
