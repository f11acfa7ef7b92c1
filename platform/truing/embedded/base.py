"""Django's PostgreSQL backend, with the embedded server started before it connects."""

from typing import Any

from truing.embedded import hold, usable


class DatabaseWrapper(usable.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        hold()
        return super().get_new_connection(conn_params)
