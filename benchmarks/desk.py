"""How fast the desk is, and that it gives each question once.

    python -m benchmarks.desk [--people 32] [--tasks N] [--seconds 20] [--scenario NAME ...]

Starts a PostgreSQL and a web of its own in a temporary folder, fills queues, and lets simulated
people (`benchmarks/people.py`, another process) sign in and work over HTTP. A step is an answer
and the next question, in one request. Afterwards SQL tells what the database holds. The same SQL
of a step is also run without the web. The last line is one JSON object.

What is seeded is vacuumed, analyzed and written out (CHECKPOINT) before people begin, and another
queue has been worked on before: as in a database that has rested. People answer by chance in queues
without rules; in `with_rules` they mostly agree, or the rules would stop them, and rightly.
"""

import argparse
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from typing import Any

from benchmarks.own_database import ROOT, own_database

SLUG = "bench"
PASSWORD = "a long enough password"
OVERLAP = 3
PROMPTS = 12_000
MET = 50_000
SCENARIOS = {
    "tasks_10k": {"tasks": 10_000},
    "tasks_1m": {"tasks": 1_000_000},
    "met_50k": {"tasks": MET + 10_000, "met": MET},
    "killed": {"tasks": 10_000, "kill": True},
    "with_rules": {"tasks": 10_000, "rules": True},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=32)
    parser.add_argument("--tasks", type=int, help="In place of each scenario's own number.")
    parser.add_argument("--seconds", type=float, default=20, help="Of each scenario.")
    parser.add_argument("--scenario", action="append", choices=SCENARIOS)
    parser.add_argument("--processes", type=int, help="Of the web; else as `truing web` has it.")
    parser.add_argument("--threads", type=int, help="Of each process; else as `truing web` has it.")
    given = parser.parse_args()
    say("making the database")
    with own_database("desk"):
        result = Benchmark(given).run()
    print(json.dumps(result))  # noqa: T201


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


