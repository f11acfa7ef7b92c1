"""Whether a kept connection still reaches the server, without asking the server."""

import select
from typing import Any

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """A server that has gone has closed its end, and that can be read here."""
        open_one: Any = self.connection
        if open_one is None or open_one.closed:
            return False
        waiting = select.poll()
        waiting.register(open_one.fileno(), select.POLLIN)
        return not waiting.poll(0) or bool(super().is_usable())
