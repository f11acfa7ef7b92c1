"""Empty the database after a test that wrote for good, because it needed a second connection."""

import time

from django.core.management import call_command
from django.db import connection

PATIENCE = 10  # seconds


def sweep():
    # A window of the browser that was closed leaves requests behind that the server still answers.
    # What they read and what is emptied here would wait for each other.
    until = time.monotonic() + PATIENCE
    while somebody_is_at_work() and time.monotonic() < until:
        time.sleep(0.01)
    call_command("flush", interactive=False, verbosity=0)
    # Django's own way leaves out the queue of jobs, whose tables it does not manage.
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")


def somebody_is_at_work():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND state <> 'idle'"
        )
        return cursor.fetchone()[0] > 0