class Benchmark:
    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        self.cookies: list[dict[str, str]] = [{} for _ in range(given.people)]

    def run(self) -> dict[str, Any]:
        from benchmarks.seed_desk import make_world, seed_worked_on

        self.world = make_world(SLUG, self.given.people, PASSWORD, PROMPTS)
        seed_worked_on(self.world)
        scenarios = {}
        with Web(self.given.processes, self.given.threads) as self.web:
            for name in self.given.scenario or SCENARIOS:
                scenarios[name] = self.scenario(**SCENARIOS[name])
                say(f"{name}: {json.dumps(scenarios[name])}")
        bare = self.bare()
        say(f"bare SQL: {json.dumps(bare)}")
        return {"scenarios": scenarios, "bare_sql": bare, "cores": os.cpu_count()}

    def scenario(
        self, tasks: int, met: int = 0, kill: bool = False, rules: bool = False
    ) -> dict[str, Any]:
        from benchmarks.seed_desk import seed

        tasks = self.given.tasks or tasks
        say(f"seeding {tasks:,} tasks{f', {met:,} of them met by everybody' if met else ''}")
        began = time.monotonic()
        queue = seed(self.world, tasks, OVERLAP, met=min(met, tasks // 2), rules=rules)
        seeded = time.monotonic() - began
        done = self.work(queue, kill=kill, agree=rules)
        times = sorted(done["milliseconds"]) or [0.0]
        result = {
            "people": self.given.people,
            "tasks": tasks,
            "steps_per_second": round(len(done["milliseconds"]) / done["seconds"], 1),
            "median_ms": round(statistics.median(times), 1),
            "p95_ms": round(times[int(len(times) * 0.95)], 1),
            "p99_ms": round(times[int(len(times) * 0.99)], 1),
            **checked(queue, done["acknowledged"]),
            "answers": len(done["acknowledged"]),
            "sent_again": done["again"],
            "refused": done["refused"],
            "nothing_left": done["ran_out"],
            "seeding_seconds": round(seeded, 1),
        }
        if kill:
            result["killed"] = done["killed"]
        else:
            number = max(1, len(times))
            result["processor_ms_a_step"] = {
                name: round(1000 * used / number, 2) for name, used in done["used"].items()
            }
        if rules:
            result["stopped_by_rules"] = stopped(self.world.project.pk)
        return result

    def processor_seconds(self) -> dict[str, float]:
        """What the web and the database have used so far."""
        import psutil
        from django.db import connection

        connection.ensure_connection()
        backend = psutil.Process(connection.connection.info.backend_pid)
        server = backend.parent()
        assert server
        return {
            "web": _used(psutil.Process(self.web.process.pid).children()),
            "database": _used([*server.children(), server]),
        }

    def work(self, queue: int, *, kill: bool, agree: bool) -> dict[str, Any]:
        order = {
            "port": self.web.port,
            "slug": SLUG,
            "queue": queue,
            "people": self.world.emails,
            "password": PASSWORD,
            "cookies": self.cookies,
            "seconds": self.given.seconds,
            "agree": agree,
        }
        client = subprocess.Popen(
            [sys.executable, str(ROOT / "benchmarks" / "people.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert client.stdin
        assert client.stdout
        client.stdin.write(json.dumps(order))
        client.stdin.close()
        assert client.stdout.readline() == "ready\n", "the people have signed in"
        before = self.processor_seconds()
        over = threading.Event()
        killed: list[str] = []
        killer = threading.Thread(target=self.kill, args=(over, killed))
        if kill:
            killer.start()
        done = json.loads(client.stdout.read())
        client.wait()
        over.set()
        if kill:
            killer.join()
        self.cookies = done["cookies"]
        used = {name: now - before[name] for name, now in self.processor_seconds().items()}
        used["people"] = done["processor_seconds"]
        return {**done, "killed": killed, "used": used}

    def kill(self, over: threading.Event, killed: list[str]) -> None:
        """Now a process of the web, now the whole of it; it is started again."""
        for turn in range(1000):
            if over.wait(self.given.seconds / 8):
                return
            if turn % 3 == 1:
                self.web.kill()
                self.web.start()
                killed.append("the web")
            else:
                self.web.kill_one()
                killed.append("a process")

    def bare(self) -> dict[str, Any]:
        """The same statements of as many steps as fit, by two processes without Django."""
        from benchmarks.seed_desk import seed

        queue = seed(self.world, self.given.tasks or 10_000, OVERLAP)
        each = max(1, self.given.people // 2)
        seconds = min(10.0, self.given.seconds)
        command = [sys.executable, "-m", "benchmarks.bare_steps", str(queue), str(seconds)]
        people = self.world.annotators
        processes = [
            subprocess.Popen(
                [*command, json.dumps(share)], stdout=subprocess.PIPE, text=True, cwd=ROOT
            )
            for share in (people[:each], people[each:])
            if share
        ]
        done = [json.loads(process.communicate()[0]) for process in processes]
        times = sorted(one for each in done for one in each["milliseconds"]) or [0.0]
        return {
            "people": self.given.people,
            "steps_per_second": round(len(times) / seconds, 1),
            "median_ms": round(statistics.median(times), 1),
            "p95_ms": round(times[int(len(times) * 0.95)], 1),
        }


class Web:
    """`truing web`, in a process of its own."""

    def __init__(self, processes: int | None, threads: int | None) -> None:
        with socket.socket() as trial:
            trial.bind(("127.0.0.1", 0))
            self.port = trial.getsockname()[1]
        self.words = ["web", "--port", str(self.port)]
        if processes:
            self.words += ["--processes", str(processes)]
        if threads:
            self.words += ["--threads", str(threads)]

    def __enter__(self) -> "Web":
        self.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self.process.terminate()
        self.process.wait()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "truing.cli", *self.words], stdout=sys.stderr
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise SystemExit("The web does not start.")

    def kill_one(self) -> None:
        import psutil

        if workers := psutil.Process(self.process.pid).children():
            random.choice(workers).send_signal(signal.SIGKILL)

    def kill(self) -> None:
        import psutil

        for process in [*psutil.Process(self.process.pid).children(), self.process]:
            process.send_signal(signal.SIGKILL)
        self.process.wait()


CHECKS = """
WITH slots AS MATERIALIZED (
    SELECT id, task_id, annotator_id, state, round FROM annotation_assignment
    WHERE queue_id = %(queue)s AND annotator_id IS NOT NULL AND purpose = 'answer'
), answered AS (
    SELECT task_id, count(*) AS number FROM slots WHERE state = 'answered' GROUP BY task_id
), wanted AS (
    SELECT overlap FROM annotation_queue WHERE id = %(queue)s
)
SELECT
    (SELECT coalesce(sum(number - 1), 0) FROM (
        SELECT count(*) AS number FROM slots GROUP BY task_id, annotator_id, round
        HAVING count(*) > 1
    ) twice),
    (SELECT coalesce(sum(number - overlap), 0) FROM answered, wanted WHERE number > overlap),
    (SELECT count(*) FROM acknowledged WHERE NOT EXISTS (
        SELECT FROM annotation_annotation WHERE annotation_annotation.key = acknowledged.key
    )),
    (SELECT count(*) - count(DISTINCT assignment_id) FROM annotation_annotation
        WHERE assignment_id IN (SELECT id FROM slots)),
    (SELECT count(*) FROM slots WHERE state = 'answered' AND NOT EXISTS (
        SELECT FROM annotation_annotation WHERE assignment_id = slots.id
    ))
"""


def checked(queue: int, acknowledged: list[str]) -> dict[str, int]:
    """What the database says about a queue, and about the answers that people were told it has."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE acknowledged (key text)")
        with cursor.copy("COPY acknowledged FROM STDIN") as copy:
            for key in acknowledged:
                copy.write_row([key])
        cursor.execute("ANALYZE acknowledged")
        cursor.execute(CHECKS, {"queue": queue})
        double, surplus, lost, duplicates, empty = cursor.fetchone()
        cursor.execute("DROP TABLE acknowledged")
    return {
        "double_assignments": int(double),
        "surplus": int(surplus),
        "lost": lost + empty,
        "duplicates": duplicates,
    }


def _used(processes: list[Any]) -> float:
    return sum(times.user + times.system for times in (one.cpu_times() for one in processes))


def stopped(project: int) -> int:
    """How many people the rules have stopped."""
    from annotation.models import Annotator

    return Annotator.objects.filter(project=project, paused_at__isnull=False).count()


if __name__ == "__main__":
    main()
