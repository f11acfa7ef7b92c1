"""A PostgreSQL of a benchmark's own, in a temporary folder, that is gone afterwards."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def own_database(name: str) -> Iterator[None]:
    """Django is set up with it, and its tables are made."""
    with tempfile.TemporaryDirectory(prefix=f"truing-{name}-") as folder:
        os.environ.pop("DATABASE_URL", None)
        os.environ["TRUING_HOME"] = f"{folder}/home"
        os.environ["DJANGO_SETTINGS_MODULE"] = "truing.settings"
        sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connections

        from truing import embedded

        call_command("migrate", verbosity=0)
        try:
            yield
        finally:
            connections.close_all()
            embedded.release()
