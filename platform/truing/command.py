"""What every command has in common: `--json`, one sentence for bad input, and its exit status."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DataError

from truing.database import CannotKeep, check_tables, reach_database
from truing.errors import Refused

BAD_INPUT = 2


class Command(BaseCommand):
    """A command calls verbs, then says what came out with `done`."""

    requires_system_checks: list[str] = []
    requires_tables = True
    from_command_line = False

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.add_argument(
            "--json", action="store_true", help="Print the result as one JSON object, last."
        )
        # It then raises what is wrong instead of printing how it is used.
        parser.called_from_command_line = False
        return parser

    def run_from_argv(self, argv: list[str]) -> None:
        self.from_command_line = True
        try:
            super().run_from_argv(argv)
        except (Refused, CommandError) as refusal:
            self.stderr.write(str(refusal).removeprefix("Error: "))
            sys.exit(BAD_INPUT)
        except UnicodeEncodeError:
            # Bytes that are no text come as halves of surrogate pairs, which nothing can store.
            broken = [word for word in argv if not _is_text(word)]
            if not broken:
                raise
            self.stderr.write(f"{ascii(broken[0])} is not text in UTF-8.")
            sys.exit(BAD_INPUT)
        except DataError:
            self.stderr.write(str(CannotKeep()))
            sys.exit(BAD_INPUT)

    def execute(self, *args: Any, **options: Any) -> str | None:
        self.json = bool(options.pop("json", False))
        if self.from_command_line:
            reach_database()
            if self.requires_tables:
                check_tables()
        return super().execute(*args, **options)

    def say(self, text: str) -> None:
        """Tell how it goes; with --json on stderr, so that the result stays alone."""
        stream = self.stderr if self.json else self.stdout
        stream.write(text, lambda line: line)
        stream.flush()

    def done(self, result: dict[str, Any], text: str = "") -> None:
        """Print the result: the object with --json, else the text."""
        if self.json:
            self.stdout.write(json.dumps(result, ensure_ascii=False, default=str))
        elif text:
            self.stdout.write(text)


def _is_text(word: str) -> bool:
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True
