"""Django's PostgreSQL backend, which sees at no cost that a connection has ended."""

from truing.embedded.usable import DatabaseWrapper

__all__ = ["DatabaseWrapper"]
