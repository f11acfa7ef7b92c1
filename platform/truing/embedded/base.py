"""Django's PostgreSQL backend, with the embedded server started before it connects."""

from typing import Any

from django.db.backends.postgresql import base

from truing.embedded import hold


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        hold()
        return super().get_new_connection(conn_params)
