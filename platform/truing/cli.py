"""The command line: `truing` when installed, `python manage.py` in a checkout."""

import os
import signal
import sys
from types import FrameType

import django
from django.core.management import (
    execute_from_command_line,
    get_commands,
    load_command_class,
)

PARTS = ("truing", "annotation", "alignment")
INTERRUPTED = 130


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "truing.settings")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        if sys.argv[1:] in ([], ["help"], ["--help"], ["-h"]):
            sys.stdout.write(commands_in_words())
        else:
            execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def commands_in_words() -> str:
    """Our commands with a line about each, then the names of Django's."""
    django.setup()
    commands = get_commands()
    ours = {
        name: load_command_class(app, name).help
        for name, app in sorted(commands.items())
        if app in PARTS
    }
    lines = [f"  {name:<14}{' '.join(text.split())}" for name, text in ours.items()]
    others = ", ".join(sorted(set(commands) - set(ours)))
    return "\n".join(
        [
            "truing COMMAND [--json] ...    (truing COMMAND --help says more)",
            "",
            *lines,
            "",
            f"Django's own: {others}",
            "",
        ]
    )


def _leave(number: int, frame: FrameType | None) -> None:
    # An order to end is followed through the front door, so that what we hold is let go.
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
