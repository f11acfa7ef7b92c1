"""The tests' database as another process is told of it, also where it listens on a socket only."""

from urllib.parse import urlencode

from django.db import connection


def database_url(name=None):
    """The address of the tests' database, or of another one on the same server."""
    given = connection.get_connection_params()
    where = {key: given[key] for key in ("host", "port", "user", "password") if key in given}
    return "postgresql:///?" + urlencode({**where, "dbname": name or given["dbname"]})
