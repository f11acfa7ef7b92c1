from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command

from alignment.demo.show import find, play, sign_in_lines, table
from truing import command


class Command(command.Command):
    help = "Turn the whole loop on a small made-up world, then print what happened."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--serve", action="store_true", help="Serve the web afterwards.")
        parser.add_argument("--fresh", action="store_true", help="Start over, in a new project.")
        parser.add_argument("--seed", type=int, default=0, help="Which world is drawn.")
        parser.add_argument("--host", default="127.0.0.1", help="Where the web listens.")
        parser.add_argument("--port", type=int, default=8000, help="Where the web listens.")

    def handle(self, *args: Any, **options: Any) -> None:
        shown = None if options["fresh"] else find()
        if shown is None:
            shown = play(say=self.say, seed=options["seed"])
        if not options["serve"]:
            self.done(shown.result, table(shown))
            return
        self.say(table(shown))
        self.say(sign_in_lines(shown, f"http://{options['host']}:{options['port']}"))
        call_command("up", host=options["host"], port=options["port"], json=self.json)
