"""Empty the database after a test that wrote for good, because it needed a second connection."""

from django.core.management import call_command
from django.db import connection


def sweep():
    call_command("flush", interactive=False, verbosity=0)
    # Django's own way leaves out the queue of jobs, whose tables it does not manage.
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")
