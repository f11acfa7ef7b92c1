"""Whether the database can be reached, and whether its tables are those of this version."""

from django.core.management import call_command
from django.db import DataError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from truing import embedded
from truing.errors import Invalid, Refused


class DatabaseNotReached(Refused):
    """The database cannot be reached."""

    status = 503


class TablesAreOld(Refused):
    """The database's tables are not those of this version: run `truing migrate` first."""


class CannotKeep(Invalid):
    """The database cannot keep this: a NUL character, or a number that is too large."""


def refusal_in(error: Exception) -> Refused | None:
    """What the person who asked is told of an error; nothing where it is a bug."""
    if isinstance(error, DataError):
        return CannotKeep()
    return error if isinstance(error, Refused) else None


def reach_database() -> None:
    """Connect once: starts the embedded server, and says at once what is wrong with another."""
    try:
        connection.ensure_connection()
    except OperationalError as problem:
        reason = (str(problem).strip().splitlines() or ["no reason given"])[0]
        raise DatabaseNotReached(f"The database cannot be reached: {reason}") from None


def check_tables() -> None:
    """Bring the embedded database up to date; another one is its operator's to migrate."""
    if not migrations_missing():
        return
    if not embedded.is_in_use():
        raise TablesAreOld
    call_command("migrate", verbosity=0)


def migrations_missing() -> list[str]:
    """What has to be applied, in order."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
