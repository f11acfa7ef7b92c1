from typing import Any

from django.core.management.commands import migrate

from truing import command
from truing.database import migrations_missing


class Command(command.Command, migrate.Command):
    help = "Bring the database's tables up to date."
    requires_tables = False

    def handle(self, *args: Any, **options: Any) -> None:
        missing = migrations_missing()
        if self.json:
            options["verbosity"] = 0
        super().handle(*args, **options)
        left = set(migrations_missing())
        self.done({"applied": [name for name in missing if name not in left]})
