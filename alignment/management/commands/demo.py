import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command

from alignment.demo.show import find, play, sign_in_lines, table
from truing import command
from truing.management.commands.web import check_address


class Command(command.Command):
    help = "Turn the whole loop on a small made-up world, then print what happened."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--serve", action="store_true", help="Then serve the web; with --json after the result."
        )
        parser.add_argument("--fresh", action="store_true", help="Start over, in a new project.")
        parser.add_argument("--seed", type=int, default=0, help="Which world is drawn.")
        parser.add_argument("--host", default="127.0.0.1", help="Where the web listens.")
        parser.add_argument("--port", type=int, default=8000, help="Where the web listens.")

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        if options["serve"]:
            # Said now, and not after the minutes that the loop takes.
            check_address(host, port)
        shown = None if options["fresh"] else find()
        if shown is None:
            shown = play(say=self.say, seed=options["seed"])
        if not options["serve"]:
            self.done(shown.result, table(shown))
            return
        if self.json:
            self.done(shown.result)
            self.stdout.flush()
        self.say(table(shown))
        self.say(sign_in_lines(shown, f"http://{host}:{port}"))
        # With --json the result stays alone: what the web says goes where all is told.
        call_command("up", host=host, port=port, stdout=sys.stderr if self.json else self.stdout)
