"""The statements of a step at the desk, run one after the other without Django or HTTP."""

import json
import os
import random
import secrets
import sys
import threading
import time
from datetime import timedelta
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "truing.settings")
django.setup()

import psycopg  # noqa: E402
from django.utils import timezone  # noqa: E402

from annotation import assign, enter, observe, pick, submit  # noqa: E402
from annotation.lanes import FRONT_LANE  # noqa: E402
from annotation.models import Annotator, Task  # noqa: E402
from annotation.models.queue import MAIN_LANE  # noqa: E402
from truing.embedded import database_settings  # noqa: E402

SESSION = "SELECT * FROM django_session WHERE session_key = %s AND expire_date > %s"
USER = "SELECT * FROM truing_user WHERE id = %s"
SLOT = """
SELECT slot.*, task.*, queue.*, project.*, annotator.*, (
    SELECT json_build_array(id, role) FROM truing_membership
    WHERE project_id = project.id AND user_id = annotator.user_id
) FROM annotation_assignment slot
JOIN annotation_task task ON task.id = slot.task_id
JOIN annotation_queue queue ON queue.id = slot.queue_id
JOIN truing_project project ON project.id = queue.project_id
JOIN annotation_annotator annotator ON annotator.id = slot.annotator_id
WHERE slot.id = %s AND project.slug = 'bench'
"""
PROMPT = [field.name for field in Task._meta.concrete_fields].index("prompt")


class Steps:
    """One person, with a connection of their own."""

    def __init__(self, queue: int, annotator: Annotator) -> None:
        given = database_settings()
        self.connection = psycopg.connect(
            host=given["HOST"], user=given["USER"], dbname=given["NAME"], prepare_threshold=3
        )
        self.connection.autocommit = True
        self.connection.execute("SET plan_cache_mode = force_generic_plan")  # as Django's have
        self.queue, self.annotator = queue, annotator
        self.milliseconds: list[float] = []
        self.after = self.task = self.prompt = 0

    def run(self, until: float) -> None:
        held = self.step(None)
        while held and time.monotonic() < until:
            began = time.perf_counter()
            held = self.step(held)
            self.milliseconds.append((time.perf_counter() - began) * 1000)

    def ask(self, statement: str, values: Any) -> list[Any]:
        cursor = self.connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []

    def step(self, held: int | None) -> int | None:
        who, now = self.annotator, timezone.now()
        self.ask(SESSION, ["none", now])
        self.ask(USER, [who.user_id])
        if held:
            self.ask(SLOT, [held])
        with self.connection.transaction():
            self.ask(enter._ENTER_AS, [who.pk])
            if held:
                answer = {"tiers": [["a"], ["b"]], "strength": 2}
                values = {
                    "slot": held,
                    "annotator": who.pk,
                    "answer": json.dumps(answer),
                    "seconds": 12.5,
                    "reason": "",
                    "key": secrets.token_hex(16),
                    "now": now,
                    "today": now.date(),
                }
                self.ask(submit._CLOSE, values)
                seen = {
                    "annotator": who.pk,
                    "queue": self.queue,
                    "task": self.task,
                    "slot": held,
                    "prompt": self.prompt,
                    "project": who.project_id,
                }
                [[standing, *_]] = self.ask(observe._READ, seen)
                moved = {name: standing[name] for name in observe._MOVED}
                moved |= {"level": json.dumps(standing["level"]), "id": standing["id"]}
                self.ask(observe._WRITE, moved | {"answers": standing["answers"] + 1})
            open_to_them = {
                "annotator": who.pk,
                "project": who.project_id,
                "now": now,
                "today": now.date(),
                "sensitive_today": 0,
            }
            self.ask(pick._OPEN_QUEUES, open_to_them)
            wanted = {
                "annotator": who.pk,
                **pick.withheld_in([]),
                "now": now,
                "queues": [self.queue],
                "lapsed": [],
                "in": [self.queue] * 2,
                "lane": [FRONT_LANE, MAIN_LANE],
                "after": [0, self.after],
                "last_lane": [FRONT_LANE, MAIN_LANE],
                "window": pick.WINDOW,
            }
            rows = self.ask(pick._PICK, wanted)
            if not rows:
                return None
            slot, task = rows[0][0], rows[0][1]
            self.task, self.prompt = task, rows[0][pick._SLOT + PROMPT]
            shown = random.sample(["a", "b"], k=2)
            taken = {
                "slot": slot,
                "task": task,
                "annotator": who.pk,
                "now": now,
                "today": now.date(),
                "is_sensitive": False,
                "until": now + timedelta(minutes=5),
                "shown": shown,
                "guideline": None,
                "content": json.dumps({"shown": shown}),
                "in": self.queue,
                "positions": "{}",
            }
            self.ask(assign._HOLD, taken)
        # As the bookmark is moved, now and then.
        if slot - self.after > 256:
            self.after = slot - 128
        return int(slot)


def main() -> None:
    queue, seconds, people = int(sys.argv[1]), float(sys.argv[2]), json.loads(sys.argv[3])
    steps = [Steps(queue, one) for one in Annotator.objects.filter(pk__in=people)]
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=one.run, args=(until,)) for one in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times = [one for each in steps for one in each.milliseconds]
    print(json.dumps({"milliseconds": times}))  # noqa: T201


if __name__ == "__main__":
    main()
